import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { Redis } from 'ioredis'
import type { CallbackId, MerchantId } from '../../../src/base/ids.ts'
import { createLog } from '../../../src/base/log.ts'
import type { HandedLease } from '../../../src/callbacks/outbox/lease.ts'
import { type CallbackQueue, openQueue } from '../../../src/callbacks/queue/callback-queue.ts'
import {
  divideIntoJobs,
  type EnqueuedLease,
  jobData,
  jobSize,
  type QueuedJob,
  readJob,
} from '../../../src/callbacks/queue/queued-job.ts'
import { createSlots } from '../../../src/callbacks/queue/slots.ts'
import { startBreakableProxy } from '../../support/breakable-proxy.ts'
import { cloneDatabase } from '../../support/database.ts'
import { noRedis, startRedis } from '../../support/redis.ts'
import { waitUntil } from '../../support/wait-until.ts'

test('leases are divided into jobs of about the same size, none larger than allowed, each lease in one', () => {
  for (const [count, size, sizes] of [
    [1, 32, [1]],
    [32, 32, [32]],
    [33, 32, [16, 17]],
    [100, 32, [25, 25, 25, 25]],
    [3, 1, [1, 1, 1]],
    [0, 32, []],
  ] as const) {
    const jobs = divideIntoJobs(leasesOf(count), size)
    assert.deepEqual(
      jobs.map(job => job.leases.length),
      sizes,
    )
    assert.deepEqual(
      jobs.flatMap(job => job.leases),
      leasesOf(count),
    )
  }
})

test('a job takes at most an eighth of the slots', () => {
  assert.deepEqual([256, 4096, 10, 1].map(jobSize), [32, 64, 1, 1])
})

test('a job is read as it was written, with ids and epochs too large for a JSON number', () => {
  const leases = [
    { id: 1n as CallbackId, epoch: 2n, merchantId: 3n as MerchantId },
    {
      id: 999_999_999_999_999_999n as CallbackId,
      epoch: 9_007_199_254_740_993n,
      merchantId: 999_999_999_999_999_999n as MerchantId,
    },
  ]
  assert.deepEqual(readJob(JSON.parse(JSON.stringify(jobData(leases)))), leases)
})

test('a job of an earlier version, or one whose merchants do not fit, is read without merchants; its leases count', () => {
  for (const merchants of [undefined, '', 5, '1', '1 2 3', '1 x', '-1 2', `1 ${'9'.repeat(19)}`]) {
    const read = readJob({ leases: '1-7 2-7', ...(merchants !== undefined && { merchants }) })
    const nobody = { epoch: 7n, merchantId: null }
    assert.deepEqual(
      read,
      [
        { id: 1n, ...nobody },
        { id: 2n, ...nobody },
      ],
      `${merchants}`,
    )
  }
})

test('a courier of an earlier version reads the leases of a job where it expects them', () => {
  assert.equal(jobData(leasesOf(2)).leases, '0-7 1-7')
})

test('foreign data is not read as a job', () => {
  for (const data of [
    null,
    'x',
    {},
    { leases: '' },
    { leases: 1 },
    { leases: '1' },
    { leases: '1-' },
    { leases: '1-1 ' },
    { leases: '1-1,2-1' },
    { leases: '-1-1' },
    { leases: '1e9-1' },
    { leases: '1-1 x' },
    { leases: `${'9'.repeat(19)}-1` },
    { id: '1', epoch: '1' },
  ]) {
    assert.equal(readJob(data), null, JSON.stringify(data))
  }
})

