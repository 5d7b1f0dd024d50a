import { elapsedMs, type Moment } from '../../base/clock.ts'
import type { LeasedCallback } from '../outbox/lease.ts'

/** A lease that this process took itself, with what it read then. */
export interface OwnLease {
  callback: LeasedCallback
  /** Before the database was asked for it: the lease has begun no earlier. */
  askedAt: Moment
  /** By the steady clock, when `callback.now` was read. */
  readAtMs: number
  /** It is being given back, or was and nobody knows whether that came through. */
  givenBack: boolean
}

/**
 * What was read when leasing, if that is as good as asking the database again: nobody else can have the lease while so much
 * of it is left, and what is sent never changes. Its `now` is brought up to date.
 * @returns null when the database has to be asked.
 */
export function leaseStillOurs(
  own: OwnLease,
  times: { leaseMs: number; marginMs: number },
): LeasedCallback | null {
  if (own.givenBack || elapsedMs(own.askedAt) > times.leaseMs - times.marginMs) return null
  const now = own.callback.now.getTime() + performance.now() - own.readAtMs
  return { ...own.callback, now: new Date(now) }
}
