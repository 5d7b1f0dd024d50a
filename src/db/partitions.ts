import { inTransaction, type Pool } from './pool.ts'

/** Tables partitioned by month, so that retention drops a partition instead of deleting rows. */
const partitioned = ['callback_attempt', 'api_request']

/**
 * Makes the missing partitions of this month and the next two. Rows of other months go to a default partition.
 * The API and the courier run it when they start, and daily.
 */
export async function makePartitions(pool: Pool, at: Date): Promise<void> {
  await inTransaction(pool, async tx => {
    // "If not exists" fails when another makes the same table at the same moment, as processes that start together do. So
    // one at a time. Any fixed number will do.
    await tx.query(`select pg_advisory_xact_lock(7265636861726766)`)
    for (const table of partitioned) {
      await tx.query(`select make_month_partitions($1, $2)`, [table, at])
    }
  })
}

/**
 * Drops the partitions whose month ended at least so many months ago.
 * @param months 0 keeps everything.
 * @returns the names of the tables dropped.
 * @throws Error when a partition or its table is locked for longer than half a second; a later round drops it.
 */
export async function dropOldPartitions(pool: Pool, at: Date, months: number): Promise<string[]> {
  if (months === 0) return []
  const dropped: string[] = []
  for (const table of partitioned) {
    await inTransaction(pool, async tx => {
      // Everybody who reads or writes the table queues behind this while it waits for a lock.
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
