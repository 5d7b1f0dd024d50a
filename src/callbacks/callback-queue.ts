import { type Job, Queue, Worker } from 'bullmq'
import type { Logger } from '../base/log.ts'
import type { Lease } from './lease-store.ts'
import { openPostgresBackend, openRedisBackend, type QueueBackend } from './queue-backend.ts'

/** Wake-up calls for couriers: what is in it is a copy of leases, and may be lost at any time. */
export interface CallbackQueue {
  /** Whether it can be reached now. */
  isReady(): boolean
  /** Calls that no courier has begun. */
  waiting(): Promise<number>
  /** @throws when they may not all have been taken. */
  add(leases: readonly Lease[]): Promise<void>
  /** @returns those that the queue does not know any more: done, or lost with it. */
  missing(leases: readonly Lease[]): Promise<Lease[]>
  /** Takes back calls that nobody has begun. @returns those that could be taken back. */
  withdraw(leases: readonly Lease[]): Promise<Lease[]>
  /** Begins no further call. */
  pause(): Promise<void>
  /** To be called when no call is in hand any more. */
  close(): Promise<void>
}

/** A job's data: text, since neither JSON nor Lua has our integers. */
interface LeaseData {
  id: string
  epoch: string
}

/** Before all of our keys in Redis. */
export const queuePrefix = 'recharge-gateway'

/**
 * Opens the queue, on Redis or on Postgres, and handles its calls from then on: one code path for both.
 * @param name from `queueNameOf`.
 * @param slots calls handled at once at the most.
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
  const { name, log, slots, handle } = options
  const backend = options.redisUrl
    ? openRedisBackend(options.redisUrl, log)
    : openPostgresBackend(options.databaseUrl, log)
  const queue = new Queue<LeaseData>(
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
  const workers = Array.from({ length: Math.ceil(slots / workerSlotsMax) }, () =>
    startWorker(name, backend, Math.min(slots, workerSlotsMax), job => handleJob(job, handle, log)),
  )
  // Outages are told by the backend, once. What else is reported here (a job that vanished with a flushed Redis, say)
  // is the queue's own trouble: the debt is in Postgres.
  queue.on('error', error => log.debug({ error: error.message }, 'queue.error'))
  for (const worker of workers)
    worker.on('error', error => log.debug({ error: error.message }, 'queue.error'))
  return {
    isReady: backend.isReady,
    waiting: () => queue.getWaitingCount(),
    add: async leases => {
      await queue.addBulk(leases.map(jobOf))
    },
    missing: leases =>
      filterAsync(leases, async lease => (await queue.getJobState(jobId(lease))) === 'unknown'),
    withdraw: leases => filterAsync(leases, async lease => (await queue.remove(jobId(lease))) === 1),
    pause: async () => {
      await Promise.all(workers.map(worker => worker.pause(true)))
    },
    close: () => closeQueue(queue, workers, backend),
  }
}

/**
 * A BullMQ worker with free slots fetches jobs one after the other until they are full, and only then begins the first.
 * Several small ones fetch side by side.
 */
const workerSlotsMax = 64

function startWorker(
  name: string,
  backend: QueueBackend,
  slots: number,
  work: (job: Job<LeaseData>) => Promise<void>,
): Worker<LeaseData> {
  const settings = {
    connection: backend.consumer,
    prefix: queuePrefix,
    concurrency: slots,
    // A killed courier's calls come back within 10 s, however often it is killed. The lock renews itself while a call
    // takes its time, so it need not outlast the send.
    lockDuration: 8_000,
    stalledInterval: 1_000,
    maxStalledCount: 1_000_000,
    // How long a ring may go unheard (one that another courier heard as it stopped), and how soon it is tried again
    // after an outage: 5 s and 15 s by default.
    drainDelay: 1,
    runRetryDelay: 500,
  }
  return new Worker<LeaseData>(name, work, settings, backend.factory)
}

/** An id of its own for every epoch: the queue silently ignores an id it has, in whatever state. */
export function jobId(lease: Lease): string {
  return `cb-${lease.id}-${lease.epoch}`
}

function jobOf(lease: Lease) {
  const data: LeaseData = { id: `${lease.id}`, epoch: `${lease.epoch}` }
  return { name: 'send', data, opts: { jobId: jobId(lease) } }
}

async function handleJob(
  job: Job<LeaseData>,
  handle: (lease: Lease) => Promise<void>,
  log: Logger,
): Promise<void> {
  const { id, epoch } = job.data
  const number = /^\d{1,18}$/
  if (number.test(id) && number.test(epoch)) await handle({ id: BigInt(id), epoch: BigInt(epoch) })
  else log.warn({ jobId: job.id }, 'queue.foreign_job')
}

async function filterAsync(
  leases: readonly Lease[],
  test: (lease: Lease) => Promise<boolean>,
): Promise<Lease[]> {
  const passed = await Promise.all(leases.map(test))
  return leases.filter((_, i) => passed[i])
}

/** How long BullMQ may take over its goodbyes; without its server it never finishes them. */
const closeWithinMs = 2_000

async function closeQueue(queue: Queue, workers: readonly Worker[], backend: QueueBackend): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const cut = new Promise<void>(resolve => {
    timer = setTimeout(resolve, backend.isReady() ? closeWithinMs : 0)
  })
  const closing = Promise.all(workers.map(worker => worker.close())).then(() => queue.close())
  await Promise.race([closing, cut])
  clearTimeout(timer)
  await backend.close()
}
