import type pg from 'pg'
import { DatabaseClient, type DatabaseClientConfig } from './database-client.ts'
import { type Pool, run, type Tx } from './pool.ts'

/** How the first line of such a migration begins. */
const marker = '-- Outside a transaction'
const built = /^create index concurrently if not exists (\w+)\s/i

/** Tells whether a migration asks to be run outside a transaction, as an index must be that is built beside traffic. */
export function isOutsideTransaction(sql: string): boolean {
  return sql.startsWith(marker)
}

/**
 * Runs a migration statement by statement, each on its own, without limits on its time: a concurrent build waits for every
 * older transaction, a backup for example. Only `create index concurrently if not exists` is allowed, since anything else
 * could be half done after a crash. An index whose build was interrupted is there but invalid; it is dropped and built again.
 * @param tx holds the migrations' lock, and is kept open meanwhile. It has no snapshot, so the build does not wait for it.
 * @throws Error for any other statement, before anything is run.
 */
export async function runOutsideTransaction(pool: Pool, tx: Tx, sql: string): Promise<void> {
  const statements = statementsOf(sql)
  const config = pool.options as unknown as DatabaseClientConfig
  const session = { ...config.session, statementTimeoutMs: 0 }
  // As long as it takes. Its network is watched by keepalive.
  const own = new DatabaseClient({ ...config, session, query_timeout: 0 })
  // It may be idle for as long as the builds take.
  await run(tx, `set local idle_in_transaction_session_timeout = 0`)
  await own.connect()
  try {
    for (const { text, index } of statements) {
      if (await isInvalid(own, index)) await own.query(`drop index concurrently if exists ${index}`)
      await own.query(text)
    }
  } finally {
    await own.end()
  }
}

function statementsOf(sql: string): { text: string; index: string }[] {
  return sql
    .replace(/^\s*--.*$/gm, '')
    .split(';')
    .map(text => text.trim())
    .filter(text => text !== '')
    .map(text => {
      const index = built.exec(text)?.[1]
      if (!index)
        throw new Error(
          `outside a transaction only indexes are built, concurrently and if not exists: ${text}`,
        )
      return { text, index }
    })
}

async function isInvalid(client: pg.Client, index: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from pg_index where indexrelid = to_regclass($1) and not indisvalid`,
    [index],
  )
  return rowCount === 1
}
