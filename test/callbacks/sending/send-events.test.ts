import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insertEvents } from '../../../src/callbacks/outbox/event-store.ts'
import type { EventTuning } from '../../../src/callbacks/sending/send-events.ts'
import type { Pool } from '../../../src/db/pool.ts'
import type { Merchant } from '../../../src/merchants/merchant.ts'
import { cloneDatabase } from '../../support/database.ts'
import { startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { stateOf, withCourier } from '../../support/open-courier.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'
import { verifyCallback } from '../../support/verify-callback.ts'
import { waitUntil } from '../../support/wait-until.ts'

const quick: Partial<EventTuning> = { pollMs: 20, pauseMs: 1, restMs: 1, restMaxMs: 1 }

const keyOf = (i: number) => `ev_${i.toString(16).padStart(32, '0')}`

async function seedEvents(pool: Pool, merchant: Merchant, count: number, notifyUrl: string | null = null) {
  const [{ before }] = (await pool.query(`select count(*)::int as before from event`)).rows
  const event = 'order.expired' as const
  const says = { orderid: 'sh-1', received_usdt: '0' }
  const added = Array.from({ length: count }, (_, i) => keyOf(before + i))
  await insertEvents(
    pool,
    added.map(key => ({ key, merchantId: merchant.id, event, notifyUrl, says })),
  )
  return added
}

async function statesOf(pool: Pool): Promise<{ state: string; attempts: number }[]> {
  return (await pool.query(`select state, attempts from report.events order by event_id`)).rows
}

for (const callbackFormat of ['form', 'json'] as const) {
  test(`an event is sent once as ${callbackFormat}, signed like a callback, and has no amount and no orderid`, async () => {
    const { pool, url } = await cloneDatabase()
    const endpoint = await startMerchantEndpoint()
    const elsewhere = await startMerchantEndpoint()
    const merchant = await seedMerchant(pool, {
      callbackUrl: elsewhere.url,
      callbackFormat,
      callbackFields: 'full',
      events: ['order.expired'],
    })
    const courier = { pool, url, redisUrl: undefined, merchants: [merchant], eventTuning: quick }
    await withCourier(courier, async () => {
      const [key] = await seedEvents(pool, merchant, 1, endpoint.url)
      await waitUntil('delivered', async () => (await statesOf(pool))[0]?.state === 'delivered')
      const [request] = endpoint.requests
      const { t, sign: _, ...fields } = verifyCallback(request!, merchant)
      assert.match(t!, /^\d{10}$/)
      assert.deepEqual(fields, {
        event: 'order.expired',
        event_id: key,
        event_orderid: 'sh-1',
        event_received_usdt: '0',
        appid: merchant.appid,
      })
      assert.equal(request!.headers['idempotency-key'], key)
      assert.equal(request!.headers['webhook-id'], key)
    })
    assert.deepEqual([endpoint.requests.length, elsewhere.requests.length], [1, 0])
  })
}

test('five attempts, then it is dropped; 410 drops it at once', async () => {
  const { pool, url } = await cloneDatabase()
  const endpoint = await startMerchantEndpoint({ status: 500 })
  const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url, events: ['order.expired'] })
  const courier = { pool, url, redisUrl: undefined, merchants: [merchant], eventTuning: quick }
  await withCourier(courier, async () => {
    await seedEvents(pool, merchant, 1)
    await waitUntil('dropped', async () => {
      // Its next attempt is due in minutes.
      await pool.query(`update event set due_at = now() where leased_until is null`)
      return (await statesOf(pool))[0]?.state === 'dropped'
    })
    assert.equal(endpoint.requests.length, 5)
    assert.equal(new Set(endpoint.requests.map(({ headers }) => headers['webhook-id'])).size, 1)
    endpoint.answer = { status: 410 }
    await seedEvents(pool, merchant, 1)
    await waitUntil('gone', async () => (await statesOf(pool))[1]?.state === 'dropped')
  })
  assert.deepEqual(
    (await statesOf(pool)).map(({ attempts }) => attempts),
    [5, 1],
  )
})

test('events of endpoints that hang use none of the slots of callbacks, and few at a time', async () => {
  const { pool, url } = await cloneDatabase()
  const hanging = await startMerchantEndpoint({ hang: true })
  const events = ['order.expired'] as const
  const merchants: Merchant[] = []
  for (let i = 0; i < 12; i++) merchants.push(await seedMerchant(pool, { callbackUrl: hanging.url, events }))
  const shop = await startMerchantEndpoint()
  const own = await seedMerchant(pool, { callbackUrl: shop.url, events })
  for (const merchant of merchants) await seedEvents(pool, merchant, 50)
  const eventTuning = { ...quick, deadlineMs: 10_000 }
  // As few slots as a courier can have: one event in them would stop the callbacks.
  const tuning = { slots: 1, aheadMax: 1 }
  const courier = { pool, url, redisUrl: undefined, merchants: [...merchants, own], eventTuning, tuning }
  await withCourier(courier, async () => {
    await waitUntil('every slot of events hangs', () => hanging.inFlight === 16)
    const orders = Array.from({ length: 20 }, () => ({ merchant: own }))
    const callbacks = await seedCallbacks(pool, orders)
    for (const callback of callbacks) {
      await waitUntil('delivered', async () => (await stateOf(pool, callback)).state === 'delivered')
    }
    assert.equal(hanging.inFlightMax, 16)
    hanging.dropConnections()
  })
})

for (const [what, answer] of [
  ['fails', { status: 500 }],
  ['hangs', { hang: true }],
] as const) {
  test(`an origin of a merchant that ${what} does not keep the events for another waiting`, async () => {
    const { pool, url } = await cloneDatabase()
    const bad = await startMerchantEndpoint(answer)
    const good = await startMerchantEndpoint()
    const merchant = await seedMerchant(pool, { callbackUrl: bad.url, events: ['order.expired'] })
    await seedEvents(pool, merchant, 50)
    // No origin is tried again while this test runs.
    const eventTuning = { ...quick, deadlineMs: 25_000, restMs: 600_000, restMaxMs: 600_000 }
    await withCourier({ pool, url, redisUrl: undefined, merchants: [merchant], eventTuning }, async () => {
      await waitUntil('two are under way or have failed', () => bad.requests.length === 2)
      await seedEvents(pool, merchant, 5, good.url)
      await waitUntil('the others are delivered', () => good.requests.length === 5)
      assert.equal(bad.requests.length, 2)
      bad.dropConnections()
    })
  })
}
