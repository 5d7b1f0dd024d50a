import { after, describe, test } from 'node:test'
import { createPool } from '../src/db/pool.ts'
import { startBreakableProxy } from './support/breakable-proxy.ts'
import { cloneDatabase } from './support/database.ts'
import { startMerchantEndpoint } from './support/merchant-endpoint.ts'
import { openCourier, stateOf } from './support/open-courier.ts'
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
  })
}
