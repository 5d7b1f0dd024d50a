import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MerchantId } from '../../../../src/base/ids.ts'
import type { Pool } from '../../../../src/db/pool.ts'
import { addOrderNote } from '../../../../src/orders/order-note-store.ts'
import {
  readTimeline,
  type Timeline,
  type TimelineEvent,
} from '../../../../src/web/console/orders/order-timeline.ts'
import { resendOrder } from '../../../../src/web/console/orders/resend-order.ts'
import { findConsoleOrder } from '../../../../src/web/console/orders/timeline-store.ts'
import { openApiUnderTest } from '../../../support/api-under-test.ts'
import { deliver, exhaust } from '../../../support/callback-states.ts'
import { cloneDatabase } from '../../../support/database.ts'
import { seedAddress, seedOrder } from '../../../support/seed.ts'
import { type SeededCallback, seedAttempt, seedCallback } from '../../../support/seed-callback.ts'
import { seedMerchant } from '../../../support/seed-merchant.ts'
import { seedCredit, seedSeen, seedTransfer, seedWaiting } from '../../../support/seed-transfer.ts'
import { waitUntil } from '../../../support/wait-until.ts'

const minute = (n: number) => new Date(Date.now() + n * 60_000)

test('an order begins with the request that created it: its key, and where it came from', async () => {
  const api = await openApiUnderTest()
  const caller = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const other = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const order = { username: 'u', localusermark: '1', address: 'auto', orderid: 'sh-1', amount: '3' }
  await api.ask(other, 'TraderRechargeorder', order)
  await api.ask(caller, 'TraderRechargeorder', { ...order, amount: '0' })
  const created = await api.ask(caller, 'TraderRechargeorder', order)
  await api.ask(caller, 'TraderRechargeorder', order)
  await api.ask(caller, 'findorder', { orderid: 'sh-1' })
  await waitUntil('the history', async () => (await api.pool.query('select from api_request')).rowCount === 5)
  const timeline = await timelineOf(api.pool, created.data.ordersn)
  const [first, ...more] = timeline.events
  assert(first?.kind === 'created')
  assert.deepEqual(more, [])
  const { rows } = await api.pool.query(
    `select k.id from merchant_key k join merchant m on m.id = k.merchant_id where m.appid = $1`,
    [caller.appid],
  )
  const { startedAt, ...by } = first.by!
  assert.deepEqual(by, {
    requestId: created.headers['x-request-id'],
    keyId: rows[0].id,
    scheme: 'hmac-sha256',
    clientAddress: '127.0.0.1',
  })
  assert.ok(Math.abs(startedAt.getTime() - first.at.getTime()) < 60_000)
})

test('an order of which the history of requests knows nothing has a beginning all the same', async () => {
  const { pool, ordersn } = await seededOrder()
  const { events } = await timelineOf(pool, ordersn)
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['created'],
  )
  assert(events[0]!.kind === 'created' && events[0]!.by === null)
})

test('another merchant does not find the order', async () => {
  const { pool, ordersn, merchant } = await seededOrder()
  assert.ok(await findConsoleOrder(pool, ordersn, merchant.id))
  for (const name of [ordersn.slice(0, -1), `${ordersn}'`, '', '%'])
    assert.equal(await findConsoleOrder(pool, name, null), null)
  assert.equal(await findConsoleOrder(pool, ordersn, (merchant.id + 1n) as MerchantId), null)
})

