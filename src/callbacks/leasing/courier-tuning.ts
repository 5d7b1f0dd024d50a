import { type CircuitTuning, defaultCircuit } from './circuit.ts'

/** How long an attempt may take, from the DNS lookup to the last byte of the answer. */
export const sendDeadlineMs = 10_000

/** Times and sizes of a courier that depend on each other. Tests shorten them. */
export interface CourierTuning {
  /** The most callbacks sent at once. */
  slots: number
  /** The most callbacks leased beyond that. They wait in the queue or for a slot, so that one is filled without a round trip. */
  aheadMax: number
  /** See `sendDeadlineMs`. */
  deadlineMs: number
  /** The least time a lease has left when its attempt begins: the attempt, and 5 s to record it. */
  marginMs: number
  /**
   * Longer than an attempt and the 10 s until a killed courier's jobs are given out again, so that whoever gets one can still
   * use its lease. No longer than needed: a lease that was in no job is taken again only when it has run out.
   */
  leaseMs: number
  /** How long the loop waits for the bell before it looks for due callbacks anyway. */
  pollMs: number
  /** How old a lease that has not begun must be before the queue is asked whether it still has its job. */
  lostAfterMs: number
  /** How old a lease must be that waits in the queue while this courier has room and begins nothing, until it is not ready. */
  unbegunMaxMs: number
  circuit: CircuitTuning
}

/** The most leases that a courier takes, and about the most that are handed out to it. */
export function handedMax(tuning: Pick<CourierTuning, 'slots' | 'aheadMax'>): number {
  return tuning.slots + tuning.aheadMax
}

export const defaultTuning: CourierTuning = {
  slots: 512,
  aheadMax: 512,
  deadlineMs: sendDeadlineMs,
  marginMs: sendDeadlineMs + 5_000,
  leaseMs: 30_000,
  pollMs: 250,
  lostAfterMs: 2_000,
  unbegunMaxMs: 5_000,
  circuit: defaultCircuit,
}
