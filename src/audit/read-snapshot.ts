import type { Pool } from '../db/pool.ts'

/** Over a million rows a look takes seconds; whatever takes this long has met something else. */
const lookMs = 600_000

/** Reads within one snapshot: rows as bigint and text, as the pool gives them. */
export type SnapshotRead = <Row>(sql: string, values?: unknown[]) => Promise<Row[]>

/**
 * Reads everything as it was at one moment, however long it takes and whatever is written beside it. Nothing can be
 * written by it, and nobody waits for it.
 */
export async function inSnapshot<T>(pool: Pool, work: (read: SnapshotRead) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin isolation level repeatable read read only')
    await client.query(`set local statement_timeout = ${lookMs}`)
    // Sums over everything: sorted and hashed in memory, and not compiled for the one time.
    await client.query(`set local work_mem = '128MB'`)
    await client.query(`set local jit = off`)
    return await work(async (sql, values = []) => {
      // Its own timeout, which the types do not know: the pool's is for short statements.
      const config = { text: sql, values, query_timeout: lookMs }
      return (await client.query(config)).rows
    })
  } finally {
    // The settings and the snapshot go with the connection, whatever state it is in.
    client.release(true)
  }
}
