import pg from 'pg'

const int8 = 20

/** A pool of connections to Postgres. `int8` columns arrive as bigint, everything else as pg has it. */
export type Pool = pg.Pool

/** A client inside an open transaction. Stores take it first; the room that completes a step owns it. */
export type Tx = pg.PoolClient & { readonly inTransaction: true }

/** What a read needs that may run inside a transaction or outside one. */
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
 * @param max connections at the most; the API's hot path needs few, since its writes share statements.
 */
export function createPool(url: string, options: { max?: number; name?: string } = {}): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.name ?? 'recharge-gateway',
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    // Nothing we run is long; a statement that is has met a lock that will not go away.
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 30_000,
    // By our own clock: a connection that went silent gives no answer of its own.
    query_timeout: 35_000,
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === int8 && format !== 'binary' ? BigInt : pg.types.getTypeParser(oid, format)) as never,
    },
  })
  // An idle connection that breaks is replaced when it is next needed; whoever needs it then hears of it, nobody now.
  pool.on('error', () => undefined)
  // A connection that the server ends says so as an event besides failing its query, at times in the same breath in which
  // it is handed over, when nobody can have begun to listen. The query's failure is the one we act on.
  pool.on('connect', client => client.on('error', () => undefined))
  return pool
}

/** Runs the work in one transaction: committed when it resolves, rolled back when it throws. */
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
      broken = true // The connection is gone and the server has rolled back by itself.
    })
    throw error
  } finally {
    client.release(broken)
  }
}
