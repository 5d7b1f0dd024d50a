import type { LaneId } from '../../base/ids.ts'
import type { Queryable } from '../../db/pool.ts'
import type { AttemptOutcome } from '../outbox/callback.ts'
import type { Lease } from '../outbox/lease.ts'
import type { RetryDecision } from './retry-schedule.ts'

/** An attempt that was made, and what follows from it. */
export interface FinishedAttempt extends Lease {
  /** Its number, from 1. */
  attempt: number
  startedAt: Date
  durationMs: number
  /** Empty when there was none to send to. */
  url: string
  outcome: AttemptOutcome
  status: number | null
  answer: string | null
  next: { kind: 'delivered' } | RetryDecision
}

/** What recording an attempt came to. */
export interface RecordedAttempt {
  /** Whether it moved its callback: not when its lease had gone to another epoch. */
  moved: boolean
  /** The lane it was in, when it moved, and whether its circuit has anything to forget: failures, or being open. */
  laneId: LaneId | null
  troubled: boolean
}

/**
 * Writes attempts into history and moves their callbacks on, in one statement for all of them. Only who still holds the
 * lease moves a callback: a late result stands in the history and changes nothing. What has been acknowledged once
 * stays acknowledged, whatever a resend of it comes to. Writing the same attempt twice is harmless.
 * @returns for each attempt, what it came to.
 */
export async function recordAttempts(
  db: Queryable,
  attempts: readonly FinishedAttempt[],
): Promise<RecordedAttempt[]> {
  const { rows } = await db.query({
    name: 'record_attempts',
    // Rows of the outbox are locked in the order of their ids, as everybody does who takes several: so none wait in a
    // circle. Only who has that lock touches the callback. In flight is said by leased_until: by state, the planner would
    // read all that are, by their index, for the few that are wanted.
    text: `
      with result as (
        select *
          from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::timestamptz[], $5::integer[], $6::text[],
                      $7::text[], $8::integer[], $9::text[], $10::text[], $11::bigint[])
               as r (id, epoch, attempt, started_at, duration_ms, url, outcome, status, answer, next, retry_in_ms)
      ), history as (
        insert into callback_attempt
          (callback_id, attempt, started_at, duration_ms, url, outcome, status, answer)
        select id, attempt, started_at, duration_ms, url, outcome, status, answer
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
      select r.id, r.epoch, l.id as lane_id,
             l.failures > 0 or l.opened_at is not null or l.slow_start is not null as troubled
        from locked r
        join callback_lane l on l.id = r.lane_id`,
    values: columns(attempts),
  })
  const moved = new Map(rows.map(row => [`${row.id} ${row.epoch}`, row]))
  return attempts.map(attempt => {
    const row = moved.get(`${attempt.id} ${attempt.epoch}`)
    return { moved: row !== undefined, laneId: row?.lane_id ?? null, troubled: row?.troubled ?? false }
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
  ]
}

/** An array as Postgres writes it, of values that need no quotes. pg looks into every value for what to escape. */
function plainArray(values: readonly (bigint | number | string | null)[]): string {
  return `{${values.map(value => value ?? 'null').join()}}`
}
