import type { Logger } from '../../base/log.ts'
import type { Queryable } from '../../db/pool.ts'
import { type CircuitTuning, newsOfLanes } from '../leasing/circuit.ts'
import { moveCircuits } from '../leasing/circuit-store.ts'
import { type FinishedAttempt, recordAttempts } from './attempt-store.ts'
import type { CallbackHours } from './callback-hours.ts'

/**
 * Records attempts, and updates the circuits and caps of their lanes where they may change, which healthy endpoints cause only
 * while a cap of theirs grows. That is a statement of its own: a crash between the two loses no more than some counts.
 * @param attempts in the order they ended.
 * @returns for each attempt, whether it moved its callback.
 */
export async function recordResults(
  db: Queryable,
  attempts: readonly FinishedAttempt[],
  options: { circuit: CircuitTuning; log: Logger; hours?: Pick<CallbackHours, 'count'> },
): Promise<boolean[]> {
  const recorded = await recordAttempts(db, attempts)
  const troubled = new Set(recorded.filter(one => one.troubled).map(one => one.laneId))
  const filled = new Set(recorded.filter(one => one.filled).map(one => one.laneId))
  const inLanes = attempts.flatMap((attempt, i) => {
    const { laneId } = recorded[i]!
    const { outcome, status, durationMs } = attempt
    if (laneId === null) return []
    options.hours?.count(laneId, attempt)
    return [{ outcome, status, durationMs, laneId }]
  })
  const news = newsOfLanes(inLanes).filter(
    ({ laneId, slow, quick }) => slow || troubled.has(laneId) || (quick > 0 && filled.has(laneId)),
  )
  try {
    for (const change of await moveCircuits(db, news, options.circuit)) {
      const { appid, origin, failures, openForMs } = change
      if (change.change === 'opened') options.log.warn({ appid, origin, failures }, 'callback.circuit_opened')
      else options.log.info({ appid, origin, openForMs: Math.round(openForMs) }, 'callback.circuit_closed')
    }
  } catch (error) {
    // The results are recorded. The next ones of the lane update its circuit.
    options.log.warn({ err: error }, 'callback.circuit_not_moved')
  }
  return recorded.map(one => one.moved)
}
