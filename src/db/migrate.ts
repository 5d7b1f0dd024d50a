import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { runMigrations as migrateQueue } from 'bullmq'
import { failpoint } from '../base/failpoint.ts'
import type { Logger } from '../base/log.ts'
import { applyRoutines } from './apply-routines.ts'
import { olderMayRun } from './migration-rule.ts'
import { isOutsideTransaction, runOutsideTransaction } from './outside-transaction.ts'
import type { Pool, Tx } from './pool.ts'
import { inTransaction, run } from './pool.ts'
import { requireOwnSessions } from './pooling-proxy.ts'
import { refuseUnfitDatabase } from './refuse-database.ts'
import { grantReports } from './report-grants.ts'

/** Two folders up, both from src/db and from dist/db. */
export const shippedFolder = new URL('../../prisma/', import.meta.url)

/** The database schema of BullMQ's Postgres backend. */
export const queueSchema = 'bullmq'

/**
 * Brings the database up to date: applies the migrations that are missing, each in a transaction of its own unless its
 * first line asks for none, then the routines that have changed, the rights of the role for reports, and the queue's own
 * schema. Migrations are recorded in Prisma's `_prisma_migrations`, so that its tools agree. Several may run it at once: a lock
 * lets one go first.
 * @param folder with `migrations/` and `routines/`.
 * @returns the names of the migrations and routines applied now.
 * @throws UsageError when the database cannot work. Error when an applied migration differs from its file, since history is not edited, or when a table stays locked.
 */
export async function migrate(pool: Pool, log: Logger, folder = shippedFolder): Promise<string[]> {
  await requireOwnSessions(pool, '`gateway migrate` locks in one session')
  await refuseUnfitDatabase(pool)
  const applied: string[] = []
  const migrations = new URL('migrations/', folder)
  const rules: Rule[] = []
  for (const name of await migrationNames(folder)) {
    const sql = await readFile(new URL(`${name}/migration.sql`, migrations), 'utf8')
    // One that does not say keeps older programs away.
    const rule = { name, olderMayRun: olderMayRun(sql) ?? false }
    rules.push(rule)
    for (const migration of await runStep(pool, log, tx => applyMigration(pool, tx, rule, sql, log))) {
      log.info({ migration }, 'migration.applied')
      applied.push(migration)
    }
  }
  await runStep(pool, log, tx => writeRules(tx, rules))
  for (const routine of await runStep(pool, log, tx => applyRoutines(tx, new URL('routines/', folder)))) {
    log.info({ routine }, 'routine.applied')
    applied.push(routine)
  }
  await runStep(pool, log, async tx => {
    await tellingWarnings(tx, log, 'report grants', () => grantReports(tx))
    return []
  })
  await whenUnlocked(log, () => migrateQueueOnce(pool))
  return applied
}

/** Lists the migrations of a folder, in their order. */
export async function migrationNames(folder = shippedFolder): Promise<string[]> {
  return (await readdir(new URL('migrations/', folder), { withFileTypes: true }))
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort()
}

interface Rule {
  name: string
  olderMayRun: boolean
}

/** Writes down beside which migrations older programs may run: those do not have the files. */
async function writeRules(tx: Tx, rules: readonly Rule[]): Promise<string[]> {
  const { rows } = await tx.query(`select to_regclass('migration_rule') is not null as "isThere"`)
  if (!rows[0].isThere) return []
  await tx.query(
    `insert into migration_rule (migration_name, older_may_run)
     select * from unnest($1::text[], $2::boolean[])
     on conflict do nothing`,
    [rules.map(({ name }) => name), rules.map(rule => rule.olderMayRun)],
  )
  return []
}

/** Brings the queue's schema up to date. It alters its tables even where there is nothing to do. */
async function migrateQueueOnce(pool: Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query(`set lock_timeout = '${lockTimeout}'`)
    await migrateQueue(client, queueSchema)
  } finally {
    // It has a setting of its own now, and in some cases another search_path, so this connection is not used again.
    client.release(true)
  }
}

/**
 * How long a step waits for a lock on a table. All who use the table queue behind the one who waits, so it gives up soon, and
 * lets them pass before it tries again.
 */
const lockTimeout = '1s'
const lockPauseMs = 2_000
const lockTriesMax = 30

