import type { Pool } from '../../src/db/pool.ts'
import type { SeededCallback } from './seed-callback.ts'

// Callbacks as couriers leave them, by SQL: for tests of what comes after.

/** Due in an hour, five attempts of its schedule made. */
export function waitLong(pool: Pool, { callbackId }: SeededCallback): Promise<unknown> {
  return pool.query(
    `with owed as (
       update callback_outbox set due_at = now() + interval '1 hour', schedule_step = 5 where callback_id = $1
     )
     update callback set attempts = 5, last_status = 503 where id = $1`,
    [callbackId],
  )
}

export function deliver(pool: Pool, { callbackId }: SeededCallback): Promise<unknown> {
  return finish(pool, callbackId, 'delivered_at')
}

export function exhaust(pool: Pool, { callbackId }: SeededCallback): Promise<unknown> {
  return finish(pool, callbackId, 'exhausted_at')
}

/** Due now, though it has ended. */
export function oweAgain(pool: Pool, { callbackId }: Pick<SeededCallback, 'callbackId'>): Promise<unknown> {
  return pool.query(
    `insert into callback_outbox (callback_id, lane_id) select id, lane_id from callback where id = $1`,
    [callbackId],
  )
}

/** In flight until its lease runs out in half a minute. */
export function lease(pool: Pool, { callbackId }: SeededCallback): Promise<unknown> {
  return pool.query(
    `update callback_outbox
        set state = 'in_flight', lease_epoch = nextval('callback_epoch'), leased_until = now() + interval '30 seconds'
      where callback_id = $1`,
    [callbackId],
  )
}

function finish(pool: Pool, id: bigint, column: 'delivered_at' | 'exhausted_at'): Promise<unknown> {
  return pool.query(
    `with settled as (
       delete from callback_outbox where callback_id = $1
     )
     update callback set ${column} = now(), attempts = attempts + 1 where id = $1`,
    [id],
  )
}

/** How a callback stands: state, schedule_step, whether it is due now, and whether it has ended in either way. */
export async function standingOf(pool: Pool, { callbackId }: SeededCallback) {
  const { rows } = await pool.query(
    `select s.state, s.schedule_step as step, s.due_at <= now() as now, c.delivered_at is not null as delivered,
            c.exhausted_at is not null as exhausted
       from callback c
       join callback_state s on s.callback_id = c.id
      where c.id = $1`,
    [callbackId],
  )
  return rows[0]
}
