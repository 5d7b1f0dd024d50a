import type { OrderKey } from '../../base/ids.ts'
import type { Queryable, Tx } from '../../db/pool.ts'
import { type CallbackState, stateOf } from './list-callbacks.ts'

/** A callback that somebody wants sent again, as it stands. */
export interface Resendable {
  id: bigint
  merchantId: bigint
  state: CallbackState
  /** Where it goes as things are now: the order's URL, else the merchant's. */
  url: string | null
}

/** Reads how callbacks stand, locking nothing. */
export async function readResendable(db: Queryable, ids: readonly bigint[]): Promise<Resendable[]> {
  const { rows } = await db.query<Resendable>(
    // Asked for the ids twice, here and below, the outbox is searched by its key: whatever the statistics say of a table
    // that fills and empties.
    `select c.id, c.merchant_id as "merchantId", ${stateOf} as state, coalesce(o.notify_url, m.callback_url) as url
       from callback c
       left join callback_outbox b on b.callback_id = c.id and b.callback_id = any($1::bigint[])
       join recharge_order o on o.id = c.order_id
       join merchant m on m.id = c.merchant_id
      where c.id = any($1::bigint[])
      order by c.id`,
    [ids],
  )
  return rows
}

/**
 * Makes callbacks due now that owe an attempt, their schedule from its beginning; one that is due already keeps its place.
 * One that is being sent is left alone. A disabled merchant's stay held, and go when it is enabled.
 * @returns those that were moved.
 */
export async function hastenCallbacks(tx: Tx, ids: readonly bigint[]): Promise<bigint[]> {
  const { rows } = await tx.query(
    `with locked as (
       -- In the order of their ids, as everybody does who takes several.
       select callback_id
         from callback_outbox
        where callback_id = any($1::bigint[]) and state <> 'in_flight'
        order by callback_id
          for update
     )
     update callback_outbox b
        set state = case when m.disabled_at is null then 'due' else 'held' end,
            due_at = least(b.due_at, now()), schedule_step = 0
       from callback c
       join merchant m on m.id = c.merchant_id
      where b.callback_id = any(array(select callback_id from locked)) and c.id = b.callback_id
     returning b.callback_id as id`,
    [ids],
  )
  return rows.map(row => row.id)
}

/**
 * Has finished callbacks owe an attempt again, due now, their schedule from its beginning. One that was acknowledged stays
 * so, whatever the attempt comes to; an exhausted one is not exhausted any more.
 * @param callbacks with the origins they go to now, whose lanes exist.
 * @returns those that were moved: not one that owes an attempt meanwhile.
 */
export async function reopenCallbacks(
  tx: Tx,
  callbacks: readonly { id: bigint; merchantId: bigint; origin: string }[],
): Promise<bigint[]> {
  const { rows } = await tx.query(
    `insert into callback_outbox (callback_id, lane_id, state)
     select r.id, l.id, case when m.disabled_at is null then 'due' else 'held' end
       from unnest($1::bigint[], $2::bigint[], $3::text[]) as r (id, merchant_id, origin)
       join callback_lane l on l.merchant_id = r.merchant_id and l.origin = r.origin
       join merchant m on m.id = r.merchant_id
      order by r.id
         on conflict (callback_id) do nothing
     returning callback_id as id`,
    [callbacks.map(c => c.id), callbacks.map(c => c.merchantId), callbacks.map(c => c.origin)],
  )
  const ids = rows.map(row => row.id)
  await tx.query(
    `update callback c
        set exhausted_at = null, lane_id = b.lane_id
       from callback_outbox b
      where b.callback_id = any($1::bigint[]) and c.id = b.callback_id
        and (c.exhausted_at is not null or c.lane_id <> b.lane_id)`,
    [ids],
  )
  return ids
}

/**
 * Has lanes whose circuit is open probed now: whoever resends thinks that the endpoint is back. Still one at a time.
 * @param ids callbacks in these lanes.
 */
export async function probeLanesNow(tx: Tx, ids: readonly bigint[]): Promise<void> {
  await tx.query(
    `with lane as (
       select id
         from callback_lane
        where id = any(array(select lane_id from callback_outbox where callback_id = any($1::bigint[])))
          and probe_at > now()
        order by id
          for no key update
     )
     update callback_lane l
        set probe_at = now()
       from lane
      where l.id = lane.id and l.probe_at is not null`,
    [ids],
  )
}

/** The callbacks of an order. @returns null when there is no such order of this merchant. */
export async function readOrderCallbacks(db: Queryable, order: OrderKey): Promise<bigint[] | null> {
  const named =
    order.orderid === null
      ? 'o.ordersn = $3 and $2::text is null'
      : 'o.orderid = $2 and ($3::text is null or o.ordersn = $3)'
  const { rows } = await db.query(
    `select array(select c.id from callback c where c.order_id = o.id order by c.id) as callbacks
       from recharge_order o
      where o.merchant_id = $1 and ${named}`,
    [order.merchantId, order.orderid, order.ordersn],
  )
  return rows.length === 0 ? null : rows[0].callbacks.map(BigInt)
}
