import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Pool } from '../src/db/pool.ts'
import type { Merchant } from '../src/merchants/merchant.ts'
import { cloneDatabase } from './support/database.ts'
import { type Answer, type ReceivedCallback, startMerchantEndpoint } from './support/merchant-endpoint.ts'
import { openCourier, stateOf, withCourier } from './support/open-courier.ts'
import { recordLog } from './support/recorded-log.ts'
import { noRedis, startRedis } from './support/redis.ts'
import { seedCallback, seedCallbacks } from './support/seed-callback.ts'
import { seedMerchant } from './support/seed-merchant.ts'
import { verifyCallback } from './support/verify-callback.ts'
import { waitUntil } from './support/wait-until.ts'

// The courier as shipped, with a real database, queue and merchant endpoints, on both backends.
for (const backend of ['Postgres', 'Redis'] as const) {
  const skip = backend === 'Redis' && noRedis
  describe(`a courier whose queue is on ${backend}`, { skip }, async () => {
    const redis = backend === 'Redis' && !skip ? await startRedis() : undefined
    let redisDatabase = 0

    /** Each test has databases of its own, on Postgres and on Redis. */
    async function ownDatabases() {
      const { pool, url } = await cloneDatabase()
      return { pool, urls: { url, redisUrl: redis && `${redis.url}/${redisDatabase++}` } }
    }

    test("delivers once, signed by the merchant's settings, and records the answer", async () => {
      const { pool, urls } = await ownDatabases()
      const endpoint = await startMerchantEndpoint({ status: 200, body: 'success' })
      const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url })
      await withCourier({ pool, ...urls, merchants: [merchant] }, async () => {
        const seeded = await seedCallback(pool, { merchant })
        await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
        assert.equal(endpoint.requests.length, 1)
        const [request] = endpoint.requests
        const fields = verifyCallback(request!, merchant)
        assert.equal(fields.orderid, seeded.orderid)
        assert.equal(fields.amount, '30000')
        assert.equal(request!.headers['idempotency-key'], seeded.key)
      })
      const { rows } = await pool.query(`select attempt, url, outcome, status, answer from callback_attempt`)
      const attempt = {
        attempt: 1,
        url: endpoint.url,
        outcome: 'acknowledged',
        status: 200,
        answer: 'success',
      }
      assert.deepEqual(rows, [attempt])
    })

    test("sends JSON with all fields, to the order's own URL, if the merchant's settings say so", async () => {
      const { pool, urls } = await ownDatabases()
      const endpoint = await startMerchantEndpoint()
      const elsewhere = await startMerchantEndpoint()
      const merchant = await seedMerchant(pool, {
        callbackUrl: elsewhere.url,
        callbackFormat: 'json',
        callbackFields: 'full',
        keys: [
          { id: 1n, scheme: 'hmac-sha256', key: 'not this one', promoted: false },
          { id: 2n, scheme: 'sha1', key: 'but this one', promoted: true },
        ],
        webhookSecrets: [1, 2].map(byte => `whsec_${Buffer.alloc(32, byte).toString('base64')}`),
      })
      await withCourier({ pool, ...urls, merchants: [merchant] }, async () => {
        const seeded = await seedCallback(pool, { merchant, notifyUrl: endpoint.url })
        const request = await waitUntil('a request', () => endpoint.requests[0])
        const fields = verifyCallback(request, merchant)
        assert.equal(fields.callback_id, seeded.key)
        assert.equal(fields.amount_usdt, '3')
      })
      assert.equal(elsewhere.requests.length, 0)
    })

    test('a 500 is retried under the same key, with a fresh time and fresh signatures', async () => {
      const { pool, urls } = await ownDatabases()
      const endpoint = await startMerchantEndpoint((_, nth) => ({ status: nth === 1 ? 500 : 200 }))
      const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url })
      const { log, lines } = recordLog()
      await withCourier({ pool, ...urls, merchants: [merchant], log }, async () => {
        const seeded = await seedCallback(pool, { merchant })
        const attempted = await waitUntil('the first attempt', () => lines('callback.attempted')[0])
        const retryInMs = attempted.retryInMs as number
        assert(retryInMs >= 4_500 && retryInMs <= 5_500, `5 s, and up to 10 % more or less: ${retryInMs}`)
        // A fresh time is one in another second.
        await waitUntil('the next second', () => Date.now() > endpoint.requests[0]!.at + 1_000)
        await pool.query(`update callback_outbox set due_at = now()`)
        await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
      })
      const [first, second] = endpoint.requests as [ReceivedCallback, ReceivedCallback]
      assert.equal(second.headers['idempotency-key'], first.headers['idempotency-key'])
      const [before, after] = [verifyCallback(first, merchant), verifyCallback(second, merchant)]
      assert.notEqual(after.t, before.t)
      assert.notEqual(after.sign, before.sign)
      assert.notEqual(second.headers['webhook-signature'], first.headers['webhook-signature'])
      const same = { t: '', sign: '' }
      assert.deepEqual({ ...after, ...same }, { ...before, ...same })
      const { rows } = await pool.query(
        `select attempt, outcome, status from callback_attempt order by attempt`,
      )
      assert.deepEqual(rows, [
        { attempt: 1, outcome: 'refused', status: 500 },
        { attempt: 2, outcome: 'acknowledged', status: 200 },
      ])
    })

    test('each outcome leads to the state and the wait that the schedule has for it', async () => {
      const { pool, urls } = await ownDatabases()
      const answers: Record<string, Answer> = {
        '/redirect': { status: 302, headers: { location: '/elsewhere' } },
        '/gone': { status: 410 },
        '/later': { status: 503, headers: { 'retry-after': '3600' } },
        '/reset': { reset: true },
        '/hang': { hang: true },
        '/endless': { endless: true, status: 200 },
      }
      const endpoint = await startMerchantEndpoint(({ path }) => answers[path] ?? { status: 200 })
      const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url })
      const worded = await seedMerchant(pool, { callbackUrl: endpoint.url, acknowledgement: 'thanks' })
      const nowhere = await seedMerchant(pool)
      const unsigned = await seedMerchant(pool, { callbackUrl: endpoint.url, keys: [] })
      const merchants = [merchant, worded, nowhere, unsigned]
      const to = (path: string) => ({ merchant, notifyUrl: new URL(path, endpoint.url).href })
      await withCourier({ pool, ...urls, merchants, tuning: { deadlineMs: 2_000 } }, async () => {
        await seedCallbacks(pool, [
          to('/redirect'),
          to('/gone'),
          to('/later'),
          to('/reset'),
          to('/hang'),
          to('/endless'),
          { merchant, notifyUrl: 'https://10.0.0.1/' },
          { merchant: worded },
          { merchant: nowhere },
          { merchant: unsigned },
        ])
        await waitUntil('an attempt of each', async () => {
          const { rows } = await pool.query(`select count(*)::int as n from callback where attempts >= 1`)
          return rows[0].n === 10
        })
      })
      const { rows } = await pool.query(
        `select a.outcome, a.status, s.state, round(extract(epoch from s.due_at - a.started_at))::int / 60 as minutes
           from callback_state s
           join callback_attempt a using (callback_id)
          where a.attempt = 1
          order by callback_id`,
      )
      assert.deepEqual(
        rows.map(row => [row.outcome, row.status, row.state, row.minutes]),
        [
          ['refused', 302, 'due', 0],
          ['refused', 410, 'exhausted', null],
          ['refused', 503, 'due', 60],
          ['reset', null, 'due', 0],
          ['timeout', null, 'due', 0],
          ['acknowledged', 200, 'delivered', null],
          ['blocked', null, 'due', 0],
          ['refused', 200, 'due', 0],
          ['no_url', null, 'due', 0],
          ['no_key', null, 'due', 0],
        ],
      )
      assert(!endpoint.requests.some(request => request.path === '/elsewhere'))
    })

    test('a callback is exhausted after the fifteenth attempt of its schedule', async () => {
      const { pool, urls } = await ownDatabases()
      const endpoint = await startMerchantEndpoint({ status: 500 })
      const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url })
      const seeded = await seedCallback(pool, { merchant })
      await pool.query(
        `with step as (update callback_outbox set schedule_step = 14) update callback set attempts = 20`,
      )
      await withCourier({ pool, ...urls, merchants: [merchant] }, async () => {
        await waitUntil('exhausted', async () => (await stateOf(pool, seeded)).state === 'exhausted')
      })
      assert.equal(endpoint.requests.length, 1)
      const { rows } = await pool.query(`select attempt from callback_attempt`)
      assert.deepEqual(rows, [{ attempt: 21 }])
    })

    test('a merchant has no more in flight than its cap, and one that hangs does not stop the others', async () => {
      const { pool, urls } = await ownDatabases()
      const hanging = await startMerchantEndpoint({ hang: true })
      const good = await startMerchantEndpoint({ status: 200, delayMs: 5 })
      const bad = await seedMerchant(pool, { callbackUrl: hanging.url })
      const others = [await seedMerchant(pool), await seedMerchant(pool)]
      await seedCallbacks(pool, repeat(60, { merchant: bad }))
      // So long that none that hangs makes room for another.
      const long = { deadlineMs: 120_000, marginMs: 125_000, leaseMs: 300_000 }
      const tuning = { slots: 32, ...long }
      await withCourier({ pool, ...urls, merchants: [bad, ...others], tuning }, async () => {
        await waitUntil('the cap reached', () => hanging.inFlight === 8)
        await seedCallbacks(
          pool,
          repeat(200, 0).map((_, i) => ({ merchant: others[i % 2]!, notifyUrl: good.url })),
        )
        await waitUntil('all of the others delivered', () => good.requests.length === 200)
        assert.equal(hanging.requests.length, 8)
        assert.equal(hanging.inFlightMax, 8)
        assert.equal(new Set(good.requests.map(request => request.headers['idempotency-key'])).size, 200)
        // Otherwise the courier would wait until their deadline before it stops.
        await hanging.close()
      })
    })

    test("a disabled merchant's callbacks are held, and sent when it is enabled", async () => {
      const { pool, urls } = await ownDatabases()
      const endpoint = await startMerchantEndpoint()
      const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url, disabledAt: new Date() })
      const other = await seedMerchant(pool)
      await withCourier({ pool, ...urls, merchants: [merchant, other] }, async () => {
        const held = await seedCallback(pool, { merchant })
        const passed = await seedCallback(pool, { merchant: other })
        await waitUntil('a later callback sent', async () => (await stateOf(pool, passed)).attempts === 1)
        assert.deepEqual(await stateOf(pool, held), { state: 'held', attempts: 0 })
        await pool.query(`update merchant set disabled_at = null where id = $1`, [merchant.id])
        await waitUntil('delivered', async () => (await stateOf(pool, held)).state === 'delivered')
      })
      assert.equal(endpoint.requests.length, 1)
    })

    test('two couriers share the work and send nothing twice', async () => {
      const { pool, urls } = await ownDatabases()
      const endpoint = await startMerchantEndpoint({ status: 200, delayMs: 2 })
      const merchants: Merchant[] = []
      for (let i = 0; i < 6; i++) merchants.push(await seedMerchant(pool, { callbackUrl: endpoint.url }))
      const options = { pool, ...urls, merchants, tuning: { slots: 16 } }
      await withCourier(options, () =>
        withCourier(options, async () => {
          for (let i = 0; i < 5; i++) {
            await seedCallbacks(
              pool,
              repeat(60, 0).map((_, j) => ({ merchant: merchants[j % 6]! })),
            )
          }
          await waitUntil('all delivered', async () => (await delivered(pool)) === 300)
        }),
      )
      assert.equal(endpoint.requests.length, 300)
    })

    test('a courier that stops finishes what it has begun and releases what it has not', async () => {
      const { pool, urls } = await ownDatabases()
      const endpoint = await startMerchantEndpoint({ status: 200, delayMs: 500 })
      const merchants: Merchant[] = []
      for (let i = 0; i < 4; i++) merchants.push(await seedMerchant(pool, { callbackUrl: endpoint.url }))
      const courier = await openCourier({ pool, ...urls, merchants, tuning: { slots: 20 } })
      await seedCallbacks(
        pool,
        repeat(80, 0).map((_, i) => ({ merchant: merchants[i % 4]! })),
      )
      await waitUntil('some begun', () => endpoint.inFlight >= 10)
      await courier.stop()
      const done = await delivered(pool)
      const { rows } = await pool.query(
        `select state, count(*)::int as n from callback_state group by state order by state`,
      )
      assert.deepEqual(rows, [
        { state: 'delivered', n: done },
        { state: 'due', n: 80 - done },
      ])
      assert.equal(endpoint.requests.length, done)
    })
  })
}

function repeat<T>(count: number, value: T): T[] {
  return Array<T>(count).fill(value)
}

async function delivered(pool: Pool): Promise<number> {
  const { rows } = await pool.query(`select count(*)::int as n from callback_state where state = 'delivered'`)
  return rows[0].n
}
