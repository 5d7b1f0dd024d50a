import { type Pool, promptly, type Queryable, rows } from '../db/pool.ts'
import type { ExistingOrder, OrderRequest } from './order.ts'

/** An order to be written, with its address and its ordersn. */
export interface NewOrder extends OrderRequest {
  address: string
  ordersn: string
  payToken: Buffer
}

/** An order as it was read: one of an older version has no token yet. */
export type ReadOrder = Omit<ExistingOrder, 'payToken'> & { payToken: Buffer | null }

/**
 * Writes orders in one statement, which also checks that each address is its user's: the base address, the address of
 * this orderid, or an imported one. Sorted by key, so that two replicas with the same orders wait instead of deadlocking.
 * @param orderWindowMs the length of the window, which begins now by the database's clock: all replicas share that one.
 * @returns expires_at in Unix seconds by ordersn. An order that is missing exists already, or may not use its address.
 */
export async function insertOrders(
  pool: Pool,
  orders: readonly NewOrder[],
  orderWindowMs: number,
): Promise<Map<string, number>> {
  const query = {
    name: 'insert-orders',
    rowMode: 'array' as const,
    ...promptly,
    text: `with created as (
           insert into recharge_order
             (merchant_id, orderid, ordersn, username, localusermark, deposit_address_id, amount, notify_url, expires_at)
           select o.merchant_id, o.orderid, o.ordersn, o.username, o.localusermark, d.id, o.amount, o.notify_url,
                  now() + $9 * interval '1 ms'
             from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                         $8::text[])
                    as o (merchant_id, orderid, ordersn, username, localusermark, address, amount, notify_url)
             join lateral (
               -- Look up the address by its unique key. Found by its user, each order of a user with ten thousand
               -- addresses would read ten thousand rows. The offset keeps the planner from choosing that.
               select * from deposit_address where address = o.address offset 0
             ) d
               on d.merchant_id = o.merchant_id
              and d.localusermark = o.localusermark
              and (d.orderid is null or d.orderid = o.orderid)
            order by o.merchant_id, o.orderid
               on conflict (merchant_id, orderid) do nothing
        returning id, ordersn, expires_at
           ), linked as (
           insert into pay_link (order_id, token, return_url)
           select created.id, link.token, link.return_url
             from created
             join unnest($3::text[], $10::bytea[], $11::text[]) as link (ordersn, token, return_url) using (ordersn)
           )
           select ordersn, floor(extract(epoch from expires_at))::float8
             from created`,
    values: [
      orders.map(o => o.merchantId),
      orders.map(o => o.orderid),
      orders.map(o => o.ordersn),
      orders.map(o => o.username),
      orders.map(o => o.localusermark),
      orders.map(o => o.address),
      orders.map(o => o.amount),
      orders.map(o => o.notifyUrl),
      orderWindowMs,
      orders.map(o => o.payToken),
      orders.map(o => o.returnUrl),
    ],
  }
  return new Map(await rows<[string, number]>(pool, query))
}

/**
 * Reads the orders that have these orderids. A statement after the insert sees the rows that the insert conflicted with.
 * @returns for each key, in their order, the order or null.
 */
export async function readOrders(
  db: Queryable,
  keys: readonly Pick<OrderRequest, 'merchantId' | 'orderid'>[],
): Promise<(ReadOrder | null)[]> {
  const query = {
    name: 'read-orders',
    ...promptly,
    text: `select o.ordersn, o.username, o.localusermark, d.address, d.orderid is not null as "ownAddress", o.amount,
                  o.notify_url as "notifyUrl", floor(extract(epoch from o.expires_at))::float8 as "expiresAt",
                  l.token as "payToken", l.return_url as "returnUrl"
             from unnest($1::bigint[], $2::text[]) with ordinality as k (merchant_id, orderid, position)
             left join recharge_order o on o.merchant_id = k.merchant_id and o.orderid = k.orderid
             left join deposit_address d on d.id = o.deposit_address_id
             left join pay_link l on l.order_id = o.id
            order by k.position`,
    values: [keys.map(k => k.merchantId), keys.map(k => k.orderid)],
  }
  const found = await rows<ReadOrder | { ordersn: null }>(db, query)
  return found.map(order => (order.ordersn === null ? null : order))
}
