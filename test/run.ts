import { spawn } from 'node:child_process'
import { readdir, statfs } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createLog } from '../src/base/log.ts'
import { migrate } from '../src/db/migrate.ts'
import { createPool } from '../src/db/pool.ts'
import { startEmbeddedDatabase } from '../src/demo/embedded-database.ts'
import { compileGateway } from './support/gateway-program.ts'
import { oddSettings } from './support/odd-settings.ts'
import { findOrInstall } from './support/programs.ts'

// npm test [-- files...]: one Postgres for the whole run, migrated once into a template that every test file clones.
// A crash of ours is no crash of Postgres: fsync is off here, and on in the bench.
const root = join(import.meta.dirname, '..')
const settings = ['fsync=off', 'full_page_writes=off', 'max_wal_size=256MB', 'autovacuum_naptime=5min']
const database = await startEmbeddedDatabase(
  [...settings.flatMap(setting => ['-c', setting]), ...oddSettings],
  await databaseFolder(),
)
let compiled: Awaited<ReturnType<typeof compileGateway>> = null
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
  const named = process.argv.slice(2)
  // For a file or two it would not be worth its while.
  compiled = named.length > 2 || named.length === 0 ? await compileGateway() : null
  exitCode = await run(named.length > 0 ? named : await testFiles(), compiled?.path)
} finally {
  await compiled?.remove()
  await database.stop()
}
process.exit(exitCode)

/**
 * In memory where there is plenty: a database is a thousand files, and cloning one takes 20 ms there and 100 to 400 on a
 * disk. A whole run stays under 1 GB.
 */
async function databaseFolder(): Promise<string> {
  const inMemory = '/dev/shm'
  const { bavail, bsize } = await statfs(inMemory).catch(() => ({ bavail: 0, bsize: 0 }))
  return Math.min(bavail * bsize, freemem()) > 4 * 1024 ** 3 ? inMemory : tmpdir()
}

async function testFiles(): Promise<string[]> {
  const entries = await readdir(join(root, 'test'), { recursive: true })
  // Those that wait most and take longest are begun first.
  const longest = [
    'watcher-takeover',
    'random-chains',
    'courier',
    'courier-faults',
    'faults/killed-processes',
  ]
  const first = longest.map(name => `${name}.test.ts`).filter(name => entries.includes(name))
  const others = entries.filter(name => name.endsWith('.test.ts') && !first.includes(name)).sort()
  return [...first, ...others].map(name => relative(process.cwd(), join(root, 'test', name)))
}

function run(files: readonly string[], gateway: string | undefined): Promise<number> {
  const args = ['--import', 'tsx', join(root, 'test/run-in-order.ts'), ...files]
  const child = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      TEST_POSTGRES_URL: database.url('gateway'),
      ...(gateway && { TEST_GATEWAY: gateway }),
    },
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise(resolve => child.on('exit', code => resolve(code ?? 1)))
}
