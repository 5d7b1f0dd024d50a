import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from '../../src/db/pool.ts'
import { patiently } from './deployment.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'
import { isSettled } from './paying-load.ts'
import type { RoleProcess } from './role-process.ts'

// P too: a dump of the database, which reads every table in one long transaction.

const partitioned = ['callback_attempt', 'api_request']

export const dumpRow: FaultRow = {
  id: 'P4',
  what: 'a dump of the database beside all of it, with partitions missing, roles restarted and `gateway migrate`',
  times: 1,
  inject: workBesideDump,
  holds: async ({ deployment: { pool } }) => {
    const { missing } = await countPartitions(pool)
    if (missing > 0) throw new Error(`${missing} partitions are missing`)
  },
}

/** Longer than a statement may wait for a lock, which is 30 s. */
const dumpMs = 40_000
/** On an idle machine a process starts in a second. */
const startMaxMs = 25_000

async function workBesideDump({ deployment, load }: Scene): Promise<Injected> {
  const { pool, api } = deployment
  // Only now, since a process makes them when it has started.
  await dropComingMonths(pool)
  const endDump = await beginDump(pool)
  const begunAt = Date.now()
  const migrate = deployment.command('migrate', 'migrate')
  const migrated = migrate.start()
  try {
    for (const role of deployment.roles()) await restart(role)
    const restartedMs = Date.now() - begunAt
    const since = Date.now()
    const through = () => load.orders.filter(order => order.begunAt > since && isSettled(order)).length
    await patiently('60 orders, beside the dump', () => through() >= 60)
    await patiently('60 attempts to be recorded, beside the dump', async () => {
      const { rows } = await pool.query(
        'select count(*)::int as n from callback_attempt where started_at >= $1',
        [new Date(since)],
      )
      return rows[0].n >= 60
    })
    await sleep(begunAt + dumpMs - Date.now())
    const { missing } = await countPartitions(pool)
    if (missing !== 2 * partitioned.length)
      throw new Error(`${missing} partitions were missing: the dump was in nobody's way`)
    await endDump()
    await migrated
    const { code } = await migrate.ended()
    if (code !== 0) throw new Error(`gateway migrate ended with ${code}: ${migrate.output()}`)
    // The chore's next round is minutes away. A start has one too.
    await restart(api)
    return {
      note: `all restarted in ${(restartedMs / 1000).toFixed(1)} s, ${through()} orders settled beside it`,
    }
  } finally {
    await endDump()
  }
}

/** @throws Error when it does not start in time. */
async function restart(role: RoleProcess): Promise<void> {
  await role.stop()
  const started = role.start()
  const isStarted = () => role.said().includes('gateway.started')
  await patiently(`${role.name} to start`, () => isStarted() || !role.running, startMaxMs)
  await started
  if (!isStarted()) throw new Error(`${role.name} did not start: ${role.said().slice(-1_000)}`)
}

/** Locks every table as pg_dump does, and takes a snapshot. @returns what ends it. */
async function beginDump(pool: Pool): Promise<() => Promise<void>> {
  const client = await pool.connect()
  await client.query('set idle_in_transaction_session_timeout = 0')
  await client.query('begin isolation level repeatable read')
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
       from pg_class c
       join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')`,
  )
  await client.query(`lock table ${rows.map(({ name }) => name).join()} in access share mode`)
  let ended = false
  return async () => {
    if (ended) return
    ended = true
    await client.query('rollback')
    client.release(true)
  }
}

/** As it is when the months have passed that had partitions, except for the present one. */
async function dropComingMonths(pool: Pool): Promise<void> {
  for (const { name, coming } of await listPartitions(pool)) {
    if (coming) await pool.query(`drop table ${name}`)
  }
}

/** @returns how many are missing of those of this month and the next two. */
async function countPartitions(pool: Pool): Promise<{ missing: number }> {
  return { missing: 3 * partitioned.length - (await listPartitions(pool)).length }
}

async function listPartitions(pool: Pool): Promise<{ name: string; coming: boolean }[]> {
  const { rows } = await pool.query<{ name: string; coming: boolean }>(
    `select quote_ident(c.relname) as name, right(c.relname, 7) > to_char(now() at time zone 'UTC', 'YYYY_MM') as coming
       from pg_inherits i
       join pg_class c on c.oid = i.inhrelid
      where i.inhparent = any($1::regclass[]) and c.relname ~ '_\\d{4}_\\d{2}$'`,
    [partitioned],
  )
  return rows
}
