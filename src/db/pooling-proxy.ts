import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { UsageError } from '../base/errors.ts'
import type { Pool } from './pool.ts'
import { findUnfit, type SessionNeeds, withinTime } from './session-settings.ts'

// A pooling proxy (pgbouncer) lends each client a session of the server: for as long as the client is connected (pool_mode =
// session), or for one transaction (transaction), after which the next client gets it with everything that was set in it. With
// pool_mode = statement it is lent for one statement and transactions are refused, so nothing of ours works.

/** What is known of the way to the database. Asked once for each pool, and only when a proxy is in between. */
export interface PoolingProxy {
  /** Whether a connection has come by way of a proxy. */
  seen: boolean
  /**
   * Asks whether sessions are shared: what is set in one does not last, and others get it.
   * @throws UsageError when they are, and the database's or the role's own settings do not work for us, or there are no
   * transactions.
   */
  sharesSessions(): Promise<boolean>
}

/** How many more connections the question takes. */
const othersMax = 2

export function openPoolingProxy(config: pg.ClientConfig, needs: SessionNeeds): PoolingProxy {
  let known: Promise<boolean> | undefined
  return {
    seen: false,
    sharesSessions: () => {
      known ??= askProxy(config, needs)
      // Not kept when it could not be asked.
      known.catch(error => {
        if (!(error instanceof UsageError)) known = undefined
      })
      return known
    },
  }
}

async function askProxy(config: pg.ClientConfig, needs: SessionNeeds): Promise<boolean> {
  const first = await connect(config)
  const others: pg.Client[] = []
  try {
    const shared = await isShared(first, async () => {
      others.push(await connect(config))
      return others.at(-1)!
    })
    if (shared) await requireDefaults(first, needs)
    return shared
  } finally {
    await Promise.all([first, ...others].map(client => client.end().catch(() => undefined)))
  }
}

/** Looks for a session that two connected clients get by turns. The proxy lends the one that was returned last. */
async function isShared(first: pg.Client, another: () => Promise<pg.Client>): Promise<boolean> {
  const seen = new Set<number>()
  for (let n = 0; n < othersMax; n++) {
    seen.add(await backendOf(first))
    const other = await another()
    await other.query('begin').catch(refuseStatementMode)
    seen.add(await backendOf(first))
    if (seen.size > 1 || seen.has(await backendOf(other))) return true
  }
  return false
}

/** @throws UsageError for the answer of a proxy that has no transactions; else the error. */
function refuseStatementMode(error: Error): never {
  if (!/statement pooling/i.test(error.message)) throw error
  throw new UsageError(
    'DATABASE_URL leads to a proxy that has no transactions (pool_mode = statement), and the gateway needs them: ' +
      'connect past it, or with pool_mode = session',
  )
}

async function requireDefaults(client: pg.Client, needs: SessionNeeds): Promise<void> {
  const unfit = await findUnfit(client, needs)
  if (unfit.length === 0) return
  const { rows } = await client.query<{ role: string; database: string }>(
    `select quote_ident(current_user) as role, quote_ident(current_database()) as database`,
  )
  const alter = `alter role ${rows[0]!.role} in database ${rows[0]!.database} set`
  throw new UsageError([
    'DATABASE_URL leads to a proxy that shares sessions (pool_mode = transaction), where the gateway cannot set its own. ' +
      'Connect past it or with pool_mode = session, or run this once:',
    ...unfit.map(setting => `  ${alter} ${setting};`),
  ])
}

/** @throws UsageError for work that needs sessions of its own, when a proxy shares them. */
export async function requireOwnSessions(pool: Pool, work: string): Promise<void> {
  if (await sharesSessions(pool)) {
    throw new UsageError(
      `DATABASE_URL leads to a proxy that shares sessions (pool_mode = transaction), and ${work}: ` +
        'connect past it, or with pool_mode = session',
    )
  }
}

/** @throws UsageError when a proxy shares sessions and does not keep prepared statements, which the API and couriers use. */
export async function requirePreparedStatements(pool: Pool): Promise<void> {
  if (!(await sharesSessions(pool)) || (await keepsStatements(pool.options))) return
  throw new UsageError(
    'DATABASE_URL leads to a proxy that shares sessions (pool_mode = transaction) and does not keep prepared statements: ' +
      'connect past it, with pool_mode = session, or by pgbouncer 1.21 or newer with max_prepared_statements above 0',
  )
}

/** Whether a proxy shares the sessions of a pool of `createPool`. */
export async function sharesSessions(pool: Pool): Promise<boolean> {
  // Whoever connects finds out whether there is a proxy.
  await pool.query('select 1')
  const { proxy } = pool.options as { proxy?: PoolingProxy }
  return proxy?.seen ? proxy.sharesSessions() : false
}

async function keepsStatements(config: pg.ClientConfig): Promise<boolean> {
  const [client, other] = [await connect(config), await connect(config)]
  const name = `gateway_${randomBytes(8).toString('hex')}`
  const named = { name, text: 'select 1', values: [] }
  try {
    await client.query(named)
    // Takes the session in which it was prepared.
    await other.query('begin')
    await other.query('select 1')
    return await client.query(named).then(
      () => true,
      () => false,
    )
  } finally {
    await Promise.all([client, other].map(one => one.end().catch(() => undefined)))
  }
}

async function backendOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return rows[0]!.pid
}

async function connect(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ ...config, ...withinTime })
  client.on('error', () => undefined) // The statement fails too.
  await client.connect()
  return client
}
