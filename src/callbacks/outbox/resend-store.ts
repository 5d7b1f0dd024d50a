import type { CallbackId, MerchantId, OrderKey } from '../../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../../db/pool.ts'
import type { CallbackState } from './callback.ts'

/** A callback that is to be sent again, in its current state. */
export interface Resendable {
  id: CallbackId
  merchantId: MerchantId
  state: CallbackState
  /** The URL it goes to now: its order's, else the merchant's. */
  url: string | null
}

/** Reads the current state of callbacks, without locks. */
export async function readResendable(db: Queryable, ids: readonly CallbackId[]): Promise<Resendable[]> {
  return rows(
    db,
    // The state is read row by row, so that the outbox is searched by its key. A join could be planned as a scan of the whole
    // outbox: it fills and empties faster than its statistics are updated.
    `select c.id, c.merchant_id as "merchantId", coalesce(o.notify_url, m.callback_url) as url,
            (select s.state from callback_state s where s.callback_id = c.id) as state
       from callback c
       left join recharge_order o on o.id = c.order_id
       join merchant m on m.id = c.merchant_id
      where c.id = any($1::bigint[])
      order by c.id`,
    [ids],
  )
}

/**
 * Makes callbacks that owe an attempt due now and restarts their schedule. One that is due already keeps its place. One in
 * flight is left alone. Those of a disabled merchant stay held until it is enabled.
 * @returns those that were moved.
 */
export async function makeDueNow(tx: Tx, ids: readonly CallbackId[]): Promise<CallbackId[]> {
  const moved = await rows<{ id: CallbackId }>(
    tx,
    `with locked as (
       -- In the order of their ids, as in every statement that locks several, so that they cannot deadlock.
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
  return moved.map(({ id }) => id)
}

/**
 * Puts finished callbacks back into the outbox: due now, their schedule restarted. An acknowledged one stays acknowledged,
 * however the attempt ends. An exhausted one is no longer exhausted.
 * @param callbacks with the origins they go to now. The lanes of these exist.
 * @returns those that were moved. One that is already back in the outbox is not among them.
 */
export async function reopenCallbacks(
  tx: Tx,
  callbacks: readonly { id: CallbackId; merchantId: MerchantId; origin: string }[],
): Promise<CallbackId[]> {
  const reopened = await rows<{ id: CallbackId }>(
    tx,
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
  const ids = reopened.map(({ id }) => id)
  await run(
    tx,
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
 * Makes the next probe of lanes with an open circuit due now: a resend suggests that the endpoint works again. It stays one
 * probe at a time.
 * @param ids callbacks in these lanes.
 */
export async function probeLanesNow(tx: Tx, ids: readonly CallbackId[]): Promise<void> {
  await run(
    tx,
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

/**
 * Reads the ids of an order's callbacks, ascending.
 * @param max the most to read: those that are not acknowledged before the others, the oldest first.
 * @returns them, and how many more the order has; null when the merchant has no such order.
 */
export async function readOrderCallbacks(
  db: Queryable,
  order: OrderKey,
  max: number,
): Promise<{ ids: CallbackId[]; more: number } | null> {
  const named =
    order.orderid === null
      ? 'o.ordersn = $3 and $2::text is null'
      : 'o.orderid = $2 and ($3::text is null or o.ordersn = $3)'
  const found = await rows<{ id: CallbackId | null; total: number }>(
    db,
    `select c.id, count(*) over ()::float8 as total
       from recharge_order o
       left join callback c on c.order_id = o.id
      where o.merchant_id = $1 and ${named}
      order by c.delivered_at is not null, c.id
      limit $4`,
    [order.merchantId, order.orderid, order.ordersn, max],
  )
  if (found.length === 0) return null
  const ids = found.flatMap(({ id }) => id ?? []).toSorted((a, b) => (a < b ? -1 : 1))
  return { ids, more: found[0]!.total - found.length }
}
