import { resolve } from 'node:path'
import { run } from 'node:test'
import { spec, tap } from 'node:test/reporters'

// As `node --test files...`, which would take them by name: here the order is that of the arguments, so that a file that
// takes long is not begun last and waited for alone.
const files = process.argv.slice(2).map(file => resolve(file))
const results = run({ files, concurrency: 3, timeout: 900_000 })
results.on('test:fail', () => {
  process.exitCode = 1
})
if (process.stdout.isTTY) results.compose(new spec()).pipe(process.stdout)
else results.compose(tap).pipe(process.stdout)
