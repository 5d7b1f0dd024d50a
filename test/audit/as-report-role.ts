import type { Pool } from '../../src/db/pool.ts'

/** Runs one query as the role that reads schema report, on a connection of its own. */
export async function asReportRole(
  pool: Pool,
  sql: string,
  values: unknown[] = [],
  timeZone = 'UTC',
): Promise<Record<string, unknown>[]> {
  const client = await pool.connect()
  try {
    await client.query(`set time zone '${timeZone}'; set role gateway_report`)
    return (await client.query(sql, values)).rows
  } finally {
    client.release(true)
  }
}
