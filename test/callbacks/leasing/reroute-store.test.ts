import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaseCallbacks, releaseLeases } from '../../../src/callbacks/leasing/lease-store.ts'
import { rerouteCallbacks } from '../../../src/callbacks/leasing/reroute-store.ts'
import type { Pool } from '../../../src/db/pool.ts'
import { setMerchant } from '../../../src/merchants/set-merchant.ts'
import { cloneDatabase } from '../../support/database.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

const old = 'https://old.example:443'
const next = 'https://new.example:443'

test("when a merchant's default URL changes, the callbacks that wait for it move to the new origin's lane, and no others", async () => {
  const { pool, merchant } = await merchantWithUrl()
  const other = await seedMerchant(pool, { callbackUrl: 'https://old.example/' })
  await seedCallbacks(pool, [
    { merchant },
    { merchant },
    { merchant, notifyUrl: 'https://old.example/mine' },
    { merchant: other },
  ])
  assert.equal(await rerouteCallbacks(pool), 0)
  await setMerchant(pool, merchant.appid, { callbackUrl: 'https://new.example/cb' }, { checkUrl: () => null })
  assert.equal(await rerouteCallbacks(pool), 2)
  assert.deepEqual(await origins(pool), [next, next, old, old])
  assert.deepEqual(await origins(pool, 'callback'), [next, next, old, old])
  assert.equal(await rerouteCallbacks(pool), 0)
})

test('held callbacks move too, and those of a merchant that had no URL', async () => {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool, { disabledAt: new Date() })
  await seedCallbacks(pool, [{ merchant }])
  await pool.query(`update merchant set callback_url = 'https://new.example/'`)
  await rerouteCallbacks(pool)
  assert.deepEqual(await origins(pool), [next])
  await pool.query(`update merchant set callback_url = null`)
  await rerouteCallbacks(pool)
  assert.deepEqual(await origins(pool), ['none'])
})

test('callbacks that were in flight or being credited while the URL changed move at the second look, which is the last', async () => {
  const { pool, merchant } = await merchantWithUrl()
  await seedCallbacks(pool, [{ merchant }])
  const leases = await leaseCallbacks(pool, 1, 30_000)
  await pool.query(`update merchant set callback_url = 'https://new.example/' where id = $1`, [merchant.id])
  assert.equal(await rerouteCallbacks(pool), 0, 'it is in flight')
  await releaseLeases(pool, leases)
  // Written by a transaction that had read the old URL.
  await seedCallbacks(pool, [{ merchant }])
  assert.equal(await rerouteCallbacks(pool), 0, 'the second look is not due')
  await pool.query(`update callback_reroute set next_at = now(), last_at = now()`)
  assert.equal(await rerouteCallbacks(pool), 2)
  assert.deepEqual(await origins(pool), [next, next])
  assert.equal((await pool.query(`select from callback_reroute`)).rowCount, 0)
})

test("couriers that move the same merchant's callbacks at the same moment move each once", async () => {
  const { pool, merchant } = await merchantWithUrl()
  await seedCallbacks(
    pool,
    Array.from({ length: 50 }, () => ({ merchant })),
  )
  await pool.query(`update merchant set callback_url = 'https://new.example/' where id = $1`, [merchant.id])
  const moved = await Promise.all(Array.from({ length: 6 }, () => rerouteCallbacks(pool)))
  assert.equal(
    moved.reduce((sum, n) => sum + n, 0),
    50,
  )
})

test('a change of another setting moves nothing', async () => {
  const { pool, merchant } = await merchantWithUrl()
  await seedCallbacks(pool, [{ merchant }])
  await pool.query(`update merchant set callback_format = 'json', callback_url = callback_url`)
  assert.equal((await pool.query(`select from callback_reroute`)).rowCount, 0)
})

async function merchantWithUrl() {
  const { pool } = await cloneDatabase()
  return { pool, merchant: await seedMerchant(pool, { callbackUrl: 'https://old.example/cb' }) }
}

async function origins(pool: Pool, table: 'callback' | 'callback_outbox' = 'callback_outbox') {
  const { rows } = await pool.query(
    `select l.origin
       from ${table} b
       join callback_lane l on l.id = b.lane_id
      order by ${table === 'callback' ? 'b.id' : 'b.callback_id'}`,
  )
  return rows.map(row => row.origin)
}
