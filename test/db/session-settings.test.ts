import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openPostgresBackend } from '../../src/callbacks/queue/queue-backend.ts'
import { DatabaseClient } from '../../src/db/database-client.ts'
import { clientConfig, createPool, openPool, type Queryable, rows } from '../../src/db/pool.ts'
import { openReadPool } from '../../src/db/read-pool.ts'
import { openApiUnderTest } from '../support/api-under-test.ts'
import { cloneDatabase } from '../support/database.ts'

// Beside the odd settings of the server, those of the database and the role, which come before them.
const oddOfDatabase = {
  TimeZone: 'America/St_Johns',
  DateStyle: 'SQL, DMY',
  client_encoding: 'LATIN1',
  search_path: 'pg_catalog',
  default_transaction_isolation: 'repeatable read',
  statement_timeout: '1s',
  transaction_timeout: '1s',
}

const wanted = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  client_encoding: 'UTF8',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  default_transaction_isolation: 'read committed',
  synchronous_commit: 'on',
  lock_timeout: '0',
  transaction_timeout: '0',
  idle_session_timeout: '0',
  idle_in_transaction_session_timeout: '30000',
  client_min_messages: 'notice',
}

async function setOdd(url: string): Promise<string> {
  const pool = createPool(url)
  const name = new URL(url).pathname.slice(1)
  for (const [setting, value] of Object.entries(oddOfDatabase))
    await pool.query(`alter database ${name} set ${setting} = '${value}'`)
  await pool.end()
  return url
}

async function settingsOf(db: Queryable, names: readonly string[]): Promise<Record<string, string>> {
  const found = await rows<{ name: string; setting: string }>(
    db,
    'select name, setting from pg_settings where name = any($1::text[])',
    [names],
  )
  return Object.fromEntries(found.map(({ name, setting }) => [name, setting]))
}

test('every connection has our settings, whatever the server, the database or the role have', async () => {
  const url = await setOdd((await cloneDatabase()).url)
  const main = createPool(url)
  const reads = openReadPool(url)
  const queue = openPostgresBackend(url, 2)
  const listener = new DatabaseClient(clientConfig(url))
  after(async () => {
    await Promise.all([main.end(), reads.end(), queue.close(), listener.end()])
  })
  await listener.connect()
  for (const [db, schema, statementTimeoutMs] of [
    [main, 'public', 30_000],
    [reads, 'public', 4_000],
    [queue.producer as Queryable, 'bullmq', 8_000],
    [listener, 'public', 30_000],
  ] as const) {
    const expected = { ...wanted, search_path: schema, statement_timeout: `${statementTimeoutMs}` }
    assert.deepEqual(await settingsOf(db, Object.keys(expected)), expected)
  }
})

test('a stricter commit than ours stays', async () => {
  const { url, pool } = await cloneDatabase()
  await pool.query(`alter database ${new URL(url).pathname.slice(1)} set synchronous_commit = 'remote_apply'`)
  const strict = createPool(url)
  after(() => strict.end())
  assert.deepEqual(await settingsOf(strict, ['synchronous_commit']), { synchronous_commit: 'remote_apply' })
})

test('a session that cannot be set is not handed out', async () => {
  const { url } = await cloneDatabase()
  const config = clientConfig(url)
  const pool = openPool({ ...config, session: { schema: 'public', statementTimeoutMs: -2 } }, 1)
  after(() => pool.end())
  await assert.rejects(pool.query('select 1'), /statement_timeout/)
})

test('times and bytes come and go unchanged, through pg and through Prisma', async () => {
  const api = await openApiUnderTest({ databaseBehind: setOdd })
  const shop = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const stamped = () => ({ t: `${Math.floor(Date.now() / 1_000)}` })
  const order = { orderid: 'o-1', localusermark: 'user 1', amount: '1', username: '名字', address: 'auto' }
  const made = await api.ask(shop, 'TraderRechargeorder', { ...order, ...stamped() })
  assert.equal(made.httpStatus, 200, made.text)
  const now = new Date()
  const [kept] = await api.prisma.rechargeOrder.findMany()
  assert.equal(kept!.username, '名字')
  assert(Math.abs(kept!.createdAt.getTime() - now.getTime()) < 60_000, kept!.createdAt.toISOString())
  const [counter] = await rows<{ publicKey: Buffer }>(
    api.pool,
    'select public_key as "publicKey" from address_counter',
  )
  const typed = await api.prisma.addressCounter.findMany()
  assert.deepEqual(Buffer.from(typed[0]!.publicKey), counter!.publicKey)
})
