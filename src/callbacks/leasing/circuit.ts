import type { LaneId } from '../../base/ids.ts'
import type { AttemptOutcome } from '../outbox/callback.ts'

// lane: the callbacks of one merchant to one origin.     circuit: open while a lane's endpoint fails.
// probe: the one callback in flight in a lane whose circuit is open. So a dead endpoint uses one slot, however many wait.

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

/** How one lane's endpoint answered the attempts that have just ended. */
export interface LaneNews {
  laneId: LaneId
  /** The first answer closes the circuit. Each raises the lane's limit by one, up to its cap. */
  answers: number
  /** Failures since the last answer: these are counted towards opening the circuit. */
  failures: number
}

/** How an attempt ended; null: no status was received. */
interface EndedAttempt {
  outcome: AttemptOutcome
  status: number | null
}

/**
 * Judges an endpoint by an attempt. One that refuses a callback (404, the wrong acknowledgement word) works: its callbacks
 * fail quickly, each by its own schedule. One that answers 5xx or 429 cannot take any callback now.
 * @returns null when nothing was sent: no URL, no key, or refused by the guard.
 */
export function verdictOf(attempt: EndedAttempt): 'answers' | 'fails' | null {
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
    const lane = news.get(attempt.laneId) ?? { laneId: attempt.laneId, answers: 0, failures: 0 }
    news.set(attempt.laneId, lane)
    if (verdict === 'fails') lane.failures++
    else {
      lane.answers++
      lane.failures = 0
    }
  }
  return [...news.values()]
}
