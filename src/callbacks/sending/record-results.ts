import type { Logger } from '../../base/log.ts'
import type { Queryable } from '../../db/pool.ts'
import { type CircuitTuning, newsOfLanes } from '../leasing/circuit.ts'
import { moveCircuits } from '../leasing/circuit-store.ts'
import { type FinishedAttempt, recordAttempts } from './attempt-store.ts'

/**
 * Records attempts, and moves the circuits of their lanes where there is something to move: with healthy endpoints that
 * is never. In a statement of its own, since what is lost between the two is at most a failure counted too few.
 * @param attempts in the order they ended.
 * @returns for each attempt, whether it moved its callback.
 */
export async function recordResults(
  db: Queryable,
  attempts: readonly FinishedAttempt[],
  told: { circuit: CircuitTuning; log: Logger },
): Promise<boolean[]> {
  const recorded = await recordAttempts(db, attempts)
  const troubled = new Set(recorded.filter(one => one.troubled).map(one => one.laneId))
  const inLanes = attempts.flatMap((attempt, i) => {
    const { laneId } = recorded[i]!
    return laneId === null ? [] : [{ outcome: attempt.outcome, status: attempt.status, laneId }]
  })
  const news = newsOfLanes(inLanes).filter(lane => lane.failures > 0 || troubled.has(lane.laneId))
  try {
    for (const change of await moveCircuits(db, news, told.circuit)) {
      const { appid, origin, failures, openForMs } = change
      if (change.change === 'opened') told.log.warn({ appid, origin, failures }, 'callback.circuit_opened')
      else told.log.info({ appid, origin, openForMs: Math.round(openForMs) }, 'callback.circuit_closed')
    }
  } catch (error) {
    // The results are written; the next ones move the circuit.
    told.log.warn({ error: (error as Error).message }, 'callback.circuit_not_moved')
  }
  return recorded.map(one => one.moved)
}
