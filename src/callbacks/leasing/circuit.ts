import type { AttemptOutcome } from '../outbox/callback.ts'

/**
 * When a lane's circuit opens and how it is probed. Open, a lane has one callback in flight at the most, and none of the
 * others in it is attempted: a dead endpoint costs a slot, however much waits for it.
 */
export interface CircuitTuning {
  /** Failures in a row that open it. */
  failuresToOpen: number
  /** How long the first probe waits after the circuit opened; each waits twice as long after the one before. */
  probeFirstMs: number
  /** How long a probe waits at the most: how long an endpoint may be back before we know. */
  probeMaxMs: number
}

export const defaultCircuit: CircuitTuning = {
  // Fewer than a lane's cap, so that one round of hanging is enough; more than the odd lost connection.
  failuresToOpen: 5,
  probeFirstMs: 1_000,
  probeMaxMs: 60_000,
}

/** What the attempts of one lane said of its endpoint, in the order they ended. */
export interface LaneNews {
  laneId: bigint
  /** Answers. The first closes the circuit, and each lets one more be in flight until the cap is reached. */
  answers: number
  /** Failures after the last answer: the row that opens the circuit when it is long enough. */
  failures: number
}

/** How an attempt ended, and the status of its answer, if there was one. */
interface EndedAttempt {
  outcome: AttemptOutcome
  status: number | null
}

/**
 * What an attempt says of the endpoint. An answer that refuses the callback (404, the wrong word) comes from an endpoint
 * that is there: its callbacks fail one by one, by their own schedules, and quickly. 5xx and 429 are how one says that it
 * cannot take any of them now.
 * @returns null when nothing was sent: no URL, no key, refused by the guard.
 */
export function verdictOf(attempt: EndedAttempt): 'answers' | 'fails' | null {
  const { outcome, status } = attempt
  if (outcome === 'no_url' || outcome === 'no_key' || outcome === 'blocked') return null
  if (outcome === 'acknowledged') return 'answers'
  if (outcome !== 'refused' || status === null) return 'fails'
  return status >= 500 || status === 429 ? 'fails' : 'answers'
}

/** Sums up what attempts say of their lanes' endpoints, those left out of which nothing was said. */
export function newsOfLanes(attempts: readonly (EndedAttempt & { laneId: bigint })[]): LaneNews[] {
  const news = new Map<bigint, LaneNews>()
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
