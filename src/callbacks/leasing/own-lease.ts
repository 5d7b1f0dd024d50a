import { elapsedMs, type Moment } from '../../base/clock.ts'
import type { LeasedCallback } from '../outbox/lease.ts'

/** A lease that this process took itself, with the callback it read then. */
export interface OwnLease {
  callback: LeasedCallback
  /** Before the database was asked for it. The lease began no earlier. */
  askedAt: Moment
  /** When `callback.now` was read, by the steady clock. */
  readAtMs: number
}

/**
 * Reads the callback from the lease itself, while so much of the lease is left that no other courier can have it. What is
 * sent never changes, so asking the database would give the same. `now` is brought up to date.
 * @returns null when the database has to be asked.
 */
export function leaseStillOurs(
  own: OwnLease,
  times: { leaseMs: number; marginMs: number },
): LeasedCallback | null {
  if (elapsedMs(own.askedAt) > times.leaseMs - times.marginMs) return null
  const now = own.callback.now.getTime() + performance.now() - own.readAtMs
  return { ...own.callback, now: new Date(now) }
}
