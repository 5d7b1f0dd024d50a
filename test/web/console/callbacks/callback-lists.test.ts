import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallbackId, LaneId, MerchantId } from '../../../../src/base/ids.ts'
import { runResendJobs } from '../../../../src/callbacks/outbox/resend-jobs.ts'
import type { Pool, Queryable } from '../../../../src/db/pool.ts'
import { addOrderNote, readOrderNotes } from '../../../../src/orders/order-note-store.ts'
import { readAttempts } from '../../../../src/web/console/callbacks/attempt-list-store.ts'
import {
  type CallbackFilter,
  type CallbackList,
  callbackLists,
  readPlace,
} from '../../../../src/web/console/callbacks/callback-filter.ts'
import {
  findCallback,
  findCallbackIds,
  readCallbackPage,
  readCallbacksOfOrder,
} from '../../../../src/web/console/callbacks/callback-list-store.ts'
import {
  readCountedAttempts,
  readOrigins,
  sumAttempts,
} from '../../../../src/web/console/callbacks/origin-store.ts'
import { canResend, resendMany, resendOne } from '../../../../src/web/console/callbacks/resend-many.ts'
import {
  findConsoleOrder,
  readCreatingRequest,
  readOrderTransfers,
} from '../../../../src/web/console/orders/timeline-store.ts'
import { deliver, exhaust, lease, waitLong } from '../../../support/callback-states.ts'
import { cloneDatabase } from '../../../support/database.ts'
import { seedAddress } from '../../../support/seed.ts'
import { type seedCallback, seedCallbacks, seedDeposit } from '../../../support/seed-callback.ts'
import { seedManyCallbacks } from '../../../support/seed-many-callbacks.ts'
import { seedMerchant, seedMerchants } from '../../../support/seed-merchant.ts'

const all: CallbackFilter = { merchantId: null, list: 'all', origin: null, from: null, to: null }

const big = await cloneDatabase()
const merchantIds = await seedManyCallbacks(big.pool, 100_000)

test('each list has the callbacks in its state, of its merchant and origin, page by page, each once', async () => {
  const { pool } = await cloneDatabase()
  const ids = await seedManyCallbacks(pool, 2_000)
  const conditions: Record<CallbackList, string> = {
    all: 'true',
    due: `b.state = 'due'`,
    failing: `b.state = 'due' and b.schedule_step > 0`,
    in_flight: `b.state = 'in_flight'`,
    held: `b.state = 'held'`,
    delivered: 'b is null and c.delivered_at is not null',
    exhausted: 'b is null and c.exhausted_at is not null',
  }
  await pool.query(
    `update callback_outbox set state = 'in_flight', leased_until = now() + interval '1 minute' where callback_id % 70 = 0`,
  )
  // Delivered, and being sent once more.
  await pool.query(
    `insert into callback_outbox (callback_id, lane_id) select id, lane_id from callback where id % 100 = 5`,
  )
  for (const list of callbackLists) {
    for (const merchantId of [null, ids[3]!]) {
      for (const origin of [null, 'https://shop1.example:443', 'https://nowhere']) {
        const { rows } = await pool.query(
          `select array_agg(c.id::text) as ids
             from callback c
             left join callback_outbox b on b.callback_id = c.id
             join callback_lane l on l.id = c.lane_id
            where ${conditions[list]} and ($1::bigint is null or c.merchant_id = $1) and ($2::text is null or l.origin = $2)`,
          [merchantId, origin],
        )
        const filter = { ...all, list, merchantId, origin }
        const found = await readAll(pool, filter)
        assert.deepEqual(
          found.map(String).toSorted(),
          (rows[0].ids ?? []).toSorted(),
          JSON.stringify([list, origin]),
        )
        const counted = await findCallbackIds(pool, filter)
        assert.deepEqual(counted, { ids: found.toSorted((a, b) => Number(a - b)), more: false })
      }
    }
  }
})

test('what waits is listed by when it is due, and the rest from the latest on', async () => {
  const { pool, merchant, callbacks } = await someCallbacks(6)
  const [one, two, three, four, five, six] = callbacks as [Seeded, Seeded, Seeded, Seeded, Seeded, Seeded]
  await waitLong(pool, two)
  await exhaust(pool, three)
  await exhaust(pool, four)
  await deliver(pool, five)
  await lease(pool, six)
  const keys = async (list: CallbackList) =>
    (await readCallbackPage(pool, { ...all, merchantId: merchant.id, list }, null, 10)).callbacks.map(
      ({ key }) => key,
    )
  assert.deepEqual(await keys('due'), [one.key, two.key])
  assert.deepEqual(await keys('failing'), [two.key])
  assert.deepEqual(await keys('in_flight'), [six.key])
  assert.deepEqual((await keys('exhausted')).toSorted(), [three.key, four.key].toSorted())
  assert.deepEqual(await keys('delivered'), [five.key])
  assert.deepEqual(await keys('held'), [])
  assert.equal((await keys('all')).length, 6)
})

