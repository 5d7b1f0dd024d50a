import { failpoint } from '../../base/failpoint.ts'
import type { CreditId, MerchantId, OrderId } from '../../base/ids.ts'
import type { LegacyUnits, UsdtUnits } from '../../base/money.ts'
import { run, type Tx } from '../../db/pool.ts'
import type { AnnouncedState } from './callback.ts'

/** A callback to be written with the credit that causes it. */
export interface NewCallback {
  /** From `callbackKey` or `depositKey`. */
  key: string
  merchantId: MerchantId
  /** Null for a deposit. */
  orderId: OrderId | null
  creditId: CreditId
  /** The amount it announces. */
  bodyAmount: LegacyUnits
  /** Of the order, right after the credit; of a deposit, the sum of its address's deposits. */
  received: UsdtUnits
  orderState: AnnouncedState | null
  late: boolean
  /** From `originOf`: with the merchant, the lane it waits in. */
  origin: string
}

/** The channel that notifies couriers of due callbacks. */
export const dueChannel = 'callback_due'

/**
 * Writes callbacks and their outbox rows in the transaction of their credits. Makes the lanes that are missing, and notifies
 * the couriers at commit. Those of a disabled merchant are written as held.
 */
export async function insertCallbacks(tx: Tx, callbacks: readonly NewCallback[]): Promise<void> {
  if (callbacks.length === 0) return
  await makeLanes(tx, callbacks)
  await run(
    tx,
    `with written as (
       insert into callback
         (key, merchant_id, order_id, credit_id, body_amount, received, order_state, late, lane_id)
       select c.key, c.merchant_id, c.order_id, c.credit_id, c.body_amount, c.received, c.order_state, c.late, l.id
         from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
                     $8::boolean[], $9::text[]) with ordinality
                as c (key, merchant_id, order_id, credit_id, body_amount, received, order_state, late, origin, position)
         join callback_lane l on l.merchant_id = c.merchant_id and l.origin = c.origin
        order by c.position
       returning id, merchant_id, lane_id
     )
     insert into callback_outbox (callback_id, lane_id, state)
     select w.id, w.lane_id, case when m.disabled_at is null then 'due' else 'held' end
       from written w
       join merchant m on m.id = w.merchant_id
      order by w.id`,
    [
      callbacks.map(c => c.key),
      callbacks.map(c => c.merchantId),
      callbacks.map(c => c.orderId),
      callbacks.map(c => c.creditId),
      callbacks.map(c => c.bodyAmount),
      callbacks.map(c => c.received),
      callbacks.map(c => c.orderState),
      callbacks.map(c => c.late),
      callbacks.map(c => c.origin),
    ],
  )
  failpoint('callback:before-notify')
  await notifyCouriers(tx)
}

/** Notifies the couriers at commit. One notification says that something is due, however many callbacks that is. */
export async function notifyCouriers(tx: Tx): Promise<void> {
  await run(tx, `select pg_notify($1, '')`, [dueChannel])
}

/** Makes the lanes that are missing. They are sorted, so that two transactions that need the same ones cannot deadlock. */
export async function makeLanes(
  tx: Tx,
  callbacks: readonly Pick<NewCallback, 'merchantId' | 'origin'>[],
): Promise<void> {
  await run(
    tx,
    `insert into callback_lane (merchant_id, origin)
     select distinct c.merchant_id, c.origin
       from unnest($1::bigint[], $2::text[]) as c (merchant_id, origin)
      where not exists (select from callback_lane l where l.merchant_id = c.merchant_id and l.origin = c.origin)
      order by c.merchant_id, c.origin
         on conflict (merchant_id, origin) do nothing`,
    [callbacks.map(c => c.merchantId), callbacks.map(c => c.origin)],
  )
}

/**
 * Reads the origin of a callback's URL, default ports spelled out: `https://shop.example:443`.
 * @returns 'none' without a URL, or with one that cannot be parsed (no order and no merchant is stored with such a one).
 */
export function originOf(url: string | null): string {
  if (url === null || !URL.canParse(url)) return 'none'
  const { protocol, hostname, port } = new URL(url)
  return `${protocol}//${hostname}:${port || (protocol === 'http:' ? '80' : '443')}`
}
