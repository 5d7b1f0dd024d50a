import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runMigrations as migrateQueue } from 'bullmq'
import { failpoint } from '../base/failpoint.ts'
import type { Logger } from '../base/log.ts'
import type { Pool, Tx } from './pool.ts'
import { inTransaction } from './pool.ts'

/** Both from src/db and from dist/db, the migrations lie two folders up. */
const folder = fileURLToPath(new URL('../../prisma/migrations/', import.meta.url))

/** The database schema BullMQ's Postgres backend lives in. */
export const queueSchema = 'bullmq'

/**
 * Applies what is missing of prisma/migrations, each in a transaction of its own, and the queue's own schema.
 * Recorded in Prisma's `_prisma_migrations`, so that its tools agree. Several may run it at once: a lock lets one go first.
 * @returns the names applied now.
 * @throws Error when an applied migration is no longer what the folder has: history is not to be edited.
 */
export async function migrate(pool: Pool, log: Logger): Promise<string[]> {
  const applied: string[] = []
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort()
  for (const name of names) {
    const sql = await readFile(`${folder}${name}/migration.sql`, 'utf8')
    if (await inTransaction(pool, tx => applyMigration(tx, name, sql, log))) {
      log.info({ migration: name }, 'migration.applied')
      failpoint('migrate:after-commit')
      applied.push(name)
    }
  }
  const client = await pool.connect()
  try {
    await migrateQueue(client, queueSchema)
  } finally {
    // Its migration leaves a search_path behind on some paths; do not lend that client out again.
    client.release(true)
  }
  return applied
}

async function applyMigration(tx: Tx, name: string, sql: string, log: Logger): Promise<boolean> {
  const checksum = createHash('sha256').update(sql).digest('hex')
  // Any fixed number will do: it only has to be the same in every `gateway migrate`.
  await tx.query(`select pg_advisory_xact_lock(7265636861726765)`)
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
    if (rows[0].checksum !== checksum) {
      throw new Error(
        `migration ${name} was applied with other contents: restore its file, add a new one instead`,
      )
    }
    return false
  }
  // A migration may take its locks slowly, but must not queue everybody behind it while it waits for one.
  await tx.query(`set local lock_timeout = '5s'`)
  await tx.query(`set local statement_timeout = 0`)
  // What a migration could not do and goes on without, it says as a warning.
  const onNotice = ({ severity, message }: { severity?: string; message?: string }) => {
    if (severity === 'WARNING') log.warn({ migration: name, message }, 'migration.warned')
  }
  tx.on('notice', onNotice)
  try {
    await tx.query(sql)
  } finally {
    tx.off('notice', onNotice)
  }
  await tx.query(
    `insert into _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
     values ($1, $2, $3, now(), 1)`,
    [randomUUID(), checksum, name],
  )
  failpoint('migrate:before-commit')
  return true
}