test('a deposit is listed without an order, and a callback is found by its key, of its merchant alone', async () => {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb', deposits: true })
  const { addressId } = await seedAddress(pool)
  const { key } = await seedDeposit(pool, { merchant, addressId })
  const { callbacks } = await readCallbackPage(pool, all, null, 10)
  assert.deepEqual(
    callbacks.map(one => [one.key, one.orderid, one.ordersn, one.state, one.origin]),
    [[key, null, null, 'due', 'https://shop.example:443']],
  )
  assert.equal((await findCallback(pool, key, merchant.id))?.key, key)
  assert.equal(await findCallback(pool, key, (merchant.id + 1n) as MerchantId), null)
  assert.equal(await findCallback(pool, `${key}' or true --`, null), null)
})

test('a time restricts what was delivered; a list that no index has is read so far, and goes on from there', async () => {
  const merchantId = merchantIds[0]!
  const { rows } = await big.pool.query(
    `select min(created_at) as first, max(created_at) as last from callback`,
  )
  const middle = new Date((rows[0].first.getTime() + rows[0].last.getTime()) / 2)
  const within = { ...all, merchantId, list: 'delivered' as const, from: middle, to: rows[0].last }
  const { ids, more } = await findCallbackIds(big.pool, within)
  assert.equal(more, false)
  const counted = await big.pool.query(
    `select count(*)::int as count from callback
      where merchant_id = $1 and delivered_at is not null and created_at >= $2 and created_at < $3`,
    [merchantId, middle, rows[0].last],
  )
  assert.equal(ids.length, counted.rows[0].count)
  const nowhere = { ...all, list: 'all' as const, origin: 'https://nowhere' }
  const first = await readCallbackPage(big.pool, nowhere, null, 50)
  assert.deepEqual([first.callbacks.length, first.stopped], [0, true])
  let pages = 1
  for (let { next } = first; next !== null; pages++)
    ({ next } = await readCallbackPage(big.pool, nowhere, readPlace(next), 50))
  assert.equal(pages, 6)
})

test('a count stops at fifty thousand, and says that there are more', async () => {
  const { ids, more } = await findCallbackIds(big.pool, { ...all, list: 'delivered' })
  assert.deepEqual([ids.length, more], [50_000, true])
  const few = await findCallbackIds(big.pool, { ...all, list: 'failing', merchantId: merchantIds[0]! })
  assert.deepEqual([few.ids.length, few.more], [500, false])
})

test('a place that is none is refused', () => {
  for (const text of [
    '',
    '.',
    '1',
    '1.',
    '1.2.3',
    '-1.2',
    '1.2 ',
    '1e3.1',
    `${'9'.repeat(19)}.1`,
    "1.1'",
    '１.１',
  ])
    assert.equal(readPlace(text), null, text)
  assert.deepEqual(readPlace('123.45'), { micros: 123n, id: 45n })
  assert.ok(readPlace(`${'9'.repeat(18)}.${'9'.repeat(18)}`))
})

test('the greatest place there is ends every list', async () => {
  const far = readPlace(`${'9'.repeat(18)}.${'9'.repeat(18)}`)
  for (const list of ['due', 'failing', 'held', 'in_flight'] as const)
    assert.deepEqual((await readCallbackPage(big.pool, { ...all, list }, far, 10)).callbacks, [])
})

test('origins come with their circuit and what waits: open ones first, then those that wait longest', async () => {
  const { pool } = await cloneDatabase()
  const [merchant, other] = await seedMerchants(pool, [{}, { callbackUrl: 'https://other.example/' }])
  await seedCallbacks(pool, [
    { merchant: merchant!, notifyUrl: 'https://a.example/' },
    { merchant: merchant!, notifyUrl: 'https://a.example/x' },
    { merchant: merchant!, notifyUrl: 'https://b.example/' },
    { merchant: other! },
  ])
  await pool.query(`update callback_outbox set due_at = now() - interval '1 hour' where callback_id = 1`)
  const open = `update callback_lane set opened_at = now(), probe_at = now(), failures = 5 where origin like '%b.example%'`
  await pool.query(open)
  await pool.query(`update callback_lane set slow_start = 2 where origin like '%other%'`)
  const { origins, more } = await readOrigins(pool, null)
  assert.equal(more, false)
  assert.deepEqual(
    origins.map(one => [one.origin, one.circuit, one.due, one.inFlightMax, one.failures]),
    [
      ['https://b.example:443', 'open', 1, 1, 5],
      ['https://a.example:443', 'closed', 2, 8, 0],
      ['https://other.example:443', 'recovering', 1, 2, 0],
    ],
  )
  assert.deepEqual(
    (await readOrigins(pool, other!.id)).origins.map(({ origin }) => origin),
    ['https://other.example:443'],
  )
  assert.equal(origins[0]!.servedAt, null)
})

