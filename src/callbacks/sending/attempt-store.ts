import type { CallbackId, LaneId } from '../../base/ids.ts'
import { type Queryable, rows } from '../../db/pool.ts'
import type { AttemptOutcome } from '../outbox/callback.ts'
import { type Lease, leaseKey } from '../outbox/lease.ts'
import type { RetryDecision } from './retry-schedule.ts'

/** An attempt that has ended, and what its callback does next. */
export interface FinishedAttempt extends Lease {
  /** Its number, from 1. */
  attempt: number
  startedAt: Date
  durationMs: number
  /** Empty when there was none. */
  url: string
  outcome: AttemptOutcome
  status: number | null
  answer: string | null
  /** How many attempts of the schedule were made before it. */
  scheduleStep: number
  next: { kind: 'delivered' } | RetryDecision
}

/** What recording an attempt changed. */
export interface RecordedAttempt {
  /** Whether it moved its callback. It does not when its lease has passed to another epoch. */
  moved: boolean
  /** The callback's lane; null when it did not move. */
  laneId: LaneId | null
  /** Whether the lane's circuit is open, recovering, or has counted failures. */
  troubled: boolean
  /** Whether the lane's cap is reached and may grow. */
  filled: boolean
}

/**
 * Writes attempts into the history and moves their callbacks on, in one statement for all of them. An attempt moves its
 * callback only while it holds the lease: a late result is written into the history and changes nothing else. A callback that
 * has been acknowledged stays acknowledged, however a resend of it ends. Recording an attempt twice is harmless.
 * @returns one result per attempt, in their order.
 */
export async function recordAttempts(
  db: Queryable,
  attempts: readonly FinishedAttempt[],
): Promise<RecordedAttempt[]> {
  const moved = await rows<{
    id: CallbackId
    epoch: bigint
    laneId: LaneId
    troubled: boolean
    filled: boolean
  }>(db, {
    name: 'record_attempts',
    // Rows of the outbox are locked in the order of their ids, as in every statement that locks several, so that they cannot
    // deadlock. A callback is changed only under the lock of its row there. "In flight" is written as leased_until, not as
    // state: by state, Postgres would read all rows in flight through their index instead of the few that are wanted.
    text: `
      with result as (
        select *
          from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::timestamptz[], $5::integer[], $6::text[],
                      $7::text[], $8::integer[], $9::text[], $10::text[], $11::integer[], $12::integer[])
               as r (id, epoch, attempt, started_at, duration_ms, url, outcome, status, answer, next, retry_in_ms, schedule_step)
      ), history as (
        insert into callback_attempt
          (callback_id, attempt, started_at, duration_ms, url, outcome, status, answer, schedule_step, retry_in_ms)
        select id, attempt, started_at, duration_ms, url, outcome, status, answer, schedule_step, retry_in_ms
          from result
            on conflict do nothing
      ), locked as (
        select b.callback_id as id, b.lane_id, r.epoch, r.next, r.retry_in_ms, r.status,
               r.next = 'retry' and c.delivered_at is null as again
          from callback_outbox b
          join result r on r.id = b.callback_id and r.epoch = b.lease_epoch
          join callback c on c.id = b.callback_id
         where b.leased_until is not null
         order by b.callback_id
           for update of b
      ), owed as (
        update callback_outbox b
           set state = 'due', leased_until = null, schedule_step = b.schedule_step + 1,
               due_at = now() + r.retry_in_ms * interval '1 millisecond'
          from locked r
         where b.callback_id = r.id and r.again
      ), settled as (
        delete from callback_outbox where callback_id = any(array(select id from locked where not again))
      ), moved as (
        update callback c
           set attempts = c.attempts + 1,
               last_status = r.status,
               delivered_at = case when r.next = 'delivered' then coalesce(c.delivered_at, now())
                                   else c.delivered_at end,
               exhausted_at = case when r.next = 'exhausted' and c.delivered_at is null then now() end
          from locked r
         where c.id = r.id
      )
      select r.id, r.epoch, l.id as "laneId",
             l.failures > 0 or l.opened_at is not null or l.slow_start is not null as troubled,
             l.cap_reached
               and l.cap < least(l.cap_max, case when l.cap_limited_until > now() then l.cap_limit end) as filled
        from locked r
        join callback_lane l on l.id = r.lane_id`,
    values: columns(attempts),
  })
  const byLease = new Map(moved.map(row => [leaseKey(row), row]))
  return attempts.map(attempt => {
    const row = byLease.get(leaseKey(attempt))
    const { laneId, troubled, filled } = row ?? { laneId: null, troubled: false, filled: false }
    return { moved: row !== undefined, laneId, troubled, filled }
  })
}

function columns(attempts: readonly FinishedAttempt[]): unknown[] {
  return [
    plainArray(attempts.map(a => a.id)),
    plainArray(attempts.map(a => a.epoch)),
    plainArray(attempts.map(a => a.attempt)),
    plainArray(attempts.map(a => a.startedAt.toISOString())),
    plainArray(attempts.map(a => a.durationMs)),
    attempts.map(a => a.url),
    attempts.map(a => a.outcome),
    plainArray(attempts.map(a => a.status)),
    attempts.map(a => a.answer),
    plainArray(attempts.map(a => a.next.kind)),
    plainArray(attempts.map(a => (a.next.kind === 'retry' ? a.next.inMs : null))),
    plainArray(attempts.map(a => a.scheduleStep)),
  ]
}

/** Writes an array in Postgres' notation, of values that need no quotes. Faster than pg, which checks every value for escapes. */
function plainArray(values: readonly (bigint | number | string | null)[]): string {
  return `{${values.map(value => value ?? 'null').join()}}`
}
