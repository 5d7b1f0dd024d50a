import { type Job, Worker } from 'bullmq'
import type { Logger } from '../../base/log.ts'
import { type HandedLease, leaseKey } from '../outbox/lease.ts'
import { isUnusable, type QueueBackend } from './queue-backend.ts'
import { type JobData, readJob } from './queued-job.ts'
import type { Slots } from './slots.ts'

export interface JobConsumer {
  /** Begins no further job. */
  pause(): void
  /** For how long it has had room for a job, and fetched none, in ms. */
  fetchedNoneMs(): number
  /**
   * Goes on with new connections, whatever those until now wait for. What it has begun goes on.
   * @returns resolves when the worker until now is closed, which may never be.
   */
  rebuild(backend: QueueBackend): Promise<void>
  /** Closes the worker, once the jobs have ended. Call it when no lease is being handled. */
  close(): Promise<void>
}

interface ConsumerOptions {
  name: string
  prefix: string
  backend: QueueBackend
  /** Jobs are fetched while one is free. */
  slots: Slots
  /** Nor are they fetched while so many leases have been handed out and not ended. */
  handedMax: number
  /** The most leases in a job. */
  jobSize: number
  /** When it throws, the lease is left to run out, and its callback is leased again. */
  handle: (lease: HandedLease) => Promise<void>
  log: Logger
}

interface Consuming extends ConsumerOptions {
  worker: Worker<JobData>
  openWorker: (backend: QueueBackend) => Worker<JobData>
  /** The loop that fetches on this worker. */
  fetching: Promise<void>
  /** When a job was fetched last, or there was no room for one. */
  fetchedAt: number
  /** The jobs that have not ended: the token that locks each, and its end. */
  jobs: Map<Job<JobData>, { token: string; ended: Promise<void> }>
  /** How many leases have been handed out and not ended. */
  handed: number
  paused: boolean
  /** Wakes the fetching loop, when it waits for slots. */
  wake: () => void
}

// So that a killed courier's jobs are given out again within 10 s, however often one is killed.
const lockMs = 8_000
/** Half of it, so that one renewal may fail. */
const renewMs = lockMs / 2
/** How long closing waits for jobs to end. */
const endWithinMs = 1_000
/** How soon fetching is tried again after a failure. */
const retryMs = 500
/** The most jobs fetched at once. Each fetch takes a turn of the event loop, which other work shares. */
const fetchesMax = 2

/**
 * Fetches jobs while a slot is free, and handles their leases concurrently. A job ends when all of its leases have, but slots
 * are counted in leases, so that a slow one delays no others. BullMQ's own loop counts jobs, and is not used.
 *
 * The queue is first in, first out. So what waits for its merchant's share of the slots must not wait in the queue, where it
 * would delay the merchants behind it: it is fetched, and waits here. It may, since each courier leases no more than
 * `handedMax`, and therefore has room to fetch what it leased itself, whatever it has fetched of others.
 */
export function consumeJobs(options: ConsumerOptions): JobConsumer {
  const { name, prefix, log } = options
  const settings = {
    prefix,
    lockDuration: lockMs,
    stalledInterval: 1_000,
    maxStalledCount: 1_000_000,
    // In seconds. How long a new job goes unnoticed when its notification went to a courier that was stopping. By default 5.
    drainDelay: 1,
  }
  const openWorker = ({ consumer: connection, factory }: QueueBackend) => {
    const worker = new Worker<JobData>(name, null, { ...settings, connection }, factory)
    // The backend logs outages, once each. Other errors (a job that was lost with a flushed Redis, say) need no action: the
    // callbacks are in Postgres.
    worker.on('error', err => log.debug({ err }, 'queue.error'))
    void worker.startStalledCheckTimer()
    return worker
  }
  const consuming: Consuming = {
    ...options,
    worker: openWorker(options.backend),
    openWorker,
    fetching: Promise.resolve(),
    fetchedAt: performance.now(),
    jobs: new Map(),
    handed: 0,
    paused: false,
    wake: () => undefined,
  }
  consuming.fetching = fetchWhileOpen(consuming)
  const renewing = setInterval(() => renewLocks(consuming), renewMs)
  return {
    fetchedNoneMs: () => (roomFor(consuming) < 1 ? 0 : performance.now() - consuming.fetchedAt),
    rebuild: backend => {
      consuming.backend = backend
      return replaceWorker(consuming)
    },
    pause: () => {
      consuming.paused = true
      consuming.wake()
      // This also ends its search for the jobs of couriers that died.
      void consuming.worker.pause(true)
    },
    close: async () => {
      clearInterval(renewing)
      const ended = Promise.all([...consuming.jobs.values()].map(job => job.ended))
      // A job that does not end in time is given out again when its lock has run out.
      await Promise.race([ended, new Promise(resolve => setTimeout(resolve, endWithinMs).unref())])
      await consuming.worker.close()
      await consuming.fetching
    },
  }
}

