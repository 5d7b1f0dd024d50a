import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { createLog } from '../src/base/log.ts'
import { migrate } from '../src/db/migrate.ts'
import { createPool } from '../src/db/pool.ts'
import { startEmbeddedDatabase } from '../src/sandbox/embedded-database.ts'
import { findOrInstall } from './support/programs.ts'

// npm test [-- files...]: one Postgres for the whole run, migrated once into a template that every test file clones.
// A crash of ours is no crash of Postgres: fsync is off here, and on in the bench.
const root = join(import.meta.dirname, '..')
const database = await startEmbeddedDatabase(['-c', 'fsync=off', '-c', 'full_page_writes=off'])
let exitCode = 1
try {
  const pool = createPool(database.url('gateway'))
  await migrate(pool, createLog('warn', 'test'))
  await pool.end()
  const redis = findOrInstall('redis-server', 'redis-server')
  if (!redis)
    console.log(
      '# redis-server is not on the PATH and cannot be installed here: the tests on Redis are skipped',
    )
  const proxy = findOrInstall('pgbouncer', 'pgbouncer')
  if (!proxy)
    console.log(
      '# pgbouncer is not on the PATH and cannot be installed here: the tests through it are skipped',
    )
  exitCode = await run(process.argv.length > 2 ? process.argv.slice(2) : await testFiles())
} finally {
  await database.stop()
}
process.exit(exitCode)

async function testFiles(): Promise<string[]> {
  const entries = await readdir(join(root, 'test'), { recursive: true })
  return entries
    .filter(name => name.endsWith('.test.ts'))
    .map(name => relative(process.cwd(), join(root, 'test', name)))
    .sort()
}

function run(files: readonly string[]): Promise<number> {
  const args = ['--import', 'tsx', '--test', '--test-concurrency=3', '--test-timeout=900000', ...files]
  const child = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, TEST_POSTGRES_URL: database.url('gateway') },
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise(resolve => child.on('exit', code => resolve(code ?? 1)))
}
