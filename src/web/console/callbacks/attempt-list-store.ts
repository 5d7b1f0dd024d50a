import type { CallbackId } from '../../../base/ids.ts'
import { type Queryable, rows } from '../../../db/pool.ts'
import type { RecordedAttempt } from './why-attempt.ts'

/** An attempt of one of several callbacks. */
export interface ListedAttempt extends RecordedAttempt {
  callbackId: CallbackId
}

/**
 * Reads the attempts of callbacks, the latest first. They are there for as many months as are kept.
 * @param before only attempts that began before this time; null: any.
 */
export function readAttempts(
  db: Queryable,
  callbackIds: readonly CallbackId[],
  limit: number,
  before: Date | null = null,
): Promise<ListedAttempt[]> {
  return rows<ListedAttempt>(
    db,
    `select callback_id as "callbackId", attempt, started_at as "startedAt", duration_ms as "durationMs", url, outcome, status,
            answer, schedule_step as "scheduleStep", retry_in_ms as "retryInMs"
       from callback_attempt
      where callback_id = any($1::bigint[]) and ($2::timestamptz is null or started_at < $2)
      order by started_at desc, callback_id desc, attempt desc
      limit $3`,
    [callbackIds, before, limit],
  )
}
