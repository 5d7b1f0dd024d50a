import type { Moment } from '../../base/clock.ts'
import type { MerchantId } from '../../base/ids.ts'
import { type HandedLease, type Lease, type LeasedCallback, leaseKey } from '../outbox/lease.ts'
import type { QueuedJob } from '../queue/queued-job.ts'
import type { OwnLease } from './own-lease.ts'

// taken: leased by this courier; its job is in the queue, and any courier may begin it.
// begun: handed out by the queue to this courier, whichever courier took it. It is in a slot or waits for one.

/** The leases that a courier holds: those it took and has not begun, and those it has begun and not ended. */
export interface InHand {
  /** How many have begun and not ended. */
  readonly size: number
  /** How many were taken and no courier has begun, as far as this one knows. */
  readonly waiting: number
  /** How many of both each merchant has. Those whose merchant is not known are not among them. */
  byMerchant(): Map<MerchantId, number>
  /** Whether the courier is stopping. What begins from then on must be released, not sent. */
  readonly closed: boolean
  /**
   * Takes the leases of one job, before the job is added to the queue.
   * @param asked before the database was asked for the leases.
   */
  take(job: QueuedJob<LeasedCallback>, asked: Moment): void
  /**
   * Begins a lease that the queue handed out.
   * @returns the lease as it was taken; undefined when this courier did not take it or has given it up; 'already' when it
   *   has begun here and not ended, since the queue hands out a job again when its lock was not renewed in time.
   */
  begin(lease: HandedLease): OwnLease | undefined | 'already'
  end(lease: Lease): void
  /** @returns the jobs with leases that were taken at least so long ago and have not begun here. */
  oldUnbegun(ms: number): string[]
  /**
   * Gives up the leases of these jobs that have not begun here. One that begins later counts as not taken, so that the
   * database is asked whether it may be sent.
   * @returns them; the caller releases them.
   */
  giveUp(jobIds: readonly string[]): Lease[]
  /**
   * Learns how many jobs wait in the queue: of what was taken, other couriers have begun the rest.
   * @returns about how many leases wait in them.
   */
  countWaiting(jobs: number): number
  close(): void
}

/** @param onEnd called when a lease has ended, and there is room for another. */
export function createInHand(onEnd: () => void): InHand {
  const taken = new Map<string, OwnLease & { jobId: string }>()
  const begun = new Map<string, MerchantId | null>()
  /** How many of those taken other couriers have begun. */
  let begunElsewhere = 0
  let closed = false
  return {
    get size() {
      return begun.size
    },
    get waiting() {
      return taken.size - begunElsewhere
    },
    get closed() {
      return closed
    },
    byMerchant: () => {
      // What others have begun is known as a number only. It is shared among the merchants by what was taken of each.
      const share = taken.size === 0 ? 0 : (taken.size - begunElsewhere) / taken.size
      const waiting = countEach([...taken.values()].map(own => own.callback.merchantId))
      const counts = countEach(begun.values())
      for (const [merchantId, count] of waiting)
        counts.set(merchantId, (counts.get(merchantId) ?? 0) + Math.ceil(count * share))
      return counts
    },
    take: ({ id: jobId, leases }, askedAt) => {
      const readAtMs = performance.now()
      for (const callback of leases) taken.set(leaseKey(callback), { callback, askedAt, readAtMs, jobId })
    },
    begin: lease => {
      const key = leaseKey(lease)
      const own = taken.get(key)
      taken.delete(key)
      // A job that was on its way here when the queue was asked has begun here, not elsewhere.
      begunElsewhere = Math.min(begunElsewhere, taken.size)
      if (begun.has(key)) return 'already'
      begun.set(key, lease.merchantId)
      return own
    },
    end: lease => {
      begun.delete(leaseKey(lease))
      onEnd()
    },
    oldUnbegun: ms => {
      const before = performance.now() - ms
      const old = [...taken.values()].filter(own => own.readAtMs <= before)
      return [...new Set(old.map(own => own.jobId))]
    },
    giveUp: jobIds => {
      const jobs = new Set(jobIds)
      const leases = [...taken.values()].filter(own => jobs.has(own.jobId)).map(own => own.callback)
      for (const lease of leases) taken.delete(leaseKey(lease))
      begunElsewhere = 0
      return leases
    },
    countWaiting: jobs => {
      // Other couriers' jobs are about as large as ours.
      const jobsTaken = new Set([...taken.values()].map(own => own.jobId)).size
      const waiting = Math.ceil((jobs * taken.size) / Math.max(1, jobsTaken))
      begunElsewhere = Math.max(0, taken.size - waiting)
      return waiting
    },
    close: () => {
      closed = true
    },
  }
}

function countEach(merchantIds: Iterable<MerchantId | null>): Map<MerchantId, number> {
  const counts = new Map<MerchantId, number>()
  for (const id of merchantIds) if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}