test('payments are shown from the block to the credit: partial, over, late, waiting and seen', async () => {
  const { pool, ordersn, addressId, orderId } = await seededOrder({
    amount: 5_000_000n,
    expiresAt: minute(-10),
  })
  await setChain(pool, { height: 100, time: minute(-5), head: 110 })
  const pay = async (height: number, amount: bigint, received: bigint, late: boolean) => {
    const { transferId } = await seedTransfer(pool, {
      addressId,
      amount,
      height,
      blockTime: minute(height - 30),
    })
    await seedCredit(pool, { transferId, orderId, received, late })
  }
  await pay(1, 2_000_000n, 2_000_000n, false)
  await pay(2, 4_000_000n, 6_000_000n, true)
  await pool.query('update recharge_order set received = 6000000')
  await seedWaiting(pool, { addressId, reason: 'held', height: 3, blockTime: minute(-27) })
  await seedSeen(pool, { addressId, height: 105, blockTime: minute(-1) })
  const { events } = await timelineOf(pool, ordersn)
  const shown = events.map(told)
  assert.deepEqual(shown.slice(0, 6), [
    'paid 1 credited null',
    'paid 2 credited null',
    'paid 3 held null',
    'expired',
    'paid 105 seen 5',
    'created',
  ])
  // Recorded within the same milliseconds.
  const recorded = [
    'credited 1 underpaid',
    'credited 2 overpaid late',
    'seen',
    'solid 1',
    'solid 2',
    'solid 3',
  ]
  assert.deepEqual(shown.slice(6).toSorted(), recorded)
})

test('an order that is not paid in time has expired, by the time of the chain', async () => {
  const { pool, ordersn } = await seededOrder({ expiresAt: minute(-10) })
  await setChain(pool, { height: 100, time: minute(-11), head: null })
  assert.deepEqual((await timelineOf(pool, ordersn)).events.map(told), ['created'])
  await setChain(pool, { height: 100, time: minute(-9), head: null })
  const { events, isExpired } = await timelineOf(pool, ordersn)
  assert.equal(isExpired, true)
  assert.deepEqual(events.map(told).toSorted(), ['created', 'expired'])
})

test('an order that was paid in full after its time had expired before, and says that it was late', async () => {
  const { pool, ordersn, orderId, addressId } = await seededOrder({
    expiresAt: minute(-10),
    amount: 3_000_000n,
    received: 3_000_000n,
  })
  const pay = async (amount: bigint, late: boolean, at: Date) => {
    const { transferId } = await seedTransfer(pool, { addressId, amount, blockTime: at })
    await seedCredit(pool, { transferId, orderId, late })
  }
  await pay(1_000_000n, false, minute(-12))
  await setChain(pool, { height: 100, time: minute(-1), head: null })
  await pay(2_000_000n, true, minute(-5))
  const { events, isLate } = await timelineOf(pool, ordersn)
  assert.equal(isLate, true)
  assert.equal(events.filter(({ kind }) => kind === 'expired').length, 1)
})

test('each attempt says why it counts as it does, and when the next came and why', async () => {
  const { pool, callback, ordersn } = await paidOrder()
  const attempt = (n: number, facts: object) =>
    seedAttempt(pool, { callbackId: callback.callbackId, attempt: n, startedAt: minute(n - 20), ...facts })
  const refused = { outcome: 'refused', answer: 'no' }
  await attempt(1, { outcome: 'connect', status: null, answer: null, scheduleStep: 0, retryInMs: 5_400 })
  await attempt(2, { ...refused, status: 503, scheduleStep: 1, retryInMs: 90_000 })
  await attempt(3, { ...refused, status: 302, scheduleStep: 2, retryInMs: 120_000 })
  await attempt(4, { ...refused, status: 200, scheduleStep: 3, retryInMs: 600_000 })
  await attempt(5, { outcome: 'reset', status: 200, answer: null, scheduleStep: 4, retryInMs: 1 })
  await attempt(6, { ...refused, status: 404 })
  await attempt(7, { ...refused, status: 410, scheduleStep: 6 })
  await attempt(8, { ...refused, status: 429, scheduleStep: 14 })
  await attempt(9, { scheduleStep: 0 })
  await pool.query('update callback set delivered_at = $1', [minute(-10.5)])
  await attempt(10, { ...refused, status: 500, scheduleStep: 0, retryInMs: 5_000 })
  const { events } = await timelineOf(pool, ordersn)
  const attempts = events.filter(event => event.kind === 'attempt')
  assert.deepEqual(
    attempts.map(({ attempt, reason, after }) => [
      attempt.attempt,
      reason,
      after.kind,
      ...('why' in after ? [after.why] : []),
    ]),
    [
      [1, 'connect', 'retry', 'schedule'],
      [2, 'server_error', 'retry', 'retry_after'],
      [3, 'redirect', 'retry', 'schedule'],
      [4, 'wrong_word', 'retry', 'schedule'],
      [5, 'incomplete', 'retry', 'schedule'],
      [6, 'not_2xx', 'unknown'],
      [7, 'gone', 'exhausted', 'gone'],
      [8, 'too_many', 'exhausted', 'no_attempts_left'],
      [9, 'acknowledged', 'delivered'],
      [10, 'server_error', 'stays_delivered'],
    ],
  )
  const { attempt: first, after } = attempts[0]!
  assert(after.kind === 'retry')
  assert.equal(after.at.getTime(), first.startedAt.getTime() + 12 + 5_400)
})

