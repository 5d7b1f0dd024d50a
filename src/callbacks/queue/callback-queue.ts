import { Queue } from 'bullmq'
import type { Logger } from '../../base/log.ts'
import { usualConnections } from '../../db/connection-shares.ts'
import { databaseIdOf } from '../../db/database-id.ts'
import type { Queryable } from '../../db/pool.ts'
import type { HandedLease } from '../outbox/lease.ts'
import { consumeJobs } from './job-consumer.ts'
import { isUnusable, openPostgresBackend, openRedisBackend, type QueueBackend } from './queue-backend.ts'
import { type JobData, jobData, jobSize, type QueuedJob } from './queued-job.ts'
import type { Slots } from './slots.ts'

/** Hands leases to couriers. It holds copies of what is in Postgres, and may lose them at any time. */
export interface CallbackQueue {
  /** Whether it can be reached now. */
  isReady(): boolean
  /** @returns how many jobs no courier has begun. */
  waiting(): Promise<number>
  /** @throws when the queue may not have taken all of them. */
  add(jobs: readonly QueuedJob[]): Promise<void>
  /** @returns those of the jobs that the queue does not know: they are over, or were lost with it. */
  missing(jobIds: readonly string[]): Promise<string[]>
  /** @returns whether one of the jobs waits to be begun by any courier. */
  anyWaiting(jobIds: readonly string[]): Promise<boolean>
  /** For how long it has had room for a job, and begun none, in ms. */
  begunNoneMs(): number
  /** Opens new connections in place of those it has, whatever those wait for. What has begun goes on. */
  rebuild(): void
  /** Takes jobs back that no courier has begun. @returns those taken back. */
  withdraw(jobIds: readonly string[]): Promise<string[]>
  /** Begins no further job. */
  pause(): void
  /** Closes the connections. Call it when no lease is being handled. */
  close(): Promise<void>
}

/** The prefix of the queue's keys in Redis. */
export const queuePrefix = 'recharge-gateway'

/**
 * Opens the queue, on Redis or on Postgres, and handles its jobs from then on. Both backends run the same code.
 * @param name from `queueNameOf`.
 * @param slots jobs are fetched while one is free. It is for `handle` to take one.
 * @param handedMax the most leases handed out at once, in a slot or waiting for one; a job may exceed it.
 * @param handle when it throws, the lease is left to run out, and its callback is leased again.
 */
export function openQueue(options: {
  name: string
  redisUrl: string | undefined
  databaseUrl: string
  /** To Postgres, when the queue is there. */
  connectionsMax?: number | undefined
  slots: Slots
  handedMax: number
  handle: (lease: HandedLease) => Promise<void>
  log: Logger
}): CallbackQueue {
  const { name, log, slots, handedMax, handle } = options
  const openBackend = () =>
    options.redisUrl
      ? openRedisBackend(options.redisUrl, log)
      : openPostgresBackend(options.databaseUrl, options.connectionsMax ?? usualConnections.queue)
  let backend = openBackend()
  let replaced: Promise<unknown> = Promise.resolve()
  let queue = openProducer(name, backend, log)
  const consumer = consumeJobs({
    name,
    prefix: queuePrefix,
    backend,
    slots,
    handedMax,
    jobSize: jobSize(slots.count),
    handle,
    log,
  })
  return {
    isReady: () => backend.isReady(),
    waiting: () => queue.getWaitingCount(),
    add: async jobs => {
      try {
        await queue.addBulk(
          jobs.map(({ id, leases }) => ({ name: 'send', data: jobData(leases), opts: { jobId: id } })),
        )
      } catch (error) {
        if (await isUnusable(queue)) {
          void queue.close().catch(() => undefined) // It never was open.
          queue = openProducer(name, backend, log)
        }
        throw error
      }
    },
    missing: jobIds => jobsWhere(jobIds, async id => (await queue.getJobState(id)) === 'unknown'),
    anyWaiting: async jobIds =>
      (await jobsWhere(jobIds, async id => (await queue.getJobState(id)) === 'waiting')).length > 0,
    begunNoneMs: consumer.fetchedNoneMs,
    rebuild: () => {
      const former = { queue, backend }
      backend = openBackend()
      queue = openProducer(name, backend, log)
      const closing = consumer.rebuild(backend).then(() => former.queue.close())
      const closed = closeBackend(former.backend, closing).catch(err => log.debug({ err }, 'queue.error'))
      replaced = Promise.all([replaced, closed])
    },
    withdraw: jobIds => jobsWhere(jobIds, async id => (await queue.remove(id)) === 1),
    pause: consumer.pause,
    close: async () => {
      await closeBackend(
        backend,
        consumer.close().then(() => queue.close()),
      )
      await replaced
    },
  }
}

function openProducer(name: string, backend: QueueBackend, log: Logger): Queue<JobData> {
  const queue = new Queue<JobData>(
    name,
    {
      connection: backend.producer,
      prefix: queuePrefix,
      // Postgres keeps the history. A finished job that stayed in the queue would only block its id.
      defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
      streams: { events: { maxLen: 0 } },
    },
    backend.factory,
  )
  queue.on('error', err => log.debug({ err }, 'queue.error'))
  return queue
}

async function jobsWhere(
  jobIds: readonly string[],
  test: (jobId: string) => Promise<boolean>,
): Promise<string[]> {
  const passed = await Promise.all(jobIds.map(test))
  return jobIds.filter((_, i) => passed[i])
}

/** How long BullMQ may take to close. Without its server it never finishes. */
const closeWithinMs = 2_000

/** Closes its connections, once what uses them is closed or does not come to its end. */
async function closeBackend(backend: QueueBackend, closing: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>(resolve => {
    timer = setTimeout(resolve, backend.isReady() ? closeWithinMs : 0)
  })
  // What fails to close ends with its connections.
  await Promise.race([closing.catch(() => undefined), timeout])
  clearTimeout(timer)
  await backend.close()
}

/** Names this database's queue, so that a courier never drops the jobs of another gateway on the same Redis as foreign. */
export async function queueNameOf(db: Queryable): Promise<string> {
  return `callbacks-${await databaseIdOf(db)}`
}
