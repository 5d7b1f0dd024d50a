import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after } from 'node:test'
import pg from 'pg'
import { createPool, type Pool } from '../../src/db/pool.ts'

export interface TestDatabase {
  url: string
  pool: Pool
}

/** A database of this test's own, cloned from the migrated template; dropped when the file (or suite) is done. */
export async function cloneDatabase(): Promise<TestDatabase> {
  const template = process.env.TEST_POSTGRES_URL
  assert(template, 'TEST_POSTGRES_URL is missing: run the tests with `npm test [-- files...]`')
  const name = `test_${randomBytes(6).toString('hex')}`
  await administer(template, `create database ${name} template gateway strategy file_copy`)
  const url = template.replace(/\/gateway$/, `/${name}`)
  const pool = createPool(url)
  after(async () => {
    await pool.end()
    await administer(template, `drop database ${name} with (force)`)
  })
  return { url, pool }
}

/**
 * Empties a database for the next of many runs, append-only tables too: what only a superuser's session can do. Rows are
 * deleted, since truncating makes every table's files anew.
 */
export async function emptyDatabase(pool: Pool): Promise<void> {
  const { rows } = await pool.query(
    `select quote_ident(relname) as name
       from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
        and relname not in ('_prisma_migrations', 'schema_routine', 'merchant_version', 'audit_event', 'audit_chain')`,
  )
  const deletes = rows.map(({ name }) => `delete from ${name}`)
  // The chain begins with the event of its migration.
  deletes.push(
    `delete from audit_event where chain_position > 1`,
    `update audit_chain set (chain_position, hash) = (select chain_position, hash from audit_event)`,
  )
  await pool.query(['set local session_replication_role = replica', ...deletes].join(';'))
}

async function administer(template: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: template.replace(/\/gateway$/, '/postgres') })
  await client.connect()
  try {
    // `create database` wants its template to itself; another file may be cloning it at this moment.
    for (let attempt = 1; ; attempt++) {
      try {
        await client.query(sql)
        return
      } catch (error) {
        if (attempt === 20 || (error as { code?: string }).code !== '55006') throw error
        await new Promise(resolve => setTimeout(resolve, 50 * attempt))
      }
    }
  } finally {
    await client.end()
  }
}
