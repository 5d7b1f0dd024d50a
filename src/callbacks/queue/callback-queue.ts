import { Queue } from 'bullmq'
import type { Logger } from '../../base/log.ts'
import { databaseIdOf } from '../../db/database-id.ts'
import type { Queryable } from '../../db/pool.ts'
import type { Lease } from '../outbox/lease.ts'
import { leaseKey } from '../outbox/lease.ts'
import { consumeJobs, type JobConsumer } from './job-consumer.ts'
import { isUnusable, openPostgresBackend, openRedisBackend, type QueueBackend } from './queue-backend.ts'
import { divideIntoJobs, type JobData, jobData, jobSize } from './queued-job.ts'

/** Wake-up jobs for couriers: what is in it is a copy of leases, and may be lost at any time. */
export interface CallbackQueue {
  /** Whether it can be reached now. */
  isReady(): boolean
  /** About how many leases are in jobs that no courier has begun. */
  waiting(): Promise<number>
  /** @throws when they may not all have been taken. */
  add(leases: readonly Lease[]): Promise<void>
  /** @returns those added here whose job the queue does not know any more: done, or lost with it. */
  missing(leases: readonly Lease[]): Promise<Lease[]>
  /** Takes back jobs that nobody has begun. @returns the leases that could be taken back. */
  withdraw(leases: readonly Lease[]): Promise<Lease[]>
  /** Begins no further job. */
  pause(): Promise<void>
  /** To be called when no job is in hand any more. */
  close(): Promise<void>
}

/** Before all of our keys in Redis. */
export const queuePrefix = 'recharge-gateway'

/**
 * Opens the queue, on Redis or on Postgres, and handles its jobs from then on: one code path for both.
 * @param name from `queueNameOf`.
 * @param slots leases handled at once at the most.
 * @param handle never throws for what an endpoint does; when it throws, the lease runs out and another epoch begins.
 */
export function openQueue(options: {
  name: string
  redisUrl: string | undefined
  databaseUrl: string
  slots: number
  handle: (lease: Lease) => Promise<void>
  log: Logger
}): CallbackQueue {
  const { name, log, slots } = options
  const backend = options.redisUrl
    ? openRedisBackend(options.redisUrl, log)
    : openPostgresBackend(options.databaseUrl, log)
  let queue = openProducer(name, backend, log)
  const size = jobSize(slots)
  // The job that each lease went out in, until it is begun here or found to be over.
  const jobOf = new Map<string, string>()
  const handle = (lease: Lease) => {
    jobOf.delete(leaseKey(lease))
    return options.handle(lease)
  }
  const consumer = consumeJobs({ name, prefix: queuePrefix, backend, slots, jobSize: size, handle, log })
  const settle = async (leases: readonly Lease[], isOver: (jobId: string) => Promise<boolean>) => {
    const over = await leasesWhere(leases, jobOf, isOver)
    for (const lease of over) jobOf.delete(leaseKey(lease))
    return over
  }
  return {
    isReady: backend.isReady,
    waiting: async () => {
      const jobs = await queue.getWaitingCount()
      // Others' jobs are about as large as ours.
      return jobs === 0 ? 0 : Math.ceil((jobs * jobOf.size) / Math.max(1, new Set(jobOf.values()).size))
    },
    add: async leases => {
      const jobs = divideIntoJobs(leases, size).map(together => ({ id: leaseKey(together[0]!), together }))
      for (const { id, together } of jobs) for (const lease of together) jobOf.set(leaseKey(lease), id)
      try {
        await queue.addBulk(
          jobs.map(({ id, together }) => ({
            name: 'send',
            data: jobData(together),
            opts: { jobId: `cb-${id}` },
          })),
        )
      } catch (error) {
        for (const lease of leases) jobOf.delete(leaseKey(lease))
        if (await isUnusable(queue)) {
          void queue.close().catch(() => undefined) // It never was open.
          queue = openProducer(name, backend, log)
        }
        throw error
      }
    },
    missing: leases => settle(leases, async id => (await queue.getJobState(`cb-${id}`)) === 'unknown'),
    withdraw: leases => settle(leases, async id => (await queue.remove(`cb-${id}`)) === 1),
    pause: async () => consumer.pause(),
    close: () => closeQueue(queue, consumer, backend),
  }
}

function openProducer(name: string, backend: QueueBackend, log: Logger): Queue<JobData> {
  const queue = new Queue<JobData>(
    name,
    {
      connection: backend.producer,
      prefix: queuePrefix,
      // History is Postgres'; a finished job that stayed would only be an id that cannot be used again.
      defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
      streams: { events: { maxLen: 0 } },
    },
    backend.factory,
  )
  queue.on('error', error => log.debug({ error: error.message }, 'queue.error'))
  return queue
}

/** Those of the leases whose job is as asked; each job is asked after once. */
async function leasesWhere(
  leases: readonly Lease[],
  jobOf: ReadonlyMap<string, string>,
  test: (jobId: string) => Promise<boolean>,
): Promise<Lease[]> {
  const ids = [...new Set(leases.map(lease => jobOf.get(leaseKey(lease))))].filter(id => id !== undefined)
  const results = new Map(await Promise.all(ids.map(async id => [id, await test(id)] as const)))
  return leases.filter(lease => results.get(jobOf.get(leaseKey(lease)) ?? ''))
}

/** How long BullMQ may take over its goodbyes; without its server it never finishes them. */
const closeWithinMs = 2_000

async function closeQueue(queue: Queue, consumer: JobConsumer, backend: QueueBackend): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const cut = new Promise<void>(resolve => {
    timer = setTimeout(resolve, backend.isReady() ? closeWithinMs : 0)
  })
  await Promise.race([consumer.close().then(() => queue.close()), cut])
  clearTimeout(timer)
  await backend.close()
}

/** The name of this database's queue: another gateway's jobs, were they in one Redis, would be dropped as not theirs. */
export async function queueNameOf(db: Queryable): Promise<string> {
  return `callbacks-${await databaseIdOf(db)}`
}
