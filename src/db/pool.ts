import pg from 'pg'

const int8 = 20

/** A pool of connections to Postgres. `int8` columns arrive as bigint, everything else as pg has it. */
export type Pool = pg.Pool

/** A client inside an open transaction. Stores take it as their first parameter; the room that completes a step owns it. */
export type Tx = pg.PoolClient & { readonly inTransaction: true }

/** A pool or a transaction: for statements that may run in either. */
export interface Queryable {
  query: pg.Pool['query']
}

/** SQL with its parameters: as text, or named, to be prepared once per connection. */
type Statement = string | { name?: string; text: string; values: unknown[]; query_timeout?: number }

/**
 * Reads rows: a select, or a write that returns what it wrote.
 * @typeParam T the columns as they are named, with their own types (`OrderId`, `UsdtUnits`): the database's int8 is a bigint.
 */
export async function rows<T extends object>(
  db: Queryable,
  statement: Statement,
  values?: unknown[],
): Promise<T[]> {
  const result = await db.query<T>(statement as string, values)
  return result.rows
}

/** Writes. @returns how many rows were written. */
export async function run(db: Queryable, statement: Statement, values?: unknown[]): Promise<number> {
  const result = await db.query(statement as string, values)
  return result.rowCount ?? 0
}

/**
 * Opens a pool.
 * @param max the most connections. The API needs few, since its writes share statements.
 */
export function createPool(
  url: string,
  options: { max?: number; name?: string; statementTimeoutMs?: number } = {},
): Pool {
  // None of our usual statements takes long. One that does waits for a lock that will not be released.
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.name ?? 'recharge-gateway',
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: 30_000,
    // By our own clock, for a connection that has gone silent.
    query_timeout: statementTimeoutMs + 5_000,
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === int8 && format !== 'binary' ? BigInt : pg.types.getTypeParser(oid, format)) as never,
    },
  })
  // An idle connection broke. It is replaced when one is needed, and a failure is reported then.
  pool.on('error', () => undefined)
  // When the server ends a connection, pg emits an error event and also fails the query, sometimes before the caller could
  // have added a listener. We act on the failed query.
  pool.on('connect', client => client.on('error', () => undefined))
  return pool
}

/** Runs work in one transaction: committed when it resolves, rolled back when it throws. */
export async function inTransaction<T>(pool: Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken = false
  try {
    await client.query('begin')
    const result = await work(client as Tx)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => {
      broken = true // The connection is lost, and the server has rolled back.
    })
    throw error
  } finally {
    client.release(broken)
  }
}
