import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { UsageError } from '../../src/base/errors.ts'
import { createLog } from '../../src/base/log.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createPool, type Pool } from '../../src/db/pool.ts'
import { cloneDatabase } from '../support/database.ts'

const log = createLog('silent', 'test')

/** Makes an empty database of these properties; dropped at the end. */
async function makeDatabase(properties: string): Promise<Pool> {
  const { pool: admin, url } = await cloneDatabase()
  const name = `odd_${randomBytes(6).toString('hex')}`
  await admin.query(`create database ${name} template template0 ${properties}`)
  const pool = createPool(url.replace(/\/\w+$/, `/${name}`))
  after(async () => {
    await pool.end()
    const again = createPool(url.replace(/\/\w+$/, '/postgres'))
    await again.query(`drop database ${name}`)
    await again.end()
  })
  return pool
}

async function refusal(pool: Pool): Promise<string> {
  try {
    await migrate(pool, log)
  } catch (error) {
    assert(error instanceof UsageError, `${error}`)
    return error.problems.join('\n')
  }
  return ''
}

for (const encoding of ['SQL_ASCII', 'LATIN1']) {
  test(`a database in ${encoding} is refused, since it cannot hold every name`, async () => {
    assert.match(
      await refusal(await makeDatabase(`encoding '${encoding}' locale 'C'`)),
      new RegExp(`encoding is ${encoding}: create one with "encoding 'UTF8'`),
    )
  })
}

test('a read-only database is refused', async () => {
  const { pool, url } = await cloneDatabase()
  await pool.query(`alter database ${new URL(url).pathname.slice(1)} set default_transaction_read_only = on`)
  const readOnly = createPool(url)
  after(() => readOnly.end())
  assert.match(await refusal(readOnly), /^the database is read-only/)
})

test('a database whose collation changed since its indexes were built is refused', async () => {
  const pool = await makeDatabase(`encoding 'UTF8' locale_provider builtin builtin_locale 'C.UTF-8'`)
  assert.equal(await refusal(pool), '')
  await pool.query(`update pg_database set datcollversion = '0' where datname = current_database()`)
  assert.match(
    await refusal(pool),
    /built with version 0 of its collation, and the server now has 1.*reindex database/,
  )
})

test('tables in another schema are named, instead of making empty ones beside them', async () => {
  const { pool } = await cloneDatabase()
  await pool.query('create schema shop')
  await pool.query('alter table chain_cursor set schema shop')
  assert.match(await refusal(pool), /tables are in the schema shop, and it uses the schema public/)
})
