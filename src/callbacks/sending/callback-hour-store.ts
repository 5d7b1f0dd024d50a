import type { LaneId } from '../../base/ids.ts'
import { type Pool, promptly, type Queryable, run } from '../../db/pool.ts'
import type { AttemptOutcome } from '../outbox/callback.ts'

/** Attempts of one lane in one hour that ended alike. */
export interface CountedHour {
  laneId: LaneId
  /** Its beginning. */
  hour: Date
  outcome: AttemptOutcome
  /** 0: no status came. */
  status: number
  /** How many took at most each of `durationBoundsMs`, and longer. */
  durations: number[]
}

/** The bounds by which durations are counted. Those of the metric gateway_callback_attempt_seconds. */
export const durationBoundsMs: readonly number[] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]

/** Adds counts to those that are there. Rows are locked in the order of their keys, so that couriers cannot deadlock. */
export async function addToHours(db: Queryable, hours: readonly CountedHour[]): Promise<void> {
  await run(db, {
    name: 'add_to_callback_hours',
    ...promptly,
    text: `
     insert into callback_hour as h (lane_id, hour, outcome, status, attempts, durations)
     select n.lane_id, n.hour, n.outcome, n.status, n.attempts, n.durations::bigint[]
       from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::integer[], $5::bigint[], $6::text[])
              as n (lane_id, hour, outcome, status, attempts, durations)
      order by n.lane_id, n.hour, n.outcome, n.status
         on conflict (lane_id, hour, outcome, status) do update
        set attempts = h.attempts + excluded.attempts,
            durations = array(select a + b from unnest(h.durations, excluded.durations) with ordinality as d (a, b, i) order by i)`,
    values: [
      hours.map(one => one.laneId),
      hours.map(one => one.hour),
      hours.map(one => one.outcome),
      hours.map(one => one.status),
      hours.map(one => one.durations.reduce((sum, count) => sum + count, 0)),
      hours.map(one => `{${one.durations.join()}}`),
    ],
  })
}

/** Rows deleted by one statement. */
const deletedMax = 5_000

/** Deletes hours that ended more than five weeks ago. However many lanes and statuses there are, none is left. */
export async function deleteOldHours(pool: Pool, signal?: AbortSignal): Promise<void> {
  let deleted = deletedMax
  while (deleted === deletedMax && !signal?.aborted) deleted = await deleteSome(pool)
}

function deleteSome(db: Queryable): Promise<number> {
  return run(
    db,
    `delete from callback_hour
      where ctid = any(array(select ctid
                               from callback_hour
                              where hour < now() - interval '35 days'
                              order by hour
                              limit $1))`,
    [deletedMax],
  )
}
