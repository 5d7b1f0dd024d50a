import type { LaneId } from '../../base/ids.ts'
import type { AttemptOutcome } from '../outbox/callback.ts'

// lane: the callbacks of one merchant to one origin.     circuit: open while a lane's endpoint fails.
// probe: the one callback in flight in a lane whose circuit is open. So a dead endpoint uses one slot, however many wait.
// cap: how many of a lane's callbacks may be in flight while its circuit is closed.

/** When a lane's circuit opens, and how it is probed. */
export interface CircuitTuning {
  /** How many failures in a row open it. */
  failuresToOpen: number
  /** How long after the circuit opened the first probe is sent. Each further one waits twice as long as the one before. */
  probeFirstMs: number
  /** The longest wait between probes: how long it may take us to notice that an endpoint has recovered. */
  probeMaxMs: number
}

export const defaultCircuit: CircuitTuning = {
  // Below a lane's cap, so that one round of timeouts opens it; above one, so that single lost connections do not.
  failuresToOpen: 5,
  probeFirstMs: 1_000,
  probeMaxMs: 60_000,
}

/**
 * A lane's cap grows by one for each cap's worth of quick acknowledgements that come while it is reached, and is halved by a slow
 * answer or a failure: additive increase, multiplicative decrease, as in TCP. So an endpoint is sent as much at once as it
 * answers quickly, and one that slows down gets less. Where it says that it was too much, by 429 or 503, the cap stays below that
 * for a while: each such answer costs a callback an attempt. A merchant's share of the slots holds whatever its caps. How far a
 * lane's cap may grow is `callback_lane.cap_max`, 128 unless an operator sets another.
 */
export const laneCap = {
  /** What a lane begins with, and has after its circuit was open. */
  min: 8,
  /** The longest that a quick answer takes. */
  quickMs: 500,
  /** The least that a slow answer takes. */
  slowMs: 2_000,
  /** For how long the cap stays below one that was too much. */
  limitedMs: 600_000,
} as const

/** How one lane's endpoint answered the attempts that have just ended. */
export interface LaneNews {
  laneId: LaneId
  /** The first answer closes the circuit. Each raises the lane's limit by one, up to its cap. */
  answers: number
  /** Failures since the last answer: these are counted towards opening the circuit. */
  failures: number
  /** Acknowledgements within `laneCap.quickMs`. */
  quick: number
  /** Whether any attempt failed, or was answered after `laneCap.slowMs`. */
  slow: boolean
  /** Whether it said that it was asked too much: 429 or 503. */
  overloaded: boolean
}

/** How an attempt ended; null: no status was received. */
interface EndedAttempt {
  outcome: AttemptOutcome
  status: number | null
  durationMs: number
}

/**
 * Judges an endpoint by an attempt. One that refuses a callback (404, the wrong acknowledgement word) works: its callbacks
 * fail quickly, each by its own schedule. One that answers 5xx or 429 cannot take any callback now.
 * @returns null when nothing was sent: no URL, no key, or refused by the guard.
 */
export function verdictOf(attempt: Pick<EndedAttempt, 'outcome' | 'status'>): 'answers' | 'fails' | null {
  const { outcome, status } = attempt
  if (outcome === 'no_url' || outcome === 'no_key' || outcome === 'blocked') return null
  if (outcome === 'acknowledged') return 'answers'
  if (outcome !== 'refused' || status === null) return 'fails'
  return status >= 500 || status === 429 ? 'fails' : 'answers'
}

/** Sums up, lane by lane, how endpoints answered. @param attempts in the order they ended. */
export function newsOfLanes(attempts: readonly (EndedAttempt & { laneId: LaneId })[]): LaneNews[] {
  const news = new Map<LaneId, LaneNews>()
  for (const attempt of attempts) {
    const verdict = verdictOf(attempt)
    if (!verdict) continue
    const { laneId, outcome, durationMs } = attempt
    const lane = news.get(laneId) ?? {
      laneId,
      answers: 0,
      failures: 0,
      quick: 0,
      slow: false,
      overloaded: false,
    }
    news.set(laneId, lane)
    if (outcome === 'acknowledged' && durationMs <= laneCap.quickMs) lane.quick++
    if (verdict === 'fails' || durationMs >= laneCap.slowMs) lane.slow = true
    if (attempt.status === 429 || attempt.status === 503) lane.overloaded = true
    if (verdict === 'fails') lane.failures++
    else {
      lane.answers++
      lane.failures = 0
    }
  }
  return [...news.values()]
}