test('the figures of callbacks count the origins that are not shown, too', async () => {
  const { pool } = await cloneDatabase()
  const merchants = await seedMerchants(
    pool,
    Array.from({ length: 60 }, () => ({ callbackUrl: 'https://shop.example/' })),
  )
  await pool.query(
    `insert into callback_lane (merchant_id, origin)
     select id, 'https://s' || n || '.example:443' from merchant, generate_series(1, 2) n`,
  )
  const count = (outcome: string, attempts: number) =>
    pool.query(
      `insert into callback_hour
       select id, date_trunc('hour', now()), $1, 0, $2, array_fill(0::bigint, array[12]) from callback_lane`,
      [outcome, attempts],
    )
  await count('acknowledged', 3)
  await count('timeout', 1)
  assert.equal((await readOrigins(pool, null)).more, true)
  const since = new Date(Date.now() - 86_400_000)
  assert.deepEqual(await sumAttempts(pool, null, since), { attempts: 480, acknowledged: 360 })
  assert.deepEqual(await sumAttempts(pool, merchants[0]!.id, since), { attempts: 8, acknowledged: 6 })
  assert.deepEqual(await sumAttempts(pool, null, new Date(Date.now() + 86_400_000)), {
    attempts: 0,
    acknowledged: 0,
  })
})

test('many are sent again by a job: those in the list alone, no more than were shown, none announced since', async () => {
  const { pool, merchant, callbacks } = await someCallbacks(5)
  const [one, two, three, late] = callbacks as [Seeded, Seeded, Seeded, Seeded]
  for (const callback of [one, two, late]) await exhaust(pool, callback)
  await waitLong(pool, three)
  const filter = { ...all, merchantId: merchant.id, list: 'exhausted' as const }
  const by = { actor: 'Ann', merchant: { ...merchant, name: 'shop' } }
  const shown = { count: 10, upTo: three.callbackId }
  const resend = (list: CallbackFilter, count = shown) => resendMany(pool, pool, list, count, by)
  const exhausted = async () => (await findCallbackIds(pool, filter)).ids
  assert.equal(await resend(filter, { ...shown, count: 1 }), 'begun')
  assert.equal(await resend(filter), 'busy')
  assert.equal((await exhausted()).length, 3)
  await runResendJobs(pool)
  assert.deepEqual(await exhausted(), [two.callbackId, late.callbackId])
  assert.equal(await resend(filter), 'begun')
  await runResendJobs(pool)
  assert.deepEqual(await exhausted(), [late.callbackId])
  assert.equal(await resend(filter), 'none')
  const failing = { ...filter, list: 'failing' as const }
  assert.equal(await resend(failing), 'begun')
  await runResendJobs(pool)
  assert.equal((await findCallbackIds(pool, failing)).ids.length, 0)
  const found = await findCallback(pool, two.key, null)
  assert.deepEqual(await resendOne(pool, found!, { actor: 'Ann' }), { resent: 1, skipped: 0 })
})

test('neither all, nor those in flight, nor all that were ever delivered can be sent again at once', async () => {
  const { pool, merchant, callbacks } = await someCallbacks(2)
  await deliver(pool, callbacks[0]!)
  const by = { actor: 'Ann', merchant: null }
  const shown = { count: 10, upTo: 1_000n }
  for (const list of ['all', 'in_flight', 'delivered'] as const) {
    const filter = { ...all, merchantId: merchant.id, list }
    assert.equal(canResend(filter), false)
    assert.equal(await resendMany(pool, pool, filter, shown, by), 'none')
  }
  const since = { ...all, merchantId: merchant.id, list: 'delivered' as const, from: new Date(0) }
  assert.equal(await resendMany(pool, pool, since, shown, by), 'begun')
})

