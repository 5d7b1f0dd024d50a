import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resendCallbacks } from '../../../src/callbacks/outbox/resend-callbacks.ts'
import { makePartitions } from '../../../src/db/partitions.ts'
import { openApiUnderTest } from '../../support/api-under-test.ts'
import { deliver, exhaust, lease, standingOf, waitLong } from '../../support/callback-states.ts'
import { startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { stateOf, withCourier } from '../../support/open-courier.ts'
import { type SeededCallback, seedCallback, seedCallbacks } from '../../support/seed-callback.ts'
import { stamp } from '../../support/signed-request.ts'
import { waitUntil } from '../../support/wait-until.ts'

const endpoint = await startMerchantEndpoint()
const api = await openApiUnderTest({ callbackAllowedNetworks: ['127.0.0.0/8'] })
const { pool } = api
// As the API does when it starts: requests recorded without partitions would keep the courier from making them.
await makePartitions(pool, new Date())

/** A merchant whose callbacks go to the endpoint, with its own resends. */
async function merchantWithEndpoint() {
  const caller = await api.addMerchant({ callbackUrl: endpoint.url })
  const merchant = () => api.merchants.byAppid(caller.appid)!
  const resend = (parameters: Record<string, string>) =>
    api.ask(caller, 'resendcallback', { ...stamp(), ...parameters })
  return { caller, merchant, resend, seed: () => seedCallback(pool, { merchant: merchant() }) }
}

const fresh = { step: 0, now: true, delivered: false, exhausted: false }

test('a waiting callback becomes due now and restarts its schedule, and so does an exhausted one', async () => {
  const { resend, seed } = await merchantWithEndpoint()
  for (const prepare of [waitLong, exhaust]) {
    const callback = await seed()
    await prepare(pool, callback)
    const answer = await resend({ orderid: callback.orderid })
    assert.equal(answer.text, '{"status":1,"data":{"resent":1,"skipped":0}}')
    assert.deepEqual(await standingOf(pool, callback), { state: 'due', ...fresh })
  }
})

test('an acknowledged callback is sent once more, under its key, and stays acknowledged however that ends', async () => {
  const { merchant, resend, seed } = await merchantWithEndpoint()
  const callback = await seed()
  await deliver(pool, callback)
  const { rows } = await pool.query(`select delivered_at from callback where id = $1`, [callback.callbackId])
  assert.deepEqual((await resend({ orderid: callback.orderid })).data, { resent: 1, skipped: 0 })
  assert.deepEqual(await standingOf(pool, callback), { state: 'due', ...fresh, delivered: true })
  endpoint.answer = { status: 500 }
  const before = endpoint.requests.length
  await withCourier({ pool, url: api.url, redisUrl: undefined, merchants: [merchant()] }, async () => {
    await waitUntil('it has been sent', async () => (await stateOf(pool, callback)).state === 'delivered')
  })
  const sent = endpoint.requests.slice(before)
  assert.deepEqual(
    sent.map(request => request.headers['idempotency-key']),
    [callback.key],
    'once, though it was refused',
  )
  const after = await pool.query(`select delivered_at, attempts from callback where id = $1`, [
    callback.callbackId,
  ])
  assert.deepEqual(after.rows, [{ ...rows[0], attempts: 2 }])
})

test('a callback in flight is skipped and keeps its lease', async () => {
  const { resend, seed } = await merchantWithEndpoint()
  const callback = await seed()
  await lease(pool, callback)
  const leaseOf = async () =>
    (await pool.query(`select * from callback_outbox where callback_id = $1`, [callback.callbackId])).rows
  const before = await leaseOf()
  assert.deepEqual((await resend({ orderid: callback.orderid })).data, { resent: 0, skipped: 1 })
  assert.deepEqual(await leaseOf(), before)
})

test('all callbacks of the order are resent, and those of no other', async () => {
  const { merchant, resend } = await merchantWithEndpoint()
  const [one, other, third] = (await seedCallbacks(
    pool,
    [1, 2, 3].map(() => ({ merchant: merchant() })),
  )) as [SeededCallback, SeededCallback, SeededCallback]
  // As if the third transfer had paid the first order. Callbacks are append-only, so a superuser changes it.
  await pool.query(
    `set session_replication_role = replica;
     update callback set order_id = ${one.orderId} where id = ${third.callbackId};
     set session_replication_role = origin`,
  )
  for (const callback of [one, other, third]) await exhaust(pool, callback)
  const { rows } = await pool.query(`select ordersn from recharge_order where id = $1`, [one.orderId])
  const { ordersn } = rows[0]
  assert.deepEqual((await resend({ ordersn })).data, { resent: 2, skipped: 0 })
  const states = await Promise.all([one, other, third].map(callback => standingOf(pool, callback)))
  assert.deepEqual(
    states.map(({ state }) => state),
    ['due', 'exhausted', 'due'],
  )
  assert.deepEqual((await resend({ ordersn, orderid: one.orderid })).data, { resent: 2, skipped: 0 })
  assert.equal((await resend({ ordersn, orderid: other.orderid })).code, 'order_not_found')
})

test('an order without callbacks resends none; an unknown one, and one of another merchant, is not found', async () => {
  const [mine, theirs] = [await merchantWithEndpoint(), await merchantWithEndpoint()]
  const callback = await theirs.seed()
  await exhaust(pool, callback)
  assert.equal((await mine.resend({ orderid: callback.orderid })).code, 'order_not_found')
  const { rows } = await pool.query(`select ordersn from recharge_order where id = $1`, [callback.orderId])
  assert.equal((await mine.resend({ ordersn: rows[0].ordersn })).code, 'order_not_found')
  assert.equal((await mine.resend({ orderid: 'never' })).code, 'order_not_found')
  assert.equal((await mine.resend({})).code, 'missing_parameter')
  assert.deepEqual(await standingOf(pool, callback), {
    state: 'exhausted',
    step: null,
    now: null,
    delivered: false,
    exhausted: true,
  })
  const user = { username: 'a', localusermark: '1' }
  await api.ask(mine.caller, 'TraderRechargeorder', { ...user, address: 'auto', orderid: 'new', amount: '1' })
  assert.deepEqual((await mine.resend({ orderid: 'new' })).data, { resent: 0, skipped: 0 })
})

test('t and nonce are required in every scheme, and a nonce serves once even with the same sign', async () => {
  for (const scheme of ['hmac-sha256', 'sha1'] as const) {
    const caller = await api.addMerchant({ scheme, callbackUrl: endpoint.url })
    const callback = await seedCallback(pool, { merchant: api.merchants.byAppid(caller.appid)! })
    await exhaust(pool, callback)
    const { orderid } = callback
    const { t, nonce } = stamp()
    for (const missing of [{}, { t }, { nonce }] as Record<string, string>[])
      assert.equal(
        (await api.ask(caller, 'resendcallback', { orderid, ...missing })).code,
        'timestamp_required',
      )
    const stale = { t: String(Number(t) - 301), nonce }
    assert.equal((await api.ask(caller, 'resendcallback', { orderid, ...stale })).code, 'stale_timestamp')
    assert.equal((await standingOf(pool, callback)).state, 'exhausted', 'a refused request does nothing')
    assert.equal((await api.ask(caller, 'resendcallback', { orderid, t, nonce })).status, 1)
    assert.equal((await api.ask(caller, 'resendcallback', { orderid, t, nonce })).code, 'nonce_reused')
  }
})

test("a disabled merchant may not ask; an operator's resend of its callbacks waits until it is enabled", async () => {
  const { caller, resend, seed } = await merchantWithEndpoint()
  const [waiting, given] = [await seed(), await seed()]
  await waitLong(pool, waiting)
  await exhaust(pool, given)
  await pool.query(`update merchant set disabled_at = now() where appid = $1`, [caller.appid])
  const ids = [waiting.callbackId, given.callbackId]
  assert.deepEqual(await resendCallbacks(pool, ids), { resent: 2, skipped: 0 })
  for (const callback of [waiting, given])
    assert.deepEqual(await standingOf(pool, callback), { state: 'held', ...fresh })
  await api.merchants.refresh()
  assert.equal((await resend({ orderid: given.orderid })).code, 'merchant_disabled')
  await pool.query(`update merchant set disabled_at = null where appid = $1`, [caller.appid])
  await api.merchants.refresh()
  // Still held until the next sweep, although its merchant is enabled again.
  assert.deepEqual((await resend({ orderid: given.orderid })).data, { resent: 1, skipped: 0 })
  assert.equal((await standingOf(pool, given)).state, 'due')
})

test('a callback that is due already keeps its place in the lane', async () => {
  const { resend, seed } = await merchantWithEndpoint()
  const callback = await seed()
  const dueAt = async () =>
    (await pool.query(`select due_at from callback_outbox where callback_id = $1`, [callback.callbackId]))
      .rows[0].due_at
  const before = await dueAt()
  assert.deepEqual((await resend({ orderid: callback.orderid })).data, { resent: 1, skipped: 0 })
  assert.deepEqual(await dueAt(), before)
})

test("it waits in the lane of the merchant's current default URL, which is made if it is missing", async () => {
  const { caller, resend, seed } = await merchantWithEndpoint()
  const callback = await seed()
  await exhaust(pool, callback)
  await pool.query(`update merchant set callback_url = 'https://new.example/cb' where appid = $1`, [
    caller.appid,
  ])
  await resend({ orderid: callback.orderid })
  const { rows } = await pool.query(
    `select l.origin, c.lane_id = b.lane_id as same
       from callback_outbox b
       join callback_lane l on l.id = b.lane_id
       join callback c on c.id = b.callback_id
      where b.callback_id = $1`,
    [callback.callbackId],
  )
  assert.deepEqual(rows, [{ origin: 'https://new.example:443', same: true }])
})

test('an open circuit is probed now, and stays open until there is an answer', async () => {
  const { resend, seed } = await merchantWithEndpoint()
  const callback = await seed()
  await exhaust(pool, callback)
  await pool.query(
    `update callback_lane set opened_at = now(), probe_at = now() + interval '1 minute'
      where id = (select lane_id from callback where id = $1)`,
    [callback.callbackId],
  )
  await resend({ orderid: callback.orderid })
  const { rows } = await pool.query(
    `select probe_at <= now() as now, opened_at is not null as open
       from callback_lane where id = (select lane_id from callback where id = $1)`,
    [callback.callbackId],
  )
  assert.deepEqual(rows, [{ now: true, open: true }])
})

test('after concurrent resends each callback owes one attempt', async () => {
  const { merchant } = await merchantWithEndpoint()
  const seeded = await seedCallbacks(
    pool,
    Array.from({ length: 40 }, () => ({ merchant: merchant() })),
  )
  for (const [i, callback] of seeded.entries()) await [waitLong, exhaust, deliver][i % 3]!(pool, callback)
  const ids = seeded.map(({ callbackId }) => callbackId)
  await Promise.all(Array.from({ length: 8 }, () => resendCallbacks(pool, ids)))
  const { rows } = await pool.query(
    `select state, schedule_step, count(*)::int as n from callback_outbox where callback_id = any($1) group by 1, 2`,
    [ids],
  )
  assert.deepEqual(rows, [{ state: 'due', schedule_step: 0, n: 40 }])
})

test('resent while a courier works, everything is delivered, and no two attempts of a callback overlap', async () => {
  const { merchant } = await merchantWithEndpoint()
  const seeded = await seedCallbacks(
    pool,
    Array.from({ length: 60 }, () => ({ merchant: merchant() })),
  )
  const ids = seeded.map(({ callbackId }) => callbackId)
  const sending = new Set<string>()
  let overlaps = 0
  endpoint.answer = ({ headers }) => {
    const key = String(headers['idempotency-key'])
    if (sending.has(key)) overlaps++
    sending.add(key)
    setTimeout(() => sending.delete(key), 20)
    return { status: 200, delayMs: 20 }
  }
  const merchants = [merchant()]
  await withCourier({ pool, url: api.url, redisUrl: undefined, merchants }, async () => {
    for (let i = 0; i < 5; i++) await resendCallbacks(pool, ids)
    await waitUntil('nothing is owed', async () => {
      const { rows } = await pool.query(
        `select count(*)::int as n from callback_outbox where callback_id = any($1)`,
        [ids],
      )
      return rows[0].n === 0
    })
  })
  assert.equal(overlaps, 0)
  const { rows } = await pool.query(
    `select count(*)::int as n from callback where id = any($1) and delivered_at is not null`,
    [ids],
  )
  assert.equal(rows[0].n, 60)
})