/** How many more leases may be handed out now. */
function roomFor({ slots, handedMax, handed }: Consuming): number {
  return Math.min(slots.free, handedMax - handed)
}

/**
 * Fetches several jobs at once after a fetch that found some. After one that found none, it waits for the next job. A worker
 * that was replaced fetches no more. A job that it still finds is begun.
 */
async function fetchWhileOpen(consuming: Consuming): Promise<void> {
  const { worker, jobSize } = consuming
  let tokens = 0
  let found = 0
  let waited = false
  while (!consuming.paused && worker === consuming.worker) {
    const room = roomFor(consuming)
    if (room < 1) {
      await new Promise<void>(resolve => {
        consuming.wake = resolve
      })
      consuming.fetchedAt = performance.now()
      continue
    }
    // After a wait that found none, one fetch does not wait: after an outage BullMQ's wait could be very long.
    const block: boolean = found === 0 && !waited
    const fetches = found === 0 ? 1 : Math.max(1, Math.min(Math.floor(room / jobSize), fetchesMax))
    const fetched = await Promise.all(
      Array.from({ length: fetches }, () => fetchJob(consuming, worker, `${worker.id}:${tokens++}`, block)),
    )
    waited = block
    found = fetched.filter(Boolean).length
  }
}

/** Fetches a job and begins to handle it. @returns whether there was one. */
async function fetchJob(
  consuming: Consuming,
  worker: Worker<JobData>,
  token: string,
  block: boolean,
): Promise<boolean> {
  const { log } = consuming
  try {
    const job = await worker.getNextJob(token, { block })
    if (job && worker === consuming.worker) consuming.fetchedAt = performance.now()
    if (job) consuming.jobs.set(job, { token, ended: handleJob(consuming, job, token) })
    return job !== undefined
  } catch (err) {
    log.debug({ err }, 'queue.error')
    await new Promise(resolve => setTimeout(resolve, retryMs))
    if (worker === consuming.worker && !consuming.paused && (await isUnusable(worker)))
      void replaceWorker(consuming)
    return false
  }
}

/** Opens a worker in place of one that cannot fetch. @returns resolves when the other is closed, which may never be. */
function replaceWorker(consuming: Consuming): Promise<void> {
  const { worker, log } = consuming
  consuming.worker = consuming.openWorker(consuming.backend)
  consuming.fetching = fetchWhileOpen(consuming)
  return worker.close(true).catch(err => log.debug({ err }, 'queue.error'))
}

/** Handles the leases of a job, and ends it. Never rejects: a job that cannot be ended is given out again, its leases used up. */
async function handleJob(consuming: Consuming, job: Job<JobData>, token: string): Promise<void> {
  const { log, handle, jobs } = consuming
  const leases = readJob(job.data)
  if (!leases) log.warn({ jobId: job.id }, 'queue.foreign_job')
  try {
    const handled = leases?.map(async lease => {
      consuming.handed++
      try {
        await handle(lease)
      } catch (err) {
        log.warn({ err, lease: leaseKey(lease) }, 'callback.left_to_lapse')
      } finally {
        consuming.handed--
        consuming.wake()
      }
    })
    await Promise.all(handled ?? [])
    await job.moveToCompleted(undefined, token, false)
  } catch (err) {
    log.debug({ err, jobId: job.id }, 'queue.error')
  } finally {
    jobs.delete(job)
  }
}

async function renewLocks({ worker, jobs, log }: Consuming): Promise<void> {
  if (jobs.size === 0) return
  const ids = [...jobs.keys()].map(job => job.id!)
  const tokens = [...jobs.values()].map(({ token }) => token)
  await worker.extendJobLocks(ids, tokens, lockMs).catch(err => log.debug({ err }, 'queue.error')) // Another courier may get them then. The leases decide who sends.
}