test('no page, count or timeline scans a table: each reads some blocks of a hundred thousand rows', async () => {
  const merchantId = merchantIds[7]!
  for (const list of callbackLists) {
    for (const scope of [null, merchantId]) {
      const filter = { ...all, merchantId: scope, list }
      const { db, blocks } = explaining(big.pool)
      const page = await readCallbackPage(db, filter, null, 50)
      if (page.next !== null) await readCallbackPage(db, filter, readPlace(page.next), 50)
      assert.ok(blocks() < 4_000, `${list} of ${scope}: ${blocks()}`)
    }
    const counting = explaining(big.pool)
    await findCallbackIds(counting.db, { ...all, merchantId, list })
    assert.ok(counting.blocks() < 20_000, `count of ${list}: ${counting.blocks()}`)
  }
  const { db, blocks } = explaining(big.pool)
  const { rows } = await big.pool.query('select ordersn from recharge_order where id = 50001')
  const order = await findConsoleOrder(db, rows[0].ordersn, null)
  const [callback] = await readCallbacksOfOrder(db, order!.id, 50)
  assert.equal((await readAttempts(db, [callback!.id], 50)).length, 2)
  await readOrderTransfers(db, order!)
  assert.equal((await readCreatingRequest(db, order!))?.clientAddress, '192.0.2.1')
  await findCallback(db, callback!.key, null)
  await readOrderNotes(db, order!.id)
  await readOrigins(db, merchantId)
  await readCountedAttempts(db, [1n as LaneId], new Date())
  assert.ok(blocks() < 1_000, `one of each: ${blocks()}`)
})

test('notes are kept as they were written, at most 2 000 characters and 500 of an order, and never change', async () => {
  const { pool } = big
  const { rows } = await pool.query('select id from recharge_order where id = 7')
  const note = { orderId: rows[0].id, author: 'Ann' }
  assert.equal(await addOrderNote(pool, { ...note, text: `<script>'"; -- 元 😀` }), true)
  assert.equal(await addOrderNote(pool, { ...note, text: '😀'.repeat(2_000) }), true)
  await assert.rejects(addOrderNote(pool, { ...note, text: 'x'.repeat(2_001) }), /order_note_text_check/)
  assert.equal((await readOrderNotes(pool, rows[0].id))[0]!.text, `<script>'"; -- 元 😀`)
  await assert.rejects(pool.query(`update order_note set text = ''`))
  await assert.rejects(pool.query('delete from order_note'))
  await assert.rejects(pool.query('truncate order_note'))
  assert.equal(await addOrderNote(pool, { ...note, orderId: (10n ** 15n) as never, text: 'x' }), false)
  await pool.query(
    `insert into order_note (order_id, author, text) select $1, 'x', 'x' from generate_series(1, 498)`,
    [rows[0].id],
  )
  assert.equal(await addOrderNote(pool, { ...note, text: 'one too many' }), false)
  assert.equal((await readOrderNotes(pool, rows[0].id)).length, 500)
})

type Seeded = Awaited<ReturnType<typeof seedCallback>>

async function someCallbacks(count: number) {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
  return { pool, merchant, callbacks: await seedCallbacks(pool, Array(count).fill({ merchant })) }
}

async function readAll(pool: Pool, filter: CallbackFilter): Promise<CallbackId[]> {
  const found: CallbackId[] = []
  let after = null
  do {
    const page = await readCallbackPage(pool, filter, after, 37)
    found.push(...page.callbacks.map(({ id }) => id))
    assert.equal(page.stopped, false)
    after = page.next === null ? null : readPlace(page.next)
  } while (after !== null)
  assert.equal(new Set(found).size, found.length)
  return found
}

/** A database that counts the blocks its statements read, and fails for one that scans a large table. */
function explaining(pool: Pool): { db: Queryable; blocks: () => number } {
  let blocks = 0
  const query = async (statement: string | { text: string; values?: unknown[] }, values?: unknown[]) => {
    const text = typeof statement === 'string' ? statement : statement.text
    const given = typeof statement === 'string' ? values : statement.values
    const { rows } = await pool.query(`explain (analyze, buffers, format json) ${text}`, given)
    const plan = rows[0]['QUERY PLAN'][0].Plan
    assert.doesNotMatch(
      JSON.stringify(plan),
      /"Seq Scan"[^{}]*"Relation Name":"(callback|callback_outbox|callback_attempt\w*|api_request\w*|recharge_order)"/,
      text,
    )
    blocks += plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
    return pool.query(text, given as unknown[])
  }
  return { db: { query } as unknown as Queryable, blocks: () => blocks }
}
