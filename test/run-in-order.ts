import { relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec, tap } from 'node:test/reporters'
import { inspect } from 'node:util'

// As `node --test files...`, which would take them by name: here the order is that of the arguments, so that a file that
// takes long is not begun last and waited for alone.
const files = process.argv.slice(2).map(file => resolve(file))
const results = run({ files, concurrency: 3, timeout: 900_000 })
const failures: string[] = []
results.on('test:fail', ({ name, file, details }) => {
  process.exitCode = 1
  const where = file ? relative(process.cwd(), file) : ''
  failures.push(`${where}: ${name}\n${inspect(details.error.cause ?? details.error)}`)
})
// Where only the end of a long output is kept, it still says what failed.
process.on('exit', () => {
  for (const failure of failures) console.log(`\nfailed: ${failure}`)
})
if (process.stdout.isTTY) results.compose(new spec()).pipe(process.stdout)
else results.compose(tap).pipe(process.stdout)