for (const backend of ['Postgres', 'Redis'] as const) {
  const skip = backend === 'Redis' && noRedis
  describe(`a queue on ${backend}`, { skip, concurrency: true }, () => {
    test('handles every lease once, and never more at once than there are slots', async () => {
      const handled: bigint[] = []
      let now = 0
      let most = 0
      const { queue } = await open(backend, 16, async ({ id }) => {
        most = Math.max(most, ++now)
        await new Promise(resolve => setImmediate(resolve))
        now--
        handled.push(id)
      })
      await queue.add(jobsOf(100, 16))
      await waitUntil('all handled', () => handled.length >= 100)
      assert.equal(new Set(handled).size, 100)
      assert.equal(handled.length, 100)
      assert(most <= 16, `${most} at once`)
      await waitUntil('none waiting', async () => (await queue.waiting()) === 0)
    })

    test('a slow lease delays neither the others of its job nor the next jobs', async () => {
      const handled: bigint[] = []
      let finish = () => {}
      const slow = new Promise<void>(resolve => {
        finish = resolve
      })
      // Jobs of two: lease 0 shares one.
      const { queue } = await open(backend, 16, async ({ id }) => {
        if (id === 0n) await slow
        handled.push(id)
      })
      await queue.add(jobsOf(40, 16))
      await waitUntil('all others', () => handled.length === 39)
      assert(!handled.includes(0n))
      finish()
      await waitUntil('the slow one', () => handled.length === 40)
    })

    test('when handling a lease throws, the others are still handled', async () => {
      const handled: bigint[] = []
      const { queue } = await open(backend, 16, async ({ id }) => {
        if (id % 2n === 0n) throw new Error('no')
        handled.push(id)
      })
      await queue.add(jobsOf(20, 16))
      await waitUntil('those with odd ids', () => handled.length === 10)
    })

    test('jobs that have not begun can be taken back; those that have cannot', async () => {
      let finish = () => {}
      const slow = new Promise<void>(resolve => {
        finish = resolve
      })
      const begun: bigint[] = []
      const { queue } = await open(backend, 2, async ({ id }) => {
        begun.push(id)
        await slow
      })
      const jobs = jobsOf(6, 2)
      await queue.add(jobs)
      await waitUntil('two begun', () => begun.length === 2)
      assert.equal(await queue.waiting(), 4)
      queue.pause()
      const back = leasesIn(await queue.withdraw(idsOf(jobs)), jobs)
      assert.deepEqual([...back, ...begun].sort(), [0n, 1n, 2n, 3n, 4n, 5n])
      finish()
    })
  })
}

test('a queue whose database could not be reached at first works once it can', async () => {
  const database = await cloneDatabase()
  const proxy = await startBreakableProxy(database.url)
  await proxy.cut()
  const handled: bigint[] = []
  const queue = openQueue({
    name: 'callbacks-test',
    redisUrl: undefined,
    databaseUrl: proxy.url,
    slots: createSlots(16),
    handedMax: 32,
    handle: async ({ id }) => void handled.push(id),
    log: createLog('silent', 'test'),
  })
  after(async () => {
    queue.pause()
    await queue.close()
  })
  await assert.rejects(queue.add(jobsOf(4, 16)))
  await proxy.restore()
  await waitUntil('it takes leases', () =>
    queue.add(jobsOf(4, 16)).then(
      () => true,
      () => false,
    ),
  )
  await waitUntil('all handled', () => new Set(handled).size === 4)
})

describe('a queue on Redis', { skip: noRedis }, () => {
  test('names the jobs that were lost when it was flushed', async () => {
    const { queue, redisUrl } = await open('Redis', 1, async () => new Promise(() => undefined))
    const jobs = jobsOf(4, 1)
    await queue.add(jobs)
    await waitUntil('one begun', async () => (await queue.waiting()) === 3)
    assert.deepEqual(await queue.missing(idsOf(jobs)), [])
    const client = new Redis(redisUrl!)
    await client.flushall()
    client.disconnect()
    assert.deepEqual(await queue.missing(idsOf(jobs)), idsOf(jobs))
  })
})

/** Of ten merchants in turn. */
function leasesOf(count: number): EnqueuedLease[] {
  return Array.from({ length: count }, (_, id) => ({
    id: BigInt(id) as CallbackId,
    epoch: 7n,
    merchantId: BigInt(id % 10) as MerchantId,
  }))
}

function jobsOf(count: number, slots: number): QueuedJob[] {
  return divideIntoJobs(leasesOf(count), jobSize(slots))
}

function idsOf(jobs: readonly QueuedJob[]): string[] {
  return jobs.map(job => job.id)
}

function leasesIn(jobIds: readonly string[], jobs: readonly QueuedJob[]): bigint[] {
  return jobs.filter(job => jobIds.includes(job.id)).flatMap(job => job.leases.map(lease => lease.id))
}

async function open(
  backend: 'Postgres' | 'Redis',
  count: number,
  handle: (lease: HandedLease) => Promise<void>,
): Promise<{ queue: CallbackQueue; redisUrl: string | undefined }> {
  const { url: databaseUrl } = await cloneDatabase()
  const redisUrl = backend === 'Redis' ? (await startRedis()).url : undefined
  const slots = createSlots(count)
  const queue = openQueue({
    name: 'callbacks-test',
    redisUrl,
    databaseUrl,
    slots,
    handedMax: 2 * count,
    handle: lease => slots.use(lease.merchantId, () => handle(lease)),
    log: createLog('silent', 'test'),
  })
  after(async () => {
    queue.pause()
    await queue.close()
  })
  await waitUntil('the queue', queue.isReady)
  return { queue, redisUrl }
}
