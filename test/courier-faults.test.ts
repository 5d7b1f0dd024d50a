import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { queueNameOf, queuePrefix } from '../src/callbacks/queue/callback-queue.ts'
import type { Pool } from '../src/db/pool.ts'
import { freePort } from '../src/demo/embedded-database.ts'
import { startCourierProcess } from './support/courier-process.ts'
import { cloneDatabase } from './support/database.ts'
import { type MerchantEndpoint, startMerchantEndpoint } from './support/merchant-endpoint.ts'
import { stateOf, withCourier } from './support/open-courier.ts'
import { recordLog } from './support/recorded-log.ts'
import { noRedis, startRedis } from './support/redis.ts'
import { seedCallback, seedCallbacks } from './support/seed-callback.ts'
import { seedMerchant } from './support/seed-merchant.ts'
import { startTcpProxy } from './support/tcp-proxy.ts'
import { waitUntil } from './support/wait-until.ts'

// Faults of what a courier needs. Whatever fails, every callback is delivered under its one key, and none is sent twice but
// those in flight at the moment of the fault.

describe('a courier', { concurrency: true }, () => {
  describe('with Redis', { skip: noRedis, concurrency: 4 }, () => {
    test('killed and restarted empty, with callbacks due: all are delivered', async () => {
      const { pool, url, endpoint, merchants } = await fourMerchants()
      const port = await freePort()
      const redis = await startRedis(port)
      const { log, lines } = recordLog()
      await withCourier(
        { pool, url, redisUrl: redis.url, merchants, log, tuning: { slots: 10 } },
        async courier => {
          await seedCallbacks(pool, due(merchants, 50))
          await waitUntil('some delivered', () => endpoint.requests.length > 10)
          await redis.stop()
          await seedCallbacks(pool, due(merchants, 50))
          await waitUntil('the outage noticed', () => lines('queue.redis_unreachable').length > 0)
          await waitUntil('not working', () => !courier.isWorking())
          await startRedis(port)
          await waitUntil('all delivered', async () => (await delivered(pool)) === 100)
        },
      )
      // Logged once each, however often it was tried.
      assert.equal(lines('queue.redis_unreachable').length, 1)
      assert.equal(lines('queue.redis_back').length, 1)
      await assertOnce({ endpoint, pool }, 100, 10)
    })

    test('flushed, with thousands due and hundreds enqueued: all are delivered', async () => {
      const { pool, url, endpoint, merchants } = await fourMerchants()
      endpoint.answer = { status: 200 }
      const redis = await startRedis()
      const client = openRedis(redis.url)
      await withCourier({ pool, url, redisUrl: redis.url, merchants, tuning: { slots: 32 } }, async () => {
        await seedCallbacks(pool, due(merchants, 5_000))
        for (const flushedAt of [100, 1_000]) {
          await waitUntil('some delivered', () => endpoint.requests.length > flushedAt)
          await client.flushall()
        }
        const all = async () => (await delivered(pool)) === 5_000
        await waitUntil('all delivered', all, 120_000, 250)
      })
      await assertOnce({ endpoint, pool }, 5_000, 0)
    })

    test('absent when the courier starts: it starts, and delivers when Redis is there', async () => {
      const { pool, url, endpoint, merchants } = await fourMerchants()
      const port = await freePort()
      await withCourier({ pool, url, redisUrl: `redis://127.0.0.1:${port}`, merchants }, async () => {
        const seeded = await seedCallback(pool, due(merchants, 1)[0]!)
        await waitUntil('polled', async () => (await stateOf(pool, seeded)).state === 'due')
        await startRedis(port)
        await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
      })
      await assertOnce({ endpoint, pool }, 1, 0)
    })

    test('accepting connections without answering for a while: all are delivered afterwards', async () => {
      const { pool, url, endpoint, merchants } = await fourMerchants()
      const port = await freePort()
      await startRedis(port)
      const proxy = await startTcpProxy(port)
      const redisUrl = `redis://127.0.0.1:${proxy.port}`
      const { log, lines } = recordLog()
      await withCourier({ pool, url, redisUrl, merchants, log, tuning: { slots: 10 } }, async () => {
        await seedCallbacks(pool, due(merchants, 50))
        await waitUntil('some delivered', () => endpoint.requests.length > 10)
        proxy.stall()
        await seedCallbacks(pool, due(merchants, 50))
        await waitUntil('the outage noticed', () => lines('courier.leasing_failed').length > 0)
        proxy.resume()
        await waitUntil('all delivered', async () => (await delivered(pool)) === 100)
      })
      await assertOnce({ endpoint, pool }, 100, 10)
    })

    test('out of memory for a while: all are delivered afterwards', async () => {
      const { pool, url, endpoint, merchants } = await fourMerchants()
      const redis = await startRedis()
      const client = openRedis(redis.url)
      const { log, lines } = recordLog()
      const options = { pool, url, redisUrl: redis.url, merchants, log, tuning: { slots: 10 } }
      await withCourier(options, async courier => {
        await waitUntil('working', courier.isWorking)
        await client.config('SET', 'maxmemory', '1')
        await seedCallbacks(pool, due(merchants, 50))
        await waitUntil('a lease released', async () => {
          const { rows } = await pool.query(
            `select count(*)::int as n from callback_outbox where state = 'due' and lease_epoch > 0`,
          )
          return rows[0].n > 0
        })
        assert.equal(endpoint.requests.length, 0)
        await waitUntil('not working', () => !courier.isWorking())
        await client.config('SET', 'maxmemory', '0')
        await waitUntil('all delivered', async () => (await delivered(pool)) === 50)
        await waitUntil('working', courier.isWorking)
        // Logged once each, however often it was tried.
        assert.equal(lines('courier.leasing_failed').length, 1)
        assert.equal(lines('courier.leasing_again').length, 1)
      })
      await assertOnce({ endpoint, pool }, 50, 0)
    })

    test('allowed to evict keys: one line of the log says so, and nothing else does', async t => {
      const { pool, url, endpoint, merchants } = await fourMerchants()
      const redis = await startRedis()
      await openRedis(redis.url).config('SET', 'maxmemory-policy', 'allkeys-lru')
      const { log, lines } = recordLog()
      const printed = t.mock.method(console, 'warn', () => undefined)
      await withCourier({ pool, url, redisUrl: redis.url, merchants, log }, async () => {
        await seedCallbacks(pool, due(merchants, 4))
        await waitUntil('all delivered', async () => (await delivered(pool)) === 4)
      })
      await assertOnce({ endpoint, pool }, 4, 0)
      assert.deepEqual(
        lines('queue.redis_may_evict').map(line => line.policy),
        ['allkeys-lru'],
      )
      assert.equal(printed.mock.callCount(), 0)
    })

    test('handing out old jobs: what was delivered is not sent again, and foreign jobs are dropped', async () => {
      const { pool, url, endpoint, merchants } = await fourMerchants()
      const redis = await startRedis()
      const client = openRedis(redis.url)
      const queue = new Queue(await queueNameOf(pool), { connection: client, prefix: queuePrefix })
      const old = (id: string, epoch: string) => ({ name: 'send', data: { leases: `${id}-${epoch}` } })
      await withCourier({ pool, url, redisUrl: redis.url, merchants }, async () => {
        const seeded = await seedCallback(pool, due(merchants, 1)[0]!)
        await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
        const id = `${seeded.callbackId}`
        const jobs = [
          old(id, '1'),
          old(id, '0'),
          old('4711', '1'),
          old('x', 'y'),
          old(id, '1e9'),
          old('-1', '1'),
        ]
        await queue.addBulk(jobs)
        await waitUntil(
          'the old jobs gone',
          async () => (await queue.getJobCountByTypes('wait', 'active')) === 0,
        )
        await seedCallback(pool, due(merchants, 1)[0]!)
        await waitUntil('the next delivered', async () => (await delivered(pool)) === 2)
      })
      await queue.close()
      await assertOnce({ endpoint, pool }, 2, 0)
    })

    test('shared by two gateways: each delivers its own callbacks', async () => {
      const [one, other] = [await fourMerchants(), await fourMerchants()]
      const { url: redisUrl } = await startRedis()
      await withCourier({ ...one, redisUrl }, () =>
        withCourier({ ...other, redisUrl }, async () => {
          await seedCallbacks(one.pool, due(one.merchants, 40))
          await seedCallbacks(other.pool, due(other.merchants, 40))
          await waitUntil('all of one', async () => (await delivered(one.pool)) === 40)
          await waitUntil('all of the other', async () => (await delivered(other.pool)) === 40)
        }),
      )
      await assertOnce(one, 40, 0)
      await assertOnce(other, 40, 0)
    })
  })

  for (const backend of ['Postgres', 'Redis'] as const) {
    const skip = backend === 'Redis' && noRedis
    describe(`with the queue on ${backend}`, { skip, concurrency: true }, () => {
      const redisUrlOf = async () => (backend === 'Redis' ? (await startRedis()).url : undefined)

      test('a courier killed while it sends, twice: sent again each time under the same lease and key', async () => {
        const { pool, url, endpoint, merchants } = await fourMerchants()
        const redisUrl = await redisUrlOf()
        endpoint.answer = (_, nth) => (nth <= 2 ? { hang: true } : { status: 200 })
        const seeded = await seedCallback(pool, due(merchants, 1)[0]!)
        // So long that only the queue, which gives out the jobs of dead couriers, can be the reason that it is sent again.
        const tuning = { leaseMs: 600_000 }
        for (let kills = 0; kills < 2; kills++) {
          const courier = await startCourierProcess({ url, redisUrl, merchants, tuning })
          await waitUntil('a request', () => endpoint.requests.length === kills + 1)
          courier.kill('SIGKILL')
        }
        await withCourier({ pool, url, redisUrl, merchants, tuning }, async () => {
          await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered')
        })
        assert.deepEqual(
          endpoint.requests.map(request => request.headers['idempotency-key']),
          [seeded.key, seeded.key, seeded.key],
        )
      })

      test('a courier suspended until its leases have run out: what it had begun is not counted, what it had not is not sent', async () => {
        const { pool, url, endpoint, merchants } = await fourMerchants()
        const redisUrl = await redisUrlOf()
        // The courier is suspended with the first callbacks in flight. They are answered from then on.
        let answer = () => {}
        const after = new Promise<void>(resolve => {
          answer = resolve
        })
        endpoint.answer = { status: 200, after }
        const tuning = { slots: 4, deadlineMs: 10_000, marginMs: 13_000, leaseMs: 16_000 }
        // A merchant's come together, so that it holds its share of the slots, and the rest of its callbacks wait for them.
        await seedCallbacks(
          pool,
          merchants.flatMap(merchant => due([merchant], 6)),
        )
        const suspended = await startCourierProcess({ url, redisUrl, merchants, tuning })
        await waitUntil('its slots full', () => endpoint.inFlight === 4)
        suspended.kill('SIGSTOP')
        answer()
        await waitUntil('its leases run out', async () => (await leased(pool)) === 0)
        await withCourier({ pool, url, redisUrl, merchants, tuning }, async () => {
          await waitUntil('all delivered', async () => (await delivered(pool)) === 24)
        })
        await assertOnce({ endpoint, pool }, 24, 4)
        const [callbacks, known, sent] = [
          await allCallbacks(pool),
          await attempts(pool),
          endpoint.requests.length,
        ]
        suspended.kill('SIGCONT')
        // Its results are written into the history, and change nothing else.
        await waitUntil('its results', async () => (await attempts(pool)) === known + 4)
        assert.deepEqual(await allCallbacks(pool), callbacks)
        // One of each merchant: they come after what it had not begun.
        const last = await seedCallbacks(pool, due(merchants, 4))
        await waitUntil('the last delivered', async () => (await delivered(pool)) === 28)
        suspended.kill('SIGKILL')
        assert.deepEqual(
          new Set(endpoint.requests.slice(sent).map(request => request.headers['idempotency-key'])),
          new Set(last.map(({ key }) => key)),
        )
      })

      test('every connection to Postgres cut while callbacks are sent: all are delivered', async () => {
        const { pool, url, endpoint, merchants } = await fourMerchants()
        const redisUrl = await redisUrlOf()
        await withCourier({ pool, url, redisUrl, merchants, tuning: { slots: 10 } }, async () => {
          await seedCallbacks(pool, due(merchants, 100))
          await waitUntil('some delivered', () => endpoint.requests.length > 10)
          await pool.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()`,
          )
          await waitUntil('all delivered', async () => (await delivered(pool)) === 100)
        })
        await assertOnce({ endpoint, pool }, 100, 10)
      })
    })
  }
})

/** A client to break Redis with, closed when its test is done. */
function openRedis(url: string): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: null })
  client.on('error', () => undefined) // A test may stop its server.
  after(() => client.disconnect())
  return client
}

/** Four merchants, and the one endpoint that all of their callbacks go to. */
async function fourMerchants() {
  const { pool, url } = await cloneDatabase()
  const endpoint = await startMerchantEndpoint({ status: 200, delayMs: 10 })
  const merchants = []
  for (let i = 0; i < 4; i++) merchants.push(await seedMerchant(pool, { callbackUrl: endpoint.url }))
  return { pool, url, endpoint, merchants }
}

function due<M>(merchants: readonly M[], count: number): { merchant: M }[] {
  return Array.from({ length: count }, (_, i) => ({ merchant: merchants[i % merchants.length]! }))
}

async function delivered(pool: Pool): Promise<number> {
  const { rows } = await pool.query(`select count(*)::int as n from callback_state where state = 'delivered'`)
  return rows[0].n
}

async function leased(pool: Pool): Promise<number> {
  const { rows } = await pool.query(
    `select count(*)::int as n from callback_outbox where leased_until > now()`,
  )
  return rows[0].n
}

async function allCallbacks(pool: Pool): Promise<object[]> {
  const { rows } = await pool.query(`select * from callback order by id`)
  return rows
}

async function attempts(pool: Pool): Promise<number> {
  const { rows } = await pool.query(`select count(*)::int as n from callback_attempt`)
  return rows[0].n
}

/** Asserts that every key arrived, and none twice, except because of the fault or after an attempt that timed out. */
async function assertOnce(
  { endpoint, pool }: { endpoint: MerchantEndpoint; pool: Pool },
  callbacks: number,
  twiceAtMost: number,
): Promise<void> {
  const { rows } = await pool.query(
    `select count(*)::int as n from callback_attempt where outcome = 'timeout'`,
  )
  const keys = endpoint.requests.map(request => request.headers['idempotency-key'])
  assert.equal(new Set(keys).size, callbacks)
  assert(keys.length <= callbacks + twiceAtMost + rows[0].n, `${keys.length - callbacks} sent twice`)
}