test('what a callback waits for: its time, its circuit, room in its lane, its merchant, a courier, or nothing', async () => {
  const { pool, callback, ordersn } = await paidOrder()
  const next = async (change: string) => {
    await pool.query(change)
    const { events } = await timelineOf(pool, ordersn)
    const found = events.find(event => event.kind === 'next')
    assert.ok(found === undefined || found === events.at(-1))
    return found?.next
  }
  assert.deepEqual(await next('select'), { why: 'soon' })
  const later = minute(60)
  assert.deepEqual(await next(`update callback_outbox set due_at = '${later.toISOString()}'`), {
    why: 'scheduled',
    at: later,
  })
  const open = (at: Date) => `update callback_lane set opened_at = now(), probe_at = '${at.toISOString()}'`
  assert.deepEqual(await next(open(minute(1))), { why: 'scheduled', at: later })
  const probe = minute(90)
  assert.deepEqual(await next(open(probe)), { why: 'circuit_open', at: probe })
  assert.deepEqual(await next(`update callback_outbox set due_at = now() - interval '1 hour'`), {
    why: 'circuit_open',
    at: probe,
  })
  await pool.query('update callback_lane set opened_at = null, probe_at = null, cap = 1')
  const { merchant } = callback
  const other = await seedCallback(pool, { merchant })
  const inFlight = `update callback_outbox set state = 'in_flight', leased_until = now() + interval '1 minute'`
  assert.deepEqual(await next(`${inFlight} where callback_id = ${other.callbackId}`), { why: 'lane_full' })
  assert.deepEqual(await next(`${inFlight} where callback_id = ${callback.callbackId}`), { why: 'in_flight' })
  const held = `update callback_outbox set state = 'held', leased_until = null where callback_id = ${callback.callbackId}`
  assert.deepEqual(await next(held), { why: 'merchant_disabled' })
  await exhaust(pool, callback)
  assert.equal(await next('select'), undefined)
})

test('an order paid in very many parts shows the latest, and says that there are older ones', async () => {
  const { pool, callback, ordersn, addressId, orderId } = await paidOrder()
  for (let n = 0; n < 60; n++) {
    const { transferId } = await seedTransfer(pool, { addressId, height: n + 2 })
    const creditId = await seedCredit(pool, { transferId, orderId })
    await pool.query(
      `insert into callback (key, merchant_id, order_id, credit_id, body_amount, received, order_state, late, lane_id)
       select 'cb_' || lpad(to_hex($1::int), 32, '0'), merchant_id, order_id, $2, body_amount, received, order_state, late, lane_id
         from callback where id = $3`,
      [n + 1, creditId, callback.callbackId],
    )
  }
  const { rows } = await pool.query('select id from callback order by id desc limit 1')
  await pool.query(
    `insert into callback_attempt (callback_id, attempt, started_at, duration_ms, url, outcome)
     select $1, n, now() + n * interval '1 s', 1, '', 'no_url' from generate_series(1, 300) n`,
    [rows[0].id],
  )
  const { events, older } = await timelineOf(pool, ordersn)
  const count = (kind: string) => events.filter(event => event.kind === kind).length
  assert.deepEqual([count('callback'), count('attempt'), count('paid')], [30, 60, 61])
  assert.deepEqual(older, ['callbacks', 'attempts'])
  const numbers = events.flatMap(event => (event.kind === 'attempt' ? [event.attempt.attempt] : []))
  assert.deepEqual([numbers[0], numbers.at(-1)], [241, 300])
})

