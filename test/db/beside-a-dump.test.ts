import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startApi } from '../../src/api.ts'
import { migrate } from '../../src/db/migrate.ts'
import { dropOldPartitions, makePartitions } from '../../src/db/partitions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { addAddress, addOrder, creditedChain } from '../credits/credited-chain.ts'
import { form, openApiUnderTest, processConfig } from '../support/api-under-test.ts'
import { cloneDatabase } from '../support/database.ts'
import { startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { stateOf, withCourier } from '../support/open-courier.ts'
import { recordLog } from '../support/recorded-log.ts'
import { seedCallback } from '../support/seed-callback.ts'
import { seedMerchant } from '../support/seed-merchant.ts'
import { formBody, signed } from '../support/signed-request.ts'
import { waitUntil } from '../support/wait-until.ts'

// A dump of the database reads every table in one long transaction, and so keeps away whoever wants a table for itself.

test('during a dump the courier starts without partitions, delivers and records; they are made after it', async () => {
  const { pool, url } = await cloneDatabase()
  const endpoint = await startMerchantEndpoint()
  const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url })
  const endDump = await beginDump(pool)
  await withCourier({ pool, url, redisUrl: undefined, merchants: [merchant] }, async () => {
    const seeded = await seedCallback(pool, { merchant })
    await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
  })
  assert.deepEqual(await partitionsOf(pool), ['callback_attempt_default'])
  assert.equal((await pool.query(`select from callback_attempt`)).rowCount, 1)
  await endDump()
  // What the default partition has of this month stays there; the next months have their own.
  await makePartitions(pool, new Date())
  assert.equal((await partitionsOf(pool)).length, 3)
})

test('during a dump the API starts and takes orders, and payments are credited', async () => {
  const api = await openApiUnderTest()
  const shop = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const endDump = await beginDump(api.pool)
  const config = processConfig(api)
  const running = await startApi({ ...api.options, config })
  const order = { username: 'u', localusermark: '1', address: 'auto', orderid: 'o-1', amount: '1' }
  const answer = await fetch(`${running.url}/api/merchant/TraderRechargeorder`, {
    method: 'POST',
    headers: { 'content-type': form },
    body: formBody(signed(shop, 'TraderRechargeorder', order)),
  })
  assert.equal(((await answer.json()) as { status: number }).status, 1)
  await running.stop()
  await endDump()

  const chain = await creditedChain()
  const endChainDump = await beginDump(chain.pool)
  const to = await addAddress(chain.pool, 'u')
  await addOrder(chain.pool, 'u', 'o-1', 3_000_000, 1)
  const credited = await chain.credit([chain.block(2, [[{ toBytes: to, units: 3_000_000n }]])])
  assert.equal(credited?.credits, 1)
  await endChainDump()
})

test('retention gives up while a partition is read, keeps nobody waiting, and drops it in a later round', async () => {
  const { pool } = await cloneDatabase()
  await makePartitions(pool, new Date('2026-01-15'))
  const endDump = await beginDump(pool)
  await assert.rejects(dropOldPartitions(pool, new Date('2027-12-15'), 1), { code: '55P03' })
  await endDump()
  assert.equal((await dropOldPartitions(pool, new Date('2027-12-15'), 1)).length, 6)
})

test('a migration lets others pass while a table is locked, and is applied when it no longer is', async () => {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool)
  const folder = await mkdtemp(join(tmpdir(), 'migrations-'))
  after(() => rm(folder, { recursive: true }))
  await cp(new URL('../../prisma/', import.meta.url), folder, { recursive: true })
  await mkdir(join(folder, 'migrations/9999_note'))
  await writeFile(
    join(folder, 'migrations/9999_note/migration.sql'),
    'alter table recharge_order add column note text;',
  )
  const endDump = await beginDump(pool)
  const { log, lines } = recordLog()
  const migrated = migrate(pool, log, pathToFileURL(`${folder}/`))
  await waitUntil('given up once', () => lines('migration.locked_out').length > 0)
  await seedCallback(pool, { merchant })
  await endDump()
  assert.deepEqual(await migrated, ['9999_note'])
})

test("the queue's tables are brought up to date when they are no longer locked", async () => {
  const { pool } = await cloneDatabase()
  const endDump = await beginDump(pool)
  const { log, lines } = recordLog()
  const migrated = migrate(pool, log)
  await waitUntil('given up once', () => lines('migration.locked_out').length > 0)
  await endDump()
  assert.deepEqual(await migrated, [])
})

/** Locks every table as pg_dump does. @returns what ends it. */
async function beginDump(pool: Pool): Promise<() => Promise<void>> {
  const client = await pool.connect()
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
       from pg_class c
       join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')`,
  )
  await client.query('set idle_in_transaction_session_timeout = 0')
  await client.query('begin isolation level repeatable read')
  await client.query(`lock table ${rows.map(row => row.name).join()} in access share mode`)
  return async () => {
    await client.query('rollback')
    client.release(true)
  }
}

async function partitionsOf(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'callback_attempt'::regclass`,
  )
  return rows.map(row => row.name)
}
