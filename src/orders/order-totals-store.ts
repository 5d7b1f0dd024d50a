import type { DepositAddressId, MerchantId, OrderId } from '../base/ids.ts'
import type { LegacyUnits, UsdtUnits } from '../base/money.ts'
import { rows, run, type Tx } from '../db/pool.ts'

/** A locked order, with what crediting it and announcing the credit need. */
export interface PayingOrder {
  id: OrderId
  merchantId: MerchantId
  depositAddressId: DepositAddressId
  amount: UsdtUnits
  received: UsdtUnits
  /** The sum of its callbacks. */
  announced: LegacyUnits
  createdAt: Date
  expiresAt: Date
  /** Where a callback would go now: the order's notify_url, else the merchant's default URL. */
  callbackUrl: string | null
}

/**
 * Locks, in id order, the orders that any of the transfers may pay. Attribution chooses from these: for each transfer the
 * open orders on its address, the newest eligible one and the oldest one.
 */
export async function lockPayableOrders(
  tx: Tx,
  transfers: readonly { depositAddressId: DepositAddressId; time: Date }[],
  graceMs: number,
): Promise<PayingOrder[]> {
  if (transfers.length === 0) return []
  return rows<PayingOrder>(
    tx,
    `with payable as (
       select distinct candidate.id
         from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) as t (deposit_address_id, time, eligible_until)
        cross join lateral (
          (select o.id
             from recharge_order o
            where o.deposit_address_id = t.deposit_address_id
              and o.created_at <= t.eligible_until
              and o.received < o.amount
              and o.expires_at >= t.time)
          union all
          (select o.id
             from recharge_order o
            where o.deposit_address_id = t.deposit_address_id
              and o.created_at <= t.eligible_until
            order by o.created_at desc, o.id desc
            limit 1)
          union all
          (select o.id
             from recharge_order o
            where o.deposit_address_id = t.deposit_address_id
            order by o.created_at, o.id
            limit 1)
        ) as candidate
     )
     select o.id, o.merchant_id as "merchantId", o.deposit_address_id as "depositAddressId", o.amount, o.received,
            o.announced, o.created_at as "createdAt", o.expires_at as "expiresAt",
            coalesce(o.notify_url, m.callback_url) as "callbackUrl"
       from recharge_order o
       join merchant m on m.id = o.merchant_id
      where o.id in (select id from payable)
      order by o.id
        for update of o`,
    [
      transfers.map(transfer => transfer.depositAddressId),
      transfers.map(transfer => transfer.time),
      transfers.map(transfer => new Date(transfer.time.getTime() + graceMs)),
    ],
  )
}

/** Writes the totals of locked orders. */
export async function writeOrderTotals(
  tx: Tx,
  orders: readonly Pick<PayingOrder, 'id' | 'received' | 'announced'>[],
): Promise<void> {
  await run(
    tx,
    `update recharge_order o
        set received = t.received, announced = t.announced
       from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as t (id, received, announced)
      where o.id = t.id`,
    [
      orders.map(order => order.id),
      orders.map(order => order.received),
      orders.map(order => order.announced),
    ],
  )
}
