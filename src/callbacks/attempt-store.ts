import type { Queryable } from '../db/pool.ts'
import type { Lease } from './lease-store.ts'
import type { RetryDecision } from './retry-schedule.ts'

/** An attempt that was made, and what follows from it. */
export interface FinishedAttempt extends Lease {
  /** Its number, from 1. */
  attempt: number
  startedAt: Date
  durationMs: number
  /** Empty when there was none to send to. */
  url: string
  /** acknowledged, refused, or the kind of failure. */
  outcome: string
  status: number | null
  answer: string | null
  next: { kind: 'delivered' } | RetryDecision
}

/**
 * Writes attempts into history and moves their callbacks on, in one statement for all of them. Only who still holds the
 * lease moves a callback: a late result stands in the history and changes nothing. What has been acknowledged once
 * stays acknowledged, whatever a resend of it comes to. Writing the same attempt twice is harmless.
 * @returns for each attempt, whether it moved its callback.
 */
export async function recordAttempts(
  db: Queryable,
  attempts: readonly FinishedAttempt[],
): Promise<boolean[]> {
  const { rows } = await db.query<Lease>({
    name: 'record_attempts',
    // Callbacks are locked in the order of their ids, as everybody does who takes several: so none wait in a circle.
    text: `
      with result as (
        select *
          from unnest($1::bigint[], $2::integer[], $3::integer[], $4::timestamptz[], $5::integer[], $6::text[],
                      $7::text[], $8::integer[], $9::text[], $10::text[], $11::bigint[])
               as r (id, epoch, attempt, started_at, duration_ms, url, outcome, status, answer, next, retry_in_ms)
      ), history as (
        insert into callback_attempt
          (callback_id, attempt, started_at, duration_ms, url, outcome, status, answer)
        select id, attempt, started_at, duration_ms, url, outcome, status, answer
          from result
            on conflict do nothing
      ), locked as (
        select c.id, r.next, r.retry_in_ms, r.status
          from callback c
          join result r on r.id = c.id and r.epoch = c.lease_epoch
         where c.state = 'in_flight'
         order by c.id
           for no key update of c
      ), moved as (
        update callback c
           set state = case when r.next = 'delivered' or c.delivered_at is not null then 'delivered'
                            when r.next = 'exhausted' then 'exhausted'
                            else 'due' end,
               delivered_at = case when r.next = 'delivered' then coalesce(c.delivered_at, now())
                                   else c.delivered_at end,
               attempts = c.attempts + 1,
               schedule_step = c.schedule_step + 1,
               due_at = case when r.next = 'retry' and c.delivered_at is null
                             then now() + r.retry_in_ms * interval '1 millisecond'
                             else c.due_at end,
               leased_until = null,
               last_status = r.status
          from locked r
         where r.id = c.id
        returning c.id, c.lease_epoch as epoch
      )
      select id, epoch from moved`,
    values: columns(attempts),
  })
  const moved = new Set(rows.map(row => `${row.id} ${row.epoch}`))
  return attempts.map(attempt => moved.has(`${attempt.id} ${attempt.epoch}`))
}

function columns(attempts: readonly FinishedAttempt[]): unknown[] {
  return [
    attempts.map(a => a.id),
    attempts.map(a => a.epoch),
    attempts.map(a => a.attempt),
    attempts.map(a => a.startedAt),
    attempts.map(a => a.durationMs),
    attempts.map(a => a.url),
    attempts.map(a => a.outcome),
    attempts.map(a => a.status),
    attempts.map(a => a.answer),
    attempts.map(a => a.next.kind),
    attempts.map(a => (a.next.kind === 'retry' ? a.next.inMs : null)),
  ]
}
