import pg from 'pg'
import { cutConnection, DatabaseClient, type DatabaseClientConfig } from './database-client.ts'
import { isConnectionLost } from './outage.ts'
import { openPoolingProxy } from './pooling-proxy.ts'
import { watchIdleConnections } from './watch-silence.ts'

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
type Statement = string | { name?: string; text: string; values?: unknown[]; query_timeout?: number }

/** How long whatever a request or a probe waits for may take. The caller of a request is answered within 8 s. */
export const promptlyMs = 5_000

/** For such a statement. When its time is over, the connection is given up: it may have gone silent. */
export const promptly = { query_timeout: promptlyMs }

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

export interface PoolOptions {
  /** The most connections. The API needs few, since its writes share statements. */
  max?: number
  /** What it is called in pg_stat_activity. */
  name?: string
  /** When the server cancels a statement. A little later we give up the connection ourselves: it may have gone silent. */
  statementTimeoutMs?: number
  /** The schema of the tables. */
  schema?: string
}

/** How long after its cancellation a statement is given up. Whoever waits for a read is then answered in time. */
const cancelledWithinMs = 1_500

/** Describes connections as we make all of them, in a pool or alone. */
export function clientConfig(url: string, options: Omit<PoolOptions, 'max'> = {}): DatabaseClientConfig {
  // None of our usual statements takes long. One that does waits for a lock that will not be released.
  const { name = 'recharge-gateway', statementTimeoutMs = 30_000, schema = 'public' } = options
  const config: pg.ClientConfig = {
    connectionString: url,
    application_name: name,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 5_000,
    // By our own clock, for a connection that has gone silent.
    query_timeout: statementTimeoutMs + Math.min(statementTimeoutMs, cancelledWithinMs),
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === int8 && format !== 'binary' ? BigInt : pg.types.getTypeParser(oid, format)) as never,
    },
  }
  const session = { schema, statementTimeoutMs }
  return { ...config, session, proxy: openPoolingProxy(config, session) }
}

/** Opens a pool. Every session has the settings of `session-settings.ts`. */
export function createPool(url: string, { max = 10, ...options }: PoolOptions = {}): Pool {
  return openPool(clientConfig(url, options), max)
}

/** The same, of connections that are described already. */
export function openPool(config: DatabaseClientConfig, max: number): Pool {
  const pool = new pg.Pool({ ...config, max, Client: DatabaseClient as never })
  // An idle connection broke. It is replaced when one is needed, and a failure is reported then.
  pool.on('error', () => undefined)
  watchIdleConnections(pool)
  return pool
}

/** How long closing a pool waits for what its connections are doing. */
const endWithinMs = 5_000

/** Closes a pool, also when a connection of it is never returned: whoever has it waits for a server that has gone silent. */
export async function endPool(pool: Pool): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, endWithinMs)
  })
  await Promise.race([pool.end(), late])
  clearTimeout(timer)
}

/**
 * Runs work in one transaction: committed when it resolves, rolled back when it throws.
 * @param withinMs how long all of it may take; then its connection is given up. By default each statement has its own time.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (tx: Tx) => Promise<T>,
  withinMs?: number,
): Promise<T> {
  const client = await pool.connect()
  const late = withinMs === undefined ? undefined : setTimeout(cutConnection, withinMs, client)
  let broken = false
  try {
    // Waits for nothing: whatever may take long later, a connection that has gone silent is found here.
    await client.query({ text: withinMs === undefined ? 'begin' : beginWithin(withinMs), ...promptly })
    const result = await work(client as Tx)
    await client.query('commit')
    return result
  } catch (error) {
    broken = isConnectionLost(error)
    if (!broken)
      await client.query('rollback').catch(() => {
        broken = true // The connection is lost, and the server has rolled back.
      })
    throw error
  } finally {
    clearTimeout(late)
    client.release(broken)
  }
}

/** The server gives up in the same time: a statement that waits for a lock, and locks whose holder it hears no more of. */
function beginWithin(ms: number): string {
  return `begin; set local statement_timeout = ${ms}; set local idle_in_transaction_session_timeout = ${ms}`
}
