import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Pool } from '../src/db/pool.ts'
import type { Merchant } from '../src/merchants/merchant.ts'
import { cloneDatabase } from './support/database.ts'
import {
  type MerchantEndpoint,
  openMerchantEndpoint,
  startMerchantEndpoint,
} from './support/merchant-endpoint.ts'
import { type CourierOptions, openCourier, stateOf, withCourier } from './support/open-courier.ts'
import { noRedis, startRedis } from './support/redis.ts'
import { type PaidOrder, seedCallback, seedCallbacks } from './support/seed-callback.ts'
import { seedMerchant } from './support/seed-merchant.ts'
import { waitUntil } from './support/wait-until.ts'

// Merchants whose orders name many origins that do not answer while the test runs: no circuit opens, and each origin has a
// cap of its own. What they hold never ends, so whatever another merchant gets, it gets from what they leave.
const slots = 32
/** So long that no attempt ends by its deadline. */
const tuning = { slots, aheadMax: 32, deadlineMs: 120_000, marginMs: 125_000, leaseMs: 300_000 }
const origins = 12

for (const backend of ['Postgres', 'Redis'] as const) {
  const skip = backend === 'Redis' && noRedis
  describe(`beside merchants with many slow origins, the queue on ${backend}`, { skip }, async () => {
    const redis = backend === 'Redis' && !skip ? await startRedis() : undefined
    let redisDatabase = 0

    async function world(slowMerchants: number) {
      const { pool, url } = await cloneDatabase()
      const slow = await Promise.all(Array.from({ length: slowMerchants }, () => slowMerchant(pool)))
      const endpoint = await startMerchantEndpoint()
      const good = await seedMerchant(pool, { callbackUrl: endpoint.url })
      const options: CourierOptions = {
        pool,
        url,
        redisUrl: redis && `${redis.url}/${redisDatabase++}`,
        merchants: [good, ...slow.map(one => one.merchant)],
        tuning,
      }
      const close = async () => void (await Promise.all(slow.map(one => one.close())))
      /** Works beside a courier. In the end the slow endpoints close: otherwise it would wait for their deadline before it stops. */
      const besideCourier = (work: () => Promise<void>) => withCourier(options, () => work().finally(close))
      return { pool, slow, endpoint, good, options, besideCourier, close }
    }

    test('a courier that starts with their backlog gives them three quarters of its slots; another is delivered', async () => {
      const { pool, slow, endpoint, good, besideCourier } = await world(1)
      const [one] = slow
      await seedCallbacks(pool, one!.orders(300))
      await besideCourier(async () => {
        await waitUntil('its share taken', () => one!.inFlight() === (slots * 3) / 4)
        for (let i = 0; i < 3; i++) {
          const seeded = await seedCallback(pool, { merchant: good })
          await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
        }
        assert.equal(one!.inFlightMax(), (slots * 3) / 4)
        assert.equal(one!.requests(), (slots * 3) / 4, 'none of theirs has ended')
        // Two jobs of four that are on their way here count as begun by another courier.
        assert((await inFlight(pool, one!.merchant)) <= 48 + 8, 'leases too are at most three quarters')
      })
      assert.equal(endpoint.requests.length, 3)
    })

    test('three such merchants, met together: each has a share, and another is delivered', async () => {
      const { pool, slow, good, besideCourier } = await world(3)
      // In one transaction, mixed, so that jobs contain leases of several.
      const mixed = Array.from({ length: 300 }, (_, i) => slow[i % 3]!.orders(1)[0]!)
      await seedCallbacks(pool, [...mixed, { merchant: good }])
      await besideCourier(async () => {
        const delivered = async () => {
          const { rows } = await pool.query(`select from callback where delivered_at is not null`)
          return rows.length
        }
        await waitUntil('the first delivered', async () => (await delivered()) === 1)
        await waitUntil('all have begun', () => slow.every(one => one.inFlight() > 0))
        for (let i = 0; i < 3; i++) {
          const seeded = await seedCallback(pool, { merchant: good })
          await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
        }
        const held = slow.map(one => one.inFlightMax())
        assert(held.reduce((sum, one) => sum + one, 0) < slots, `${held}`)
        for (const one of held) assert(one >= 1 && one <= (slots * 3) / 4, `${held}`)
      })
    })

    test('probes of open circuits count like everything else', async () => {
      const { pool, slow, good, besideCourier } = await world(1)
      const [one] = slow
      const endpoints = await Promise.all(
        Array.from({ length: 48 }, () => openMerchantEndpoint({ hang: true })),
      )
      await seedCallbacks(
        pool,
        endpoints.map(({ url }) => ({ merchant: one!.merchant, notifyUrl: url })),
      )
      await pool.query(`update callback_lane set opened_at = now(), probe_at = now()`)
      const probed = () => endpoints.filter(endpoint => endpoint.inFlight > 0).length
      await besideCourier(async () => {
        await waitUntil('its share taken', () => probed() === (slots * 3) / 4)
        const seeded = await seedCallback(pool, { merchant: good })
        await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
        assert.equal(probed(), (slots * 3) / 4)
        await Promise.all(endpoints.map(endpoint => endpoint.close()))
      })
    })

    test('two couriers on one queue: neither gives them more, whoever leased what', async () => {
      const { pool, slow, good, options, besideCourier } = await world(1)
      const [one] = slow
      await seedCallbacks(pool, one!.orders(300))
      await withCourier(options, () =>
        besideCourier(async () => {
          // All the lanes' caps together are 96.
          await waitUntil('both shares taken', () => one!.inFlight() === 2 * ((slots * 3) / 4))
          for (let i = 0; i < 4; i++) {
            const seeded = await seedCallback(pool, { merchant: good })
            await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
          }
          assert.equal(one!.inFlightMax(), 2 * ((slots * 3) / 4))
        }),
      )
    })

    test('a merchant that was fast and becomes slow holds no more; when it answers again, all is delivered once', async () => {
      const { pool, slow, good, besideCourier } = await world(1)
      const [one] = slow
      one!.answers(() => ({ status: 200 }))
      await seedCallbacks(pool, one!.orders(400))
      await besideCourier(async () => {
        await waitUntil('some delivered', () => one!.requests() > 100)
        let answering = false
        one!.answers(() => (answering ? { status: 200 } : { hang: true }))
        await seedCallbacks(pool, one!.orders(200))
        await waitUntil('its share taken', () => one!.inFlight() === (slots * 3) / 4)
        const seeded = await seedCallback(pool, { merchant: good })
        await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
        assert(one!.inFlightMax() <= (slots * 3) / 4)
        answering = true
        one!.dropConnections()
        // What hung was cut off: it failed once, and its retry is due later.
        await waitUntil('the rest delivered', async () => {
          const { rows } = await pool.query(
            `select count(*) filter (where delivered_at is null)::int as open,
                    count(*) filter (where delivered_at is null and attempts = 0)::int as untried from callback`,
          )
          return rows[0].untried === 0 && rows[0].open <= (slots * 3) / 4
        })
      })
    })

    test('a courier that stops releases what waits for a slot', async () => {
      const { pool, slow, options, close } = await world(1)
      const [one] = slow
      await seedCallbacks(pool, one!.orders(300))
      const courier = await openCourier(options)
      await waitUntil('its share taken', () => one!.inFlight() === (slots * 3) / 4)
      const stopped = courier.stop()
      await waitUntil('all others released', async () => (await inFlight(pool, one!.merchant)) === 24)
      assert.equal(one!.requests(), (slots * 3) / 4)
      await close()
      await stopped
    })
  })
}

