import { failpoint } from '../../base/failpoint.ts'
import type { Tx } from '../../db/pool.ts'

/** A callback as the credit that causes it writes it. */
export interface NewCallback {
  /** From `callbackKey`. */
  key: string
  merchantId: bigint
  orderId: bigint
  creditId: bigint
  /** What it announces, in 1/10000 USDT. */
  bodyAmount: bigint
  /** The order's received (base units) and state right after the credit: every attempt says the same. */
  received: bigint
  orderState: 'underpaid' | 'paid' | 'overpaid'
  late: boolean
  /** From `originOf`: the lane it queues in, with its merchant. */
  origin: string
}

/** The channel on which couriers hear that something is due. */
export const dueChannel = 'callback_due'

/**
 * Writes callbacks, and that they are owed, in the transaction of their credits; makes the lanes they lack, and wakes the
 * couriers at commit. A disabled merchant's are written held.
 */
export async function insertCallbacks(tx: Tx, callbacks: readonly NewCallback[]): Promise<void> {
  if (callbacks.length === 0) return
  await makeLanes(tx, callbacks)
  await tx.query(
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
  // One notice however many there are: it is a doorbell, delivered at commit.
  await tx.query(`select pg_notify($1, '')`, [dueChannel])
}

/** Makes lanes that are missing. Sorted, so that two transactions that lack the same ones wait for each other instead of deadlocking. */
export async function makeLanes(
  tx: Tx,
  callbacks: readonly Pick<NewCallback, 'merchantId' | 'origin'>[],
): Promise<void> {
  await tx.query(
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
 * Scheme, host and port of a callback's URL, default ports spelled out: `https://shop.example:443`.
 * @returns 'none' when there is no URL, or one that cannot be read (which no order and no merchant is given).
 */
export function originOf(url: string | null): string {
  if (url === null || !URL.canParse(url)) return 'none'
  const { protocol, hostname, port } = new URL(url)
  return `${protocol}//${hostname}:${port || (protocol === 'http:' ? '80' : '443')}`
}
