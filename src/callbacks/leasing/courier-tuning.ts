import { type CircuitTuning, defaultCircuit } from './circuit.ts'

/** From the first DNS question to the answer's last byte. */
export const sendDeadlineMs = 10_000

/** Times and sizes of a courier that hang together; a test may have them shorter. */
export interface CourierTuning {
  /** Callbacks being sent at once. */
  slots: number
  /**
   * Callbacks leased beyond that: they wait in the queue, so that a slot that falls free need not wait for a lease.
   */
  aheadMax: number
  /** An attempt, from the DNS question to the last byte. */
  deadlineMs: number
  /** What a lease has left at the least when its attempt begins: the attempt, and 5 s to record it. */
  marginMs: number
  /**
   * More than an attempt and the 10 s after which a killed courier's jobs are found again, so that the finder still
   * holds the lease; as little more as may be, since a lease nobody answers for is taken again only when it runs out.
   */
  leaseMs: number
  /** How long a ring is waited for before looking anyway. */
  pollMs: number
  /** After how long a job that nobody has begun is asked after. */
  lostAfterMs: number
  circuit: CircuitTuning
}

export const defaultTuning: CourierTuning = {
  slots: 512,
  aheadMax: 512,
  deadlineMs: sendDeadlineMs,
  marginMs: sendDeadlineMs + 5_000,
  leaseMs: 30_000,
  pollMs: 250,
  lostAfterMs: 2_000,
  circuit: defaultCircuit,
}