/** A merchant whose orders name a dozen origins, none of which answers until it is told to. */
async function slowMerchant(pool: Pool) {
  const merchant = await seedMerchant(pool)
  const endpoints = await Promise.all(
    Array.from({ length: origins }, () => openMerchantEndpoint({ hang: true })),
  )
  const sum = (of: (endpoint: MerchantEndpoint) => number) =>
    endpoints.reduce((total, endpoint) => total + of(endpoint), 0)
  let most = 0
  const inFlight = () => {
    const now = sum(endpoint => endpoint.inFlight)
    most = Math.max(most, now)
    return now
  }
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await Promise.all(endpoints.map(endpoint => endpoint.close()))
  }
  after(close)
  return {
    merchant: merchant as Merchant,
    orders: (count: number): PaidOrder[] =>
      Array.from({ length: count }, (_, i) => ({ merchant, notifyUrl: endpoints[i % origins]!.url })),
    inFlight,
    /** The most seen at once. */
    inFlightMax: () => {
      inFlight()
      return most
    },
    requests: () => sum(endpoint => endpoint.requests.length),
    answers: (answer: MerchantEndpoint['answer']) => {
      for (const endpoint of endpoints) endpoint.answer = answer
    },
    dropConnections: () => {
      for (const endpoint of endpoints) endpoint.dropConnections()
    },
    close,
  }
}

async function inFlight(pool: Pool, merchant: Merchant): Promise<number> {
  const { rows } = await pool.query(
    `select count(*)::int as n
       from callback_outbox b
       join callback_lane l on l.id = b.lane_id
      where b.state = 'in_flight' and l.merchant_id = $1`,
    [merchant.id],
  )
  return rows[0].n
}
