import type { MerchantId, OrderId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'

/** An order whose window is over, as it was when that was noticed. */
export interface ExpiredOrder {
  id: OrderId
  merchantId: MerchantId
  appid: string
  orderid: string
  ordersn: string
  localusermark: string
  address: string
  amount: UsdtUnits
  received: UsdtUnits
  notifyUrl: string | null
  createdAt: Date
  expiresAt: Date
}

/** Begins to tell those merchants who have asked since, of orders created from now on, and ends with those who do not ask any more. */
export async function keepExpiryCursors(db: Queryable): Promise<void> {
  await run(
    db,
    `delete from expiry_cursor c
      using merchant m
      where m.id = c.merchant_id and not 'order.expired' = any(m.events)`,
  )
  await run(
    db,
    `insert into expiry_cursor (merchant_id)
     select id from merchant where 'order.expired' = any(events)
         on conflict (merchant_id) do nothing`,
  )
}

/**
 * Reads the orders that have expired since the merchants were told last, those of each merchant in the order of their creation,
 * up to the first that has not expired. With windows of one length that is the order in which they expire. Where the window was
 * made shorter, newer orders wait for the last one of before. Locks the merchants' cursors.
 * @param max the most of each merchant.
 */
export async function takeExpired(tx: Tx, max: number): Promise<ExpiredOrder[]> {
  return rows<ExpiredOrder>(
    tx,
    `with told as (
       select merchant_id, created_at, order_id
         from expiry_cursor
        order by merchant_id
          for update skip locked
     )
     select o.id, o.merchant_id as "merchantId", m.appid, o.orderid, o.ordersn, o.localusermark, a.address, o.amount, o.received,
            o.notify_url as "notifyUrl", o.created_at as "createdAt", o.expires_at as "expiresAt"
       from told
       join merchant m on m.id = told.merchant_id
      cross join lateral (
        select *, bool_and(expires_at < (select block_time from chain_cursor)) over (order by created_at, id) as reached
          from (select *
                  from recharge_order
                 where merchant_id = told.merchant_id and (created_at, id) > (told.created_at, told.order_id)
                 order by created_at, id
                 limit $1) next
       ) o
       join deposit_address a on a.id = o.deposit_address_id
      where o.reached
      order by o.merchant_id, o.created_at, o.id`,
    [max],
  )
}

/** Notes the last order of each merchant that was taken. Its time is read from its row: Postgres has microseconds. */
export async function noteExpired(tx: Tx, taken: readonly ExpiredOrder[]): Promise<void> {
  const last = new Map(taken.map(({ merchantId, id }) => [merchantId, id]))
  await run(
    tx,
    `update expiry_cursor c
        set created_at = o.created_at, order_id = o.id
       from unnest($1::bigint[]) as t (id)
       join recharge_order o on o.id = t.id
      where c.merchant_id = o.merchant_id`,
    [[...last.values()]],
  )
}
