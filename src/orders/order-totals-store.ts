import type { DepositAddressId, MerchantId, OrderId } from '../base/ids.ts'
import type { LegacyUnits, UsdtUnits } from '../base/money.ts'
import type { Tx } from '../db/pool.ts'

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
  /** Where its callbacks go as things are now: its own notify_url, else the merchant's. */
  callbackUrl: string | null
}

/**
 * Locks, in id order, the orders that any of the transfers may pay: per transfer the open ones, the newest eligible
 * one and the oldest of all, which is what attribution chooses from.
 */
export async function lockPayableOrders(
  tx: Tx,
  transfers: readonly { depositAddressId: bigint; time: Date }[],
  graceMs: number,
): Promise<PayingOrder[]> {
  if (transfers.length === 0) return []
  const { rows } = await tx.query(
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
  return rows
}

/** Writes the totals of orders that are locked. */
export async function writeOrderTotals(
  tx: Tx,
  orders: readonly { id: bigint; received: UsdtUnits; announced: bigint }[],
): Promise<void> {
  await tx.query(
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