/** Runs one step. @returns the names of what it applied. */
function runStep(pool: Pool, log: Logger, step: (tx: Tx) => Promise<string[]>): Promise<string[]> {
  return whenUnlocked(log, () => tryStep(pool, step))
}

/** Does work, again after a pause when a table is locked: by a dump of the database, for example. */
async function whenUnlocked<T>(log: Logger, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!isLockTimeout(error) || tries === lockTriesMax) throw error
      log.warn({ err: error, retryInMs: lockPauseMs }, 'migration.locked_out')
      await sleep(lockPauseMs)
    }
  }
}

/** SQLSTATE 55P03: a lock was not available in time. */
function isLockTimeout(error: unknown): boolean {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
  return code === '55P03' || cause?.code === '55P03'
}

/** Runs one step in a transaction that holds the migrations' lock. */
async function tryStep(pool: Pool, step: (tx: Tx) => Promise<string[]>): Promise<string[]> {
  const applied = await inTransaction(pool, async tx => {
    await takeMigrationsLock(tx)
    await tx.query(`set local lock_timeout = '${lockTimeout}'`)
    const names = await step(tx)
    if (names.length > 0) failpoint('migrate:before-commit')
    return names
  })
  if (applied.length > 0) failpoint('migrate:after-commit')
  return applied
}

/** How long one `gateway migrate` waits for another, and how often it asks whether that is done. */
const othersMaxMs = 30_000
const othersPollMs = 100

/**
 * Takes the migrations' lock. It asks for it again and again: a statement that waited for it would have a snapshot, and the
 * one that has the lock may be building an index concurrently, which waits for every older snapshot.
 */
async function takeMigrationsLock(tx: Tx): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += othersPollMs) {
    // Any fixed number will do. It only has to be the same in every `gateway migrate`.
    const { rows } = await tx.query(`select pg_try_advisory_xact_lock(7265636861726765) as taken`)
    if (rows[0].taken) return
    if (waitedMs >= othersMaxMs)
      throw new Error('another `gateway migrate` is running: try again when it is done')
    await sleep(othersPollMs)
  }
}

/** How long a migration may run. By then the connection must have gone silent. */
const migrationMaxMs = 86_400_000

/** Applies a migration and records it. @returns its name; nothing when it was applied before. */
async function applyMigration(pool: Pool, tx: Tx, rule: Rule, sql: string, log: Logger): Promise<string[]> {
  const { name } = rule
  const checksum = createHash('sha256').update(sql).digest('hex')
  await tx.query(
    `create table if not exists _prisma_migrations (
       id varchar(36) primary key,
       checksum varchar(64) not null,
       finished_at timestamptz,
       migration_name varchar(255) not null,
       logs text,
       rolled_back_at timestamptz,
       started_at timestamptz not null default now(),
       applied_steps_count integer not null default 0
     )`,
  )
  const { rows } = await tx.query(
    `select checksum
       from _prisma_migrations
      where migration_name = $1 and rolled_back_at is null`,
    [name],
  )
  if (rows[0]) {
    if (rows[0].checksum === checksum) return []
    throw new Error(
      `migration ${name} was applied with other contents: restore its file and add a new migration instead`,
    )
  }
  // A migration may run for long, but it does not wait for long.
  await tx.query(`set local statement_timeout = 0`)
  await tellingWarnings(tx, log, name, async () => {
    if (isOutsideTransaction(sql)) {
      log.info({ migration: name }, 'migration.building')
      await runOutsideTransaction(pool, tx, sql)
    } else await run(tx, { text: sql, query_timeout: migrationMaxMs })
  })
  await tx.query(
    `insert into _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
     values ($1, $2, $3, now(), 1)`,
    [randomUUID(), checksum, name],
  )
  // With it: an older program that starts before the last one is applied has to know.
  await writeRules(tx, [rule])
  return [name]
}

/** Does work and logs its warnings: a migration raises one for what it could not do and goes on without. */
async function tellingWarnings(
  tx: Tx,
  log: Logger,
  migration: string,
  work: () => Promise<void>,
): Promise<void> {
  const onNotice = ({ severity, message }: { severity?: string; message?: string }) => {
    if (severity === 'WARNING') log.warn({ migration, message }, 'migration.warned')
  }
  tx.on('notice', onNotice)
  try {
    await work()
  } finally {
    tx.off('notice', onNotice)
  }
}
