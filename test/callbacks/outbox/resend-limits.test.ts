import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MerchantId } from '../../../src/base/ids.ts'
import { limitResends, resendLimits } from '../../../src/callbacks/outbox/resend-limits.ts'
import { readOrderCallbacks } from '../../../src/callbacks/outbox/resend-store.ts'
import { openApiUnderTest } from '../../support/api-under-test.ts'
import { deliver, exhaust } from '../../support/callback-states.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { stamp } from '../../support/signed-request.ts'

const [one, two] = [1n as MerchantId, 2n as MerchantId]

test('a merchant makes no more callbacks due within a minute than the limit; another is not affected', () => {
  let now = 0
  const countResent = limitResends({ now: () => new Date(now) }, 100)
  countResent(one, 60)
  now = 20_000
  countResent(one, 40)
  countResent(one, 0)
  now = 40_500
  assert.throws(() => countResent(one, 1), { code: 'rate_limited', retryAfterS: 20 })
  assert.throws(() => countResent(one, 61), { code: 'rate_limited', retryAfterS: 40 })
  countResent(two, 100)
  now = 60_000
  countResent(one, 60)
  assert.throws(() => countResent(one, 1), { code: 'rate_limited', retryAfterS: 20 })
})

test('one call of the largest order is within the limit', () => {
  limitResends({ now: () => new Date(0) })(one, resendLimits.perCall)
})

test('an order with more callbacks than a call resends: the unacknowledged first, the rest counted as skipped', async () => {
  const api = await openApiUnderTest()
  const { pool } = api
  const caller = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const merchant = api.merchants.byAppid(caller.appid)!
  const count = resendLimits.perCall + 20
  const seeded = await seedCallbacks(
    pool,
    Array.from({ length: count }, () => ({ merchant })),
  )
  // As if all transfers had paid one order. Callbacks are append-only, so a superuser changes it.
  await pool.query(
    `set session_replication_role = replica;
     update callback set order_id = ${seeded[0]!.orderId};
     set session_replication_role = origin`,
  )
  for (const callback of seeded.slice(0, 15)) await deliver(pool, callback)
  for (const callback of seeded.slice(-10)) await exhaust(pool, callback)
  const order = { merchantId: merchant.id, orderid: seeded[0]!.orderid, ordersn: null }
  const read = await readOrderCallbacks(pool, order, resendLimits.perCall)
  const ids = seeded.map(({ callbackId }) => callbackId)
  assert.deepEqual(read, { ids: ids.slice(15, 15 + resendLimits.perCall), more: 20 })
  const resend = () => api.ask(caller, 'resendcallback', { orderid: seeded[0]!.orderid, ...stamp() })
  const data = { resent: resendLimits.perCall, skipped: 20 }
  for (let used = 0; used < resendLimits.perMinute; used += resendLimits.perCall) {
    assert.deepEqual((await resend()).data, data)
  }
  const before = await pool.query(`select callback_id, due_at, schedule_step from callback_outbox order by 1`)
  const refused = await resend()
  assert.deepEqual([refused.httpStatus, refused.code], [429, 'rate_limited'])
  const after = await pool.query(`select callback_id, due_at, schedule_step from callback_outbox order by 1`)
  assert.deepEqual(after.rows, before.rows)
})
