import type { Pool } from './pool.ts'

/** Tables cut by month, so that retention drops a partition instead of deleting rows. */
const partitioned = ['callback_attempt']

/**
 * Makes this month's and the next two months' partitions where they are missing; a default one catches the rest.
 * The API and the courier run it when they start and daily.
 */
export async function makePartitions(pool: Pool, at: Date): Promise<void> {
  for (const table of partitioned) {
    await pool.query(`select make_month_partitions($1, $2)`, [table, at])
  }
}
