import { UsageError } from '../base/errors.ts'
import { migrationNames, shippedFolder } from './migrate.ts'
import { causesOf } from './outage.ts'
import { type Pool, rows } from './pool.ts'

/**
 * Checks that this program and the database fit: every migration that it needs is applied, and of those that only newer programs
 * know each allows older ones beside it.
 * @throws UsageError when not. What the database answers otherwise, of which `saysNotMigrated` knows one.
 */
export async function checkSchema(pool: Pool, folder = shippedFolder): Promise<void> {
  const known = new Set(await migrationNames(folder))
  const applied = await rows<{ name: string }>(
    pool,
    `select migration_name as name from _prisma_migrations
      where finished_at is not null and rolled_back_at is null
      order by migration_name`,
  )
  const missing = [...known].filter(name => !applied.some(one => one.name === name))
  if (missing.length > 0) {
    throw new UsageError(
      `the database lacks ${missing.length === 1 ? 'the migration' : `${missing.length} migrations, the first is`} ${missing[0]}: run \`gateway migrate\` first`,
    )
  }
  const newer = applied.map(({ name }) => name).filter(name => !known.has(name))
  if (newer.length === 0) return
  const [refusing] = await rows<{ name: string }>(
    pool,
    `select migration_name as name from migration_rule
      where migration_name = any($1::text[]) and not older_may_run
      order by 1`,
    [newer],
  )
  if (!refusing) return
  throw new UsageError(
    `the database was migrated by a newer version: no older program may run beside ${refusing.name}. Start the newer version.`,
  )
}

// SQLSTATE: no such table, no such schema. Prisma has it as `originalCode`.
const missingStates = new Set<unknown>(['42P01', '3F000'])

/** Says of an error that the database has none of our tables. @returns null for any other. */
export function saysNotMigrated(error: unknown): string | null {
  const isMissing = causesOf(error).some(
    ({ code, originalCode }) => missingStates.has(code) || missingStates.has(originalCode),
  )
  return isMissing ? 'the database is not migrated: run `gateway migrate` first' : null
}
