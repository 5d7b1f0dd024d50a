import { type Job, Worker } from 'bullmq'
import type { Logger } from '../../base/log.ts'
import type { Lease } from '../outbox/lease.ts'
import type { QueueBackend } from './queue-backend.ts'
import { isUnusable } from './queue-backend.ts'
import { type JobData, readJob } from './queued-job.ts'

export interface JobConsumer {
  /** Begins no further job. */
  pause(): void
  /** To be called when no lease is in hand any more; waits a moment until their jobs are ended. */
  close(): Promise<void>
}

/** What it has in hand. */
interface Consuming {
  worker: Worker<JobData>
  openWorker: () => Worker<JobData>
  slots: number
  jobSize: number
  handle: (lease: Lease) => Promise<void>
  log: Logger
  /** The jobs that are not over yet: the token each is locked by, and its end. */
  jobs: Map<Job<JobData>, { token: string; over: Promise<void> }>
  /** Leases being handled now. */
  leases: number
  paused: boolean
  /** Wakes the fetching, when it waits for slots. */
  wake: () => void
}

// A killed courier's jobs come back within 10 s, however often it is killed.
const lockMs = 8_000
/** Half of it, so that one renewal may fail. */
const renewMs = lockMs / 2
/** How long jobs have to be ended when the consumer closes. */
const endWithinMs = 1_000
/** How soon it is tried again after an outage. */
const retryMs = 500
/** Jobs fetched side by side: each costs a turn of the event loop, in which many other things are done. */
const fetchesMax = 2

/**
 * Fetches jobs while there are free slots, and handles their leases side by side; a job is over when all of its leases
 * are, but what counts against the slots is leases, so that one that takes its time holds nobody up. BullMQ's own loop
 * counts jobs.
 * @param jobSize leases in a job of ours: so many slots are free before another is fetched.
 * @param handle never throws for what an endpoint does; when it throws, the lease runs out and another epoch begins.
 */
export function consumeJobs(options: {
  name: string
  prefix: string
  backend: QueueBackend
  slots: number
  jobSize: number
  handle: (lease: Lease) => Promise<void>
  log: Logger
}): JobConsumer {
  const { name, prefix, backend, slots, jobSize, handle, log } = options
  const settings = {
    connection: backend.consumer,
    prefix,
    lockDuration: lockMs,
    stalledInterval: 1_000,
    maxStalledCount: 1_000_000,
    // How long a ring may go unheard (one that another courier heard as it stopped): 5 s by default.
    drainDelay: 1,
  }
  const openWorker = () => {
    const worker = new Worker<JobData>(name, null, settings, backend.factory)
    // Outages are told by the backend, once. What else is reported here (a job that vanished with a flushed Redis, say)
    // is the queue's own trouble: the debt is in Postgres.
    worker.on('error', error => log.debug({ error: error.message }, 'queue.error'))
    void worker.startStalledCheckTimer()
    return worker
  }
  const consuming: Consuming = {
    worker: openWorker(),
    openWorker,
    slots,
    jobSize,
    handle,
    log,
    jobs: new Map(),
    leases: 0,
    paused: false,
    wake: () => undefined,
  }
  const renewing = setInterval(() => renewLocks(consuming), renewMs)
  const fetching = fetchWhileOpen(consuming)
  return {
    pause: () => {
      consuming.paused = true
      consuming.wake()
      // Also its looking after jobs of the dead.
      void consuming.worker.pause(true)
    },
    close: async () => {
      clearInterval(renewing)
      const ended = Promise.all([...consuming.jobs.values()].map(job => job.over))
      // One whose lease never ends is given out again when its lock has run out; this process is not to wait for it.
      await Promise.race([ended, new Promise(resolve => setTimeout(resolve, endWithinMs).unref())])
      await consuming.worker.close()
      await fetching
    },
  }
}

/** Asks for several jobs at once where the last time brought some, and waits for one where it did not. */
async function fetchWhileOpen(consuming: Consuming): Promise<void> {
  const { jobSize, slots } = consuming
  let tokens = 0
  let found = 0
  let waited = false
  while (!consuming.paused) {
    const room = Math.floor((slots - consuming.leases) / jobSize)
    if (room < 1) {
      await new Promise<void>(resolve => {
        consuming.wake = resolve
      })
      continue
    }
    // After each wait in vain one is asked for without waiting: after an outage BullMQ would wait for very long.
    const block: boolean = found === 0 && !waited
    const fetches = found === 0 ? 1 : Math.min(room, fetchesMax)
    const fetched = await Promise.all(
      Array.from({ length: fetches }, () => fetchJob(consuming, `${consuming.worker.id}:${tokens++}`, block)),
    )
    waited = block
    found = fetched.filter(Boolean).length
  }
}

/** @returns whether there was one. */
async function fetchJob(consuming: Consuming, token: string, block: boolean): Promise<boolean> {
  const { worker, log } = consuming
  try {
    const job = await worker.getNextJob(token, { block })
    if (job) consuming.jobs.set(job, { token, over: work(consuming, job, token) })
    return job !== undefined
  } catch (error) {
    log.debug({ error: (error as Error).message }, 'queue.error')
    await new Promise(resolve => setTimeout(resolve, retryMs))
    if (worker === consuming.worker && !consuming.paused && (await isUnusable(worker)))
      replaceWorker(consuming)
    return false
  }
}

/** Nothing was ever fetched by the old one. */
function replaceWorker(consuming: Consuming): void {
  const { worker, log } = consuming
  consuming.worker = consuming.openWorker()
  worker.close(true).catch(error => log.debug({ error: error.message }, 'queue.error'))
}

/** Never rejects: a job that cannot be ended is given out again, and its leases are then found to be over. */
async function work(consuming: Consuming, job: Job<JobData>, token: string): Promise<void> {
  const { log, handle, jobs } = consuming
  const leases = readJob(job.data)
  if (!leases) log.warn({ jobId: job.id }, 'queue.foreign_job')
  try {
    const handled = leases?.map(async lease => {
      consuming.leases++
      try {
        await handle(lease)
      } catch (error) {
        log.warn({ error: (error as Error).message, callback: `${lease.id}` }, 'callback.left_to_lapse')
      } finally {
        consuming.leases--
        consuming.wake()
      }
    })
    await Promise.all(handled ?? [])
    await job.moveToCompleted(undefined, token, false)
  } catch (error) {
    log.debug({ error: (error as Error).message, jobId: job.id }, 'queue.error')
  } finally {
    jobs.delete(job)
  }
}

async function renewLocks({ worker, jobs, log }: Consuming): Promise<void> {
  if (jobs.size === 0) return
  const ids = [...jobs.keys()].map(job => job.id!)
  const tokens = [...jobs.values()].map(({ token }) => token)
  await worker
    .extendJobLocks(ids, tokens, lockMs)
    .catch(error => log.debug({ error: error.message }, 'queue.error')) // Then others may find them; the leases decide.
}
