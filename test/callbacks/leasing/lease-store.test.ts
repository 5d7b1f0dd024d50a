import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  endLapsedLeases,
  leaseCallbacks,
  releaseLeases,
  renewLeases,
} from '../../../src/callbacks/leasing/lease-store.ts'
import { settleHeld } from '../../../src/callbacks/leasing/pause-store.ts'
import type { Pool } from '../../../src/db/pool.ts'
import { cloneDatabase } from '../../support/database.ts'
import { seedCallback, seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

const times = { leaseMs: 30_000, marginMs: 15_000 }

test('a lease is renewed only when it has too little time left, and comes with everything needed to send', async () => {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool)
  const seeded = await seedCallback(pool, {
    merchant,
    notifyUrl: 'https://shop.example/cb',
    orderid: 'sh-1',
    amount: 3_000_050n,
  })
  const [lease] = await leaseCallbacks(pool, 1, 20_000)
  const [callback] = await renewLeases(pool, [lease!], times)
  assert(callback)
  assert.deepEqual(
    { ...callback, now: null, facts: { ...callback.facts, ordersn: '', txid: '' } },
    {
      id: seeded.callbackId,
      epoch: lease!.epoch,
      merchantId: merchant.id,
      attempts: 0,
      scheduleStep: 0,
      notifyUrl: 'https://shop.example/cb',
      disabled: false,
      now: null,
      facts: {
        key: seeded.key,
        orderid: 'sh-1',
        ordersn: '',
        localusermark: '1',
        bodyAmount: 30_000n,
        txid: '',
        logIndex: 0,
        transferAmount: 3_000_050n,
        received: 3_000_050n,
        orderAmount: 3_000_050n,
        orderState: 'paid',
        late: false,
      },
    },
  )
  assert.equal(await leftMs(pool, 25_000), 0)
  await pool.query(`update callback_outbox set leased_until = now() + interval '14 seconds'`)
  assert.equal((await renewLeases(pool, [lease!], times)).length, 1)
  assert.equal(await leftMs(pool, 25_000), 1)
})

test('a lease that has run out, or has passed to another epoch, is not renewed', async () => {
  const { pool } = await cloneDatabase()
  await seedCallback(pool, { merchant: await seedMerchant(pool) })
  const [first] = await leaseCallbacks(pool, 1, times.leaseMs)
  await pool.query(`update callback_outbox set leased_until = now() - interval '1 millisecond'`)
  assert.deepEqual(await renewLeases(pool, [first!], times), [])
  await endLapsedLeases(pool)
  const [second] = await leaseCallbacks(pool, 1, times.leaseMs)
  assert.deepEqual(await renewLeases(pool, [first!], times), [])
  const held = await renewLeases(pool, [first!, second!], times)
  assert.deepEqual(
    held.map(({ epoch }) => epoch),
    [second!.epoch],
  )
})

test('a released callback is due as before, and a lease that has passed to another epoch is not released', async () => {
  const { pool } = await cloneDatabase()
  await seedCallback(pool, { merchant: await seedMerchant(pool) })
  const dueAt = (await pool.query(`select due_at from callback_outbox`)).rows[0].due_at
  const [first] = await leaseCallbacks(pool, 1, times.leaseMs)
  await releaseLeases(pool, [first!])
  const { rows } = await pool.query(`select state, due_at, schedule_step, leased_until from callback_outbox`)
  assert.deepEqual(rows, [{ state: 'due', due_at: dueAt, schedule_step: 0, leased_until: null }])
  const [second] = await leaseCallbacks(pool, 1, times.leaseMs)
  await releaseLeases(pool, [first!])
  assert.equal((await renewLeases(pool, [second!], times)).length, 1)
})

test('disabling a merchant holds its callbacks, enabling it makes them due, and neither counts an attempt', async () => {
  const { pool } = await cloneDatabase()
  const [one, other] = [await seedMerchant(pool), await seedMerchant(pool)]
  await seedCallbacks(pool, [{ merchant: one }, { merchant: one }, { merchant: other }])
  const [lapsed] = await leaseCallbacks(pool, 1, times.leaseMs)
  await pool.query(`update callback_outbox set leased_until = now() where callback_id = $1`, [lapsed!.id])
  await endLapsedLeases(pool)
  await pool.query(`update merchant set disabled_at = now() where id = $1`, [one.id])
  await settleHeld(pool)
  assert.deepEqual(await states(pool), ['held', 'held', 'due'])
  await pool.query(`update merchant set disabled_at = null where id = $1`, [one.id])
  await settleHeld(pool)
  assert.deepEqual(await states(pool), ['due', 'due', 'due'])
  assert.equal((await pool.query(`select from callback where attempts > 0`)).rowCount, 0)
})

test('a renewal tells when the merchant was disabled after the callback was leased', async () => {
  const { pool } = await cloneDatabase()
  await seedCallback(pool, { merchant: await seedMerchant(pool) })
  const leases = await leaseCallbacks(pool, 1, times.leaseMs)
  await pool.query(`update merchant set disabled_at = now()`)
  const [callback] = await renewLeases(pool, leases, times)
  assert.equal(callback!.disabled, true)
})

async function leftMs(pool: Pool, moreThanMs: number): Promise<number> {
  const { rowCount } = await pool.query(
    `select from callback_outbox where leased_until > now() + $1 * interval '1 millisecond'`,
    [moreThanMs],
  )
  return rowCount!
}

async function states(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query(`select state from callback_outbox order by callback_id`)
  return rows.map(row => row.state)
}