test('notes stand among what happened, and a resend is recorded by whom', async () => {
  const { pool, callback, ordersn, orderId } = await paidOrder()
  await deliver(pool, callback)
  await addOrderNote(pool, { orderId, author: 'Ann', text: '<b>called</b> the shop' })
  const { events } = await timelineOf(pool, ordersn)
  const note = events.find(event => event.kind === 'note')
  assert.deepEqual([note?.note.author, note?.note.text], ['Ann', '<b>called</b> the shop'])
  const order = await findConsoleOrder(pool, ordersn, null)
  assert.deepEqual(await resendOrder({ pool, countResent: () => undefined }, order!, { actor: 'Ann' }), {
    resent: 1,
    skipped: 0,
  })
  const { rows } = await pool.query(
    'select actor, action, subject, detail from audit_event where chain_position > 1',
  )
  assert.deepEqual(rows, [
    {
      actor: 'Ann',
      action: 'order.callbacks_resent',
      subject: `order ${ordersn}`,
      detail: { resent: 1, skipped: 0 },
    },
  ])
  assert.deepEqual((await timelineOf(pool, ordersn)).events.at(-1)!.kind, 'next')
})

function told(event: TimelineEvent): string {
  switch (event.kind) {
    case 'paid':
      return `paid ${event.transfer.height} ${event.transfer.state} ${event.confirmations}`
    case 'solid':
      return `solid ${event.transfer.height}`
    case 'credited':
      return `credited ${event.transfer.height} ${event.state}${event.late ? ' late' : ''}`
    default:
      return event.kind
  }
}

async function timelineOf(pool: Pool, ordersn: string): Promise<Timeline> {
  const order = await findConsoleOrder(pool, ordersn, null)
  return await readTimeline(pool, order!)
}

async function seededOrder(facts: { amount?: bigint; received?: bigint; expiresAt?: Date } = {}) {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
  const { addressId } = await seedAddress(pool)
  const { orderId } = await seedOrder(pool, { addressId, ...facts })
  return { pool, merchant, addressId, orderId, ordersn: await ordersnOf(pool) }
}

async function paidOrder() {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
  const seeded: SeededCallback = await seedCallback(pool, { merchant })
  await pool.query(`update callback_outbox set due_at = now() - interval '1 second'`)
  return { pool, callback: { ...seeded, merchant }, ...seeded, ordersn: await ordersnOf(pool) }
}

async function ordersnOf(pool: Pool): Promise<string> {
  return (await pool.query('select ordersn from recharge_order')).rows[0].ordersn
}

async function setChain(
  pool: Pool,
  chain: { height: number; time: Date; head: number | null },
): Promise<void> {
  await pool.query('delete from chain_cursor; delete from chain_head')
  await pool.query(
    `insert into chain_cursor (network, genesis_id, usdt_contract, start_height, height, hash, block_time)
     values ('sandbox', repeat('0', 64), 'T', 0, $1, repeat('0', 64), $2)`,
    [chain.height, chain.time],
  )
  if (chain.head !== null)
    await pool.query(
      `insert into chain_head (height, hash, block_time) values ($1, repeat('0', 64), now())`,
      [chain.head],
    )
}
