import type { LaneId } from '../../../base/ids.ts'
import { durationBoundsMs } from '../../../callbacks/sending/callback-hour-store.ts'
import type { CountedAttempts } from './origin-store.ts'

/** How an endpoint answered. */
export interface EndpointRates {
  attempts: number
  acknowledged: number
  /** The share of attempts that were acknowledged; null: there were none. */
  share: number | null
  /** What half of the attempts took at most, and 95 of 100; null: there were none, or longer than any bound. */
  p50Ms: number | null
  p95Ms: number | null
  /** By outcome and status, the most frequent first. */
  codes: Pick<CountedAttempts, 'outcome' | 'status' | 'attempts'>[]
}

/** Sums up counted attempts, lane by lane. A lane without any is not in the result. */
export function ratesOfLanes(
  counted: readonly (CountedAttempts & { laneId: LaneId })[],
): Map<LaneId, EndpointRates> {
  const lanes = new Map<LaneId, CountedAttempts[]>()
  for (const one of counted) lanes.set(one.laneId, [...(lanes.get(one.laneId) ?? []), one])
  return new Map([...lanes].map(([laneId, ofLane]) => [laneId, ratesOf(ofLane)]))
}

/** Sums up counted attempts, of however many lanes. */
export function ratesOf(counted: readonly CountedAttempts[]): EndpointRates {
  const sum = (of: readonly CountedAttempts[]) => of.reduce((total, one) => total + one.attempts, 0)
  const attempts = sum(counted)
  const acknowledged = sum(counted.filter(one => one.outcome === 'acknowledged'))
  const durations = [...durationBoundsMs, 0].map((_, i) =>
    counted.reduce((total, one) => total + one.durations[i]!, 0),
  )
  return {
    attempts,
    acknowledged,
    share: attempts === 0 ? null : acknowledged / attempts,
    p50Ms: quantile(durations, 0.5),
    p95Ms: quantile(durations, 0.95),
    codes: counted
      .map(({ outcome, status, attempts }) => ({ outcome, status, attempts }))
      .toSorted((a, b) => b.attempts - a.attempts),
  }
}

/** @returns the bound that so large a share is within: an upper estimate, as exact as the bounds are close. */
function quantile(durations: readonly number[], share: number): number | null {
  const total = durations.reduce((sum, count) => sum + count, 0)
  let within = 0
  for (const [i, bound] of durationBoundsMs.entries()) {
    within += durations[i]!
    if (total > 0 && within >= total * share) return bound
  }
  return null
}
