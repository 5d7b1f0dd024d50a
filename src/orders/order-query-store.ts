import type { OrderKey } from '../base/ids.ts'
import type { LegacyUnits, UsdtUnits } from '../base/money.ts'
import type { CallbackState } from '../callbacks/outbox/callback.ts'
import { promptly, type Queryable, rows } from '../db/pool.ts'

/** An order with its transfers, sightings and callbacks. In the lists amounts are base units as text, times Unix seconds. */
export interface OrderDetails {
  ordersn: string
  orderid: string
  username: string
  localusermark: string
  address: string
  amount: UsdtUnits
  received: UsdtUnits
  announced: LegacyUnits
  createdAt: Date
  expiresAt: Date
  /** null: it is of an older version, and none was needed yet. */
  payToken: Buffer | null
  /** Block time of the last solidified block. */
  solidifiedTime: Date
  /** In chain order. */
  transfers: {
    txid: string
    log_index: number
    from: string
    amount: string
    block: number
    block_time: number
    late: boolean
    /** signed, agreed or alone; null: recorded by an older version. */
    proof: 'signed' | 'agreed' | 'alone' | null
  }[]
  /** In the order of their blocks. */
  seen: { txid: string; amount: string; confirmations: number }[]
  /** Oldest first. */
  callbacks: {
    id: string
    body_amount: string
    state: CallbackState
    attempts: number
    last_status: number | null
    next_at: number | null
    delivered_at: number | null
  }[]
}

/**
 * Reads orders with their transfers, sightings and callbacks in one statement.
 * @returns for each key, in their order, the order or null.
 */
export async function readOrderDetails(
  db: Queryable,
  keys: readonly OrderKey[],
): Promise<(OrderDetails | null)[]> {
  const query = {
    name: 'read-order-details',
    ...promptly,
    text: `select o.ordersn, o.orderid, o.username, o.localusermark, d.address, o.amount, o.received, o.announced,
                  o.created_at as "createdAt", o.expires_at as "expiresAt", s.block_time as "solidifiedTime",
                  l.token as "payToken",
                  (select coalesce(json_agg(json_build_object(
                            'txid', t.txid, 'log_index', t.log_index, 'from', t.from_address, 'amount', t.amount::text,
                            'block', t.block_height, 'block_time', floor(extract(epoch from t.block_time)),
                            'late', c.late, 'proof', p.proof) order by t.block_height, t.tx_index, t.log_index), '[]')
                     from credit c
                     join transfer t on t.id = c.transfer_id
                     left join transfer_proof p on p.transfer_id = t.id
                    where c.order_id = o.id) as transfers,
                  (select coalesce(json_agg(json_build_object(
                            'txid', v.txid, 'amount', v.amount::text,
                            'confirmations', greatest(coalesce(h.height, 0) - v.block_height, 0))
                            order by v.block_height, v.txid, v.log_index), '[]')
                     from seen_transfer v
                    where v.deposit_address_id = o.deposit_address_id
                      -- A solidified transfer is recorded; its sighting, deleted a moment later, must not show it twice.
                      and v.block_height > s.height) as seen,
                  (select coalesce(json_agg(json_build_object(
                            'id', b.key, 'body_amount', b.body_amount::text, 'state', s.state, 'attempts', b.attempts,
                            'last_status', b.last_status,
                            'next_at', case when s.state = 'due' then floor(extract(epoch from s.due_at)) end,
                            'delivered_at', floor(extract(epoch from b.delivered_at))) order by b.id), '[]')
                     from callback b
                     join callback_state s on s.callback_id = b.id
                    where b.order_id = o.id) as callbacks
             from unnest($1::bigint[], $2::text[], $3::text[]) with ordinality
                    as k (merchant_id, orderid, ordersn, position)
             left join lateral (
               select *
                 from recharge_order
                where merchant_id = k.merchant_id and orderid = k.orderid
                  and (k.ordersn is null or ordersn = k.ordersn)
               union all
               select *
                 from recharge_order
                where k.orderid is null and ordersn = k.ordersn and merchant_id = k.merchant_id
             ) o on true
             left join deposit_address d on d.id = o.deposit_address_id
             left join pay_link l on l.order_id = o.id
             left join chain_cursor s on true
             left join chain_head h on true
            order by k.position`,
    values: [keys.map(k => k.merchantId), keys.map(k => k.orderid), keys.map(k => k.ordersn)],
  }
  const found = await rows<OrderDetails | { ordersn: null }>(db, query)
  return found.map(order => (order.ordersn === null ? null : order))
}
