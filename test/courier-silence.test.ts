import assert from 'node:assert/strict'
import { after, describe, type TestContext, test } from 'node:test'
import { Worker } from 'bullmq'
import { createPool } from '../src/db/pool.ts'
import { startBreakableProxy } from './support/breakable-proxy.ts'
import { cloneDatabase } from './support/database.ts'
import { startMerchantEndpoint } from './support/merchant-endpoint.ts'
import { openCourier, stateOf, withCourier } from './support/open-courier.ts'
import { recordLog } from './support/recorded-log.ts'
import { noRedis, startRedis } from './support/redis.ts'
import { seedCallback } from './support/seed-callback.ts'
import { seedMerchant } from './support/seed-merchant.ts'
import { waitUntil } from './support/wait-until.ts'

/** A statement's deadline of 35 s, and a lease of 30 s. */
const recoveryMs = 90_000

// A firewall or proxy forgets connections: they stay open at our end, and nothing comes any more. New ones work.
for (const backend of ['Postgres', 'Redis'] as const) {
  const skip = backend === 'Redis' && noRedis
  describe(`a courier whose queue is on ${backend}`, { skip }, async () => {
    const redis = backend === 'Redis' && !skip ? await startRedis() : undefined

    test('delivers again when its connections went silent, without a restart', async () => {
      const { pool, url } = await cloneDatabase()
      const proxies = [await startBreakableProxy(url)]
      if (redis) proxies.push(await startBreakableProxy(redis.url))
      const behind = createPool(proxies[0]!.url)
      after(() => behind.end())
      const endpoint = await startMerchantEndpoint({ status: 200, body: 'success' })
      const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url })
      const courier = await openCourier({
        ...{ pool: behind, url: proxies[0]!.url, redisUrl: proxies[1]?.url, merchants: [merchant] },
      })
      after(() => courier.stop())
      const delivered = async () => {
        const seeded = await seedCallback(pool, { merchant })
        await waitUntil(
          'delivered',
          async () => (await stateOf(pool, seeded)).state === 'delivered',
          recoveryMs,
        )
      }
      await delivered()
      await waitUntil('it is working', () => courier.isWorking())
      for (const proxy of proxies) proxy.forget()
      await delivered()
      await waitUntil('it says so', () => courier.isWorking(), recoveryMs)
    })

    test('is not ready while it begins none of its jobs, though all connections answer, and opens the queue anew', async t => {
      const { pool, url } = await cloneDatabase()
      const endpoint = await startMerchantEndpoint({ status: 200, body: 'success' })
      const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url })
      const { log, lines } = recordLog()
      const tuning = { deadlineMs: 2_000, marginMs: 3_000, leaseMs: 6_000, unbegunMaxMs: 1_000 }
      const options = { pool, url, redisUrl: redis?.url, merchants: [merchant], tuning, log }
      await withCourier(options, async courier => {
        const stuck = stickWorkers(t)
        await waitUntil('its worker waits for good', () => stuck.size === 1)
        const seeded = await seedCallback(pool, { merchant })
        await waitUntil('it says so', () => !courier.isWorking())
        assert.equal(endpoint.requests.length, 0)
        await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
        await waitUntil('it is working', () => courier.isWorking())
        assert.equal(endpoint.requests.length, 1)
        assert.equal(lines('queue.rebuilt').length, 1)
      })
    })
  })
}

/** Has the next worker of BullMQ's that fetches wait for good from then on. @returns the workers that do. */
function stickWorkers(t: TestContext): Set<Worker> {
  const { getNextJob } = Worker.prototype
  const stuck = new Set<Worker>()
  t.mock.method(
    Worker.prototype,
    'getNextJob',
    function (this: Worker, ...args: Parameters<typeof getNextJob>) {
      if (stuck.size === 0) stuck.add(this)
      return stuck.has(this) ? new Promise(() => undefined) : getNextJob.apply(this, args)
    },
  )
  return stuck
}
