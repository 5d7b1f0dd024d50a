import type { LaneId } from '../../base/ids.ts'
import type { Queryable } from '../../db/pool.ts'
import type { FinishedAttempt } from './attempt-store.ts'
import { addToHours, type CountedHour, durationBoundsMs } from './callback-hour-store.ts'

/** Counts how the endpoints of lanes answer, hour by hour. */
export interface CallbackHours {
  count(
    laneId: LaneId,
    attempt: Pick<FinishedAttempt, 'startedAt' | 'outcome' | 'status' | 'durationMs'>,
  ): void
  /** Adds what was counted to the database. When that fails it is added by the next call. */
  write(db: Queryable): Promise<void>
}

/** How often counts are written. */
export const writeHoursEveryMs = 5_000

/** Counted apart at most, while the database is away. Above that, attempts are not counted. */
const keptMax = 20_000

const hourMs = 3_600_000

/**
 * Opens the counts of one courier. In memory, since all couriers would otherwise wait for the same few rows at every record of
 * results.
 */
export function openCallbackHours(): CallbackHours {
  let counted = new Map<string, CountedHour>()
  const add = (one: CountedHour) => {
    const key = `${one.laneId} ${one.hour.getTime()} ${one.outcome} ${one.status}`
    const kept = counted.get(key)
    if (kept) kept.durations = kept.durations.map((count, i) => count + one.durations[i]!)
    else if (counted.size < keptMax) counted.set(key, one)
  }
  return {
    count(laneId, { startedAt, outcome, status, durationMs }) {
      const hour = new Date(startedAt.getTime() - (startedAt.getTime() % hourMs))
      const key = `${laneId} ${hour.getTime()} ${outcome} ${status ?? 0}`
      const place = durationBoundsMs.findIndex(bound => durationMs <= bound)
      const at = place < 0 ? durationBoundsMs.length : place
      const kept = counted.get(key)
      if (kept) kept.durations[at]!++
      else if (counted.size < keptMax) {
        const durations = Array<number>(durationBoundsMs.length + 1).fill(0)
        durations[at] = 1
        counted.set(key, { laneId, hour, outcome, status: status ?? 0, durations })
      }
    },
    async write(db) {
      if (counted.size === 0) return
      const taken = [...counted.values()]
      counted = new Map()
      try {
        await addToHours(db, taken)
      } catch (error) {
        for (const one of taken) add(one)
        throw error
      }
    },
  }
}
