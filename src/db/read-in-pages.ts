import type { Pool } from './pool.ts'

/** Rows of a page, and how long one may take to come: the first needs the database's whole sort. */
const pageRows = 1_000
const pageMs = 600_000
/** Whoever takes the rows may be slow: a terminal, or a pager. */
const idleMs = 3_600_000

/**
 * Reads a query's rows a page at a time, all from one snapshot: what is committed meanwhile is not in them. The memory it needs
 * does not grow with the rows. The connection is held until the last page, or until the caller stops.
 * @param pool with statements of up to `pageMs` (`statementTimeoutMs`).
 */
export async function* readInPages(
  pool: Pool,
  query: string,
  values: readonly unknown[],
): AsyncGenerator<unknown[][]> {
  const client = await pool.connect()
  let isDone = false
  try {
    await client.query('begin isolation level repeatable read, read only')
    await client.query(`set local statement_timeout = ${pageMs}`)
    await client.query(`set local idle_in_transaction_session_timeout = ${idleMs}`)
    await client.query(`declare page no scroll cursor for ${query}`, values as unknown[])
    for (;;) {
      const { rows } = await client.query({ text: `fetch ${pageRows} from page`, rowMode: 'array' })
      if (rows.length === 0) break
      yield rows as unknown[][]
    }
    await client.query('commit')
    isDone = true
  } finally {
    // One whose transaction is not over is closed, and the server rolls it back.
    client.release(!isDone)
  }
}

export const pagedStatementMs = pageMs
