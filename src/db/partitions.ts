import { inTransaction, type Pool } from './pool.ts'

/** Tables cut by month, so that retention drops a partition instead of deleting rows. */
const partitioned = ['callback_attempt', 'api_request']

/**
 * Makes this month's and the next two months' partitions where they are missing; a default one catches the rest.
 * The API and the courier run it when they start and daily.
 */
export async function makePartitions(pool: Pool, at: Date): Promise<void> {
  await inTransaction(pool, async tx => {
    // "If not exists" is no answer to somebody who makes the same table at the same moment, as processes do that start
    // together: one at a time. Any fixed number will do.
    await tx.query(`select pg_advisory_xact_lock(7265636861726766)`)
    for (const table of partitioned) {
      await tx.query(`select make_month_partitions($1, $2)`, [table, at])
    }
  })
}

/**
 * Drops the partitions whose month ended so many months ago; a month that is locked at the moment is left for next time.
 * @param months 0 keeps everything.
 * @returns the names of the tables dropped.
 */
export async function dropOldPartitions(pool: Pool, at: Date, months: number): Promise<string[]> {
  if (months === 0) return []
  const dropped: string[] = []
  for (const table of partitioned) {
    await inTransaction(pool, async tx => {
      // Whoever reads or writes the table must not queue behind this.
      await tx.query(`set local lock_timeout = '500ms'`)
      const { rows } = await tx.query<{ name: string }>(
        `select drop_month_partitions($1, $2::timestamptz - make_interval(months => $3)) as name`,
        [table, at, months],
      )
      dropped.push(...rows.map(row => row.name))
    })
  }
  return dropped
}
