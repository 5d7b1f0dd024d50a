import type { DepositAddressId, MerchantId, OrderId } from '../base/ids.ts'
import type { LegacyUnits, UsdtUnits } from '../base/money.ts'
import { rows, run, type Tx } from '../db/pool.ts'

/** An order that may be paid, with what crediting it and announcing the credit need. */
export interface PayingOrder {
  id: OrderId
  merchantId: MerchantId
  depositAddressId: DepositAddressId
  amount: UsdtUnits
  received: UsdtUnits
  /** The sum of its callbacks. */
  announced: LegacyUnits
  /** Rounded up to a millisecond: it is eligible by this time exactly if it is by the microsecond. */
  createdAt: Date
  /** The same moment in microseconds, to tell which of two orders is the older one. */
  createdMicros: bigint
  expiresAt: Date
  /** Where a callback would go now: the order's notify_url, else the merchant's default URL. */
  callbackUrl: string | null
}

/**
 * Asks for orders of one address, as a transfer in a block at `time` may pay them.
 * - with an amount: the oldest `take` open orders whose remainder is exactly that.
 * - without: the oldest `take` open orders, the newest eligible order, and the oldest order of all.
 */
export interface PayableAsked {
  depositAddressId: DepositAddressId
  time: Date
  /** The last moment of creation of an eligible order. */
  eligibleUntil: Date
  amount: UsdtUnits | null
  take: number
}

/**
 * Reads the orders that are asked for, each once, by index: however many orders an address has, only these are read. Without
 * locks: only crediting changes an order's totals, and whoever credits has locked the cursor.
 * @param tx holds the cursor's lock.
 */
export async function readPayableOrders(tx: Tx, asked: readonly PayableAsked[]): Promise<PayingOrder[]> {
  if (asked.length === 0) return []
  return rows<PayingOrder>(
    tx,
    `select o.id, ${payingColumns}, o.callback_url as "callbackUrl"
       from payable_orders($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::integer[]) o`,
    [
      asked.map(({ depositAddressId }) => depositAddressId),
      asked.map(({ time }) => time),
      asked.map(({ eligibleUntil }) => eligibleUntil),
      asked.map(({ amount }) => amount),
      asked.map(({ take }) => take),
    ],
  )
}

/** Reads these orders. @param tx holds the cursor's lock. */
export async function readPayingOrders(tx: Tx, ids: readonly OrderId[]): Promise<PayingOrder[]> {
  return rows<PayingOrder>(
    tx,
    `select o.id, ${payingColumns}, coalesce(o.notify_url, m.callback_url) as "callbackUrl"
       from recharge_order o
       join merchant m on m.id = o.merchant_id
      where o.id = any($1::bigint[])`,
    [ids],
  )
}

const payingColumns = `o.merchant_id as "merchantId", o.deposit_address_id as "depositAddressId", o.amount, o.received, o.announced,
            date_trunc('milliseconds', o.created_at + interval '999 microseconds') as "createdAt",
            (extract(epoch from o.created_at) * 1000000)::bigint as "createdMicros", o.expires_at as "expiresAt"`

/** Writes the totals of orders. @param tx holds the cursor's lock. */
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
