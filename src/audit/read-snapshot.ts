import { type Pool, rows, run } from '../db/pool.ts'

/** A query of an audit takes seconds on a million rows. One that takes this long has hung. */
const queryMs = 600_000

/** Reads rows within one snapshot. */
export type SnapshotRead = <Row extends object>(sql: string, values?: unknown[]) => Promise<Row[]>

/**
 * Runs reads on one snapshot of the database, whatever is written meanwhile. The transaction is read-only and blocks nobody.
 */
export async function inSnapshot<T>(pool: Pool, work: (read: SnapshotRead) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await run(client, 'begin isolation level repeatable read read only')
    await run(client, `set local statement_timeout = ${queryMs}`)
    // Sums over everything: sort and hash in memory, and do not compile queries that run once.
    await run(client, `set local work_mem = '128MB'`)
    await run(client, `set local jit = off`)
    // The pool's timeout is for short statements.
    return await work((text, values = []) => rows(client, { text, values, query_timeout: queryMs }))
  } finally {
    // Close the connection: the settings and the snapshot end with it, whatever state it is in.
    client.release(true)
  }
}
