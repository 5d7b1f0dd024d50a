import type { AttemptOutcome, CallbackState, FailureKind } from '../../../callbacks/outbox/callback.ts'
import { longestIntervalMs, retryIntervalsMs } from '../../../callbacks/sending/retry-schedule.ts'

// Why an attempt counts as it does, and why the next one comes when it comes: as codes, which pages translate.

/** An attempt as it was recorded. */
export interface RecordedAttempt {
  /** Its number, from 1. */
  attempt: number
  startedAt: Date
  durationMs: number
  /** Empty: there was none. */
  url: string
  outcome: AttemptOutcome
  status: number | null
  /** The first 2 KiB of the answer; null: there was none, or it was not complete. */
  answer: string | null
  /** How many attempts of the schedule came before it; null: of an older version. */
  scheduleStep: number | null
  /** The wait after it; null: none follows, or it is of an older version. */
  retryInMs: number | null
}

/**
 * Why an attempt counts as a success or a failure:
 * acknowledged: a 2xx, with the merchant's word if it wants one; redirect: a 3xx, which is not followed; gone: 410, which ends the
 * attempts; too_many: 429; server_error: 5xx; not_2xx: any other status; wrong_word: a 2xx without the word;
 * incomplete: a status came, and then the answer broke off or took too long; the kinds of failure without an answer are their own.
 */
export type AttemptReason =
  | 'acknowledged'
  | 'redirect'
  | 'gone'
  | 'too_many'
  | 'server_error'
  | 'not_2xx'
  | 'wrong_word'
  | 'incomplete'
  | FailureKind

export function reasonOf({ outcome, status }: Pick<RecordedAttempt, 'outcome' | 'status'>): AttemptReason {
  if (outcome === 'acknowledged') return 'acknowledged'
  if (outcome !== 'refused') return status === null ? outcome : 'incomplete'
  if (status === null) return 'not_2xx'
  if (status === 410) return 'gone'
  if (status === 429) return 'too_many'
  if (status >= 500) return 'server_error'
  if (status >= 300 && status <= 399) return 'redirect'
  return status >= 200 && status <= 299 ? 'wrong_word' : 'not_2xx'
}

/** What followed from an attempt, when it ended. */
export type AfterAttempt =
  /** The callback is delivered. */
  | { kind: 'delivered' }
  /** It was acknowledged before: a resend is one attempt, however it ends. */
  | { kind: 'stays_delivered' }
  /** gone: the endpoint answered 410; no_attempts_left: it was the schedule's last. */
  | { kind: 'exhausted'; why: 'gone' | 'no_attempts_left' }
  /** schedule: the wait that follows this attempt; retry_after: the endpoint asked for a longer one. */
  | { kind: 'retry'; at: Date; inMs: number; why: 'schedule' | 'retry_after' }
  /** It was recorded by an older version. */
  | { kind: 'unknown' }

/** @param deliveredAt when the callback was first acknowledged; null: it was not. */
export function afterAttempt(attempt: RecordedAttempt, deliveredAt: Date | null): AfterAttempt {
  const { outcome, status, startedAt, durationMs, scheduleStep, retryInMs } = attempt
  if (deliveredAt !== null && startedAt > deliveredAt) return { kind: 'stays_delivered' }
  if (outcome === 'acknowledged') return { kind: 'delivered' }
  if (scheduleStep === null) return { kind: 'unknown' }
  if (retryInMs === null) return { kind: 'exhausted', why: status === 410 ? 'gone' : 'no_attempts_left' }
  return {
    kind: 'retry',
    at: new Date(startedAt.getTime() + durationMs + retryInMs),
    inMs: retryInMs,
    why: retryInMs > longestIntervalMs(scheduleStep) ? 'retry_after' : 'schedule',
  }
}

/** The most attempts of one run of the schedule. */
export const scheduleAttempts = retryIntervalsMs.length

/** What a callback owes now, and the lane it waits in. */
export interface OwedAttempt {
  state: CallbackState
  /** Null: it owes none. */
  dueAt: Date | null
  /** Of its lane; null: the circuit is closed. */
  probeAt: Date | null
  /** Whether as many of its lane are in flight as may be. */
  laneIsFull: boolean
}

/**
 * When a callback is attempted next, and what it waits for:
 * in_flight: it is being sent; merchant_disabled: it is held until the merchant is enabled; scheduled: its time has not come;
 * circuit_open: its endpoint fails, and gets one callback at a time, as a probe, the next at `at`; lane_full: others of its lane
 * are in flight; soon: a courier takes it next.
 */
export type NextAttempt =
  | { why: 'in_flight' | 'merchant_disabled' | 'lane_full' | 'soon' }
  | { why: 'scheduled' | 'circuit_open'; at: Date }

/** @returns null when no attempt is owed. */
export function nextAttempt(
  { state, dueAt, probeAt, laneIsFull }: OwedAttempt,
  now: Date,
): NextAttempt | null {
  if (state === 'in_flight') return { why: 'in_flight' }
  if (state === 'held') return { why: 'merchant_disabled' }
  if (state !== 'due' || dueAt === null) return null
  if (probeAt !== null && probeAt > dueAt) return { why: 'circuit_open', at: probeAt }
  if (dueAt > now) return { why: 'scheduled', at: dueAt }
  if (probeAt !== null) return { why: 'circuit_open', at: probeAt }
  return { why: laneIsFull ? 'lane_full' : 'soon' }
}
