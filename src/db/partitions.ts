import type { Logger } from '../base/log.ts'
import { inTransaction, type Pool } from './pool.ts'

/** Tables partitioned by month, so that retention drops a partition instead of deleting rows. */
const partitioned = ['callback_attempt', 'api_request']

/**
 * How often partitions are made and dropped. Rarely is there anything to do; but a lock that a long transaction holds (a
 * dump of the database) is asked for again soon after.
 */
export const partitionsEveryMs = 600_000

/**
 * How long to wait for a lock on a partitioned table. All who read or write the table queue behind the one who waits, so
 * this is what such a moment costs them.
 */
const lockTimeout = '100ms'

/**
 * Makes the missing partitions of this month and the next two. Rows of other months go to a default partition.
 * @throws Error when a table is locked. What was missing is made in a later round: there are two months to do it.
 */
export async function makePartitions(pool: Pool, at: Date): Promise<void> {
  for (const table of partitioned) {
    await inTransaction(pool, async tx => {
      // "If not exists" fails when another makes the same table at the same moment, as processes that start together do. So
      // one at a time. Any fixed number will do. Nobody but them waits for it.
      await tx.query(`set local lock_timeout = '2s'`)
      await tx.query(`select pg_advisory_xact_lock(7265636861726766)`)
      await tx.query(`set local lock_timeout = '${lockTimeout}'`)
      await tx.query(`select make_month_partitions($1, $2)`, [table, at])
    })
  }
}

/** Makes partitions before a process begins, so that the first rows find theirs. A failure is logged: the start goes on. */
export async function makePartitionsAtStart(pool: Pool, at: Date, log: Logger): Promise<void> {
  await makePartitions(pool, at).catch(err => log.warn({ err, chore: 'partitions' }, 'chore.failed'))
}

/**
 * Drops the partitions whose month ended at least so many months ago.
 * @param months 0 keeps everything.
 * @returns the names of the tables dropped.
 * @throws Error when a partition or its table is locked; a later round drops it.
 */
export async function dropOldPartitions(pool: Pool, at: Date, months: number): Promise<string[]> {
  if (months === 0) return []
  const dropped: string[] = []
  for (const table of partitioned) {
    await inTransaction(pool, async tx => {
      await tx.query(`set local lock_timeout = '${lockTimeout}'`)
      const { rows } = await tx.query<{ name: string }>(
        `select drop_month_partitions($1, $2::timestamptz - make_interval(months => $3)) as name`,
        [table, at, months],
      )
      dropped.push(...rows.map(row => row.name))
    })
  }
  return dropped
}
