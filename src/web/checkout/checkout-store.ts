import type { NetworkName } from '../../base/config.ts'
import type { UsdtUnits } from '../../base/money.ts'
import { promptly, type Queryable, rows, run } from '../../db/pool.ts'

/** What is known of an order for its page. In the list amounts are base units as text. */
export interface Checkout {
  token: Buffer
  orderid: string
  address: string
  amount: UsdtUnits
  received: UsdtUnits
  expiresAt: Date
  returnUrl: string | null
  network: NetworkName
  usdtContract: string
  /** Of the last solidified block. */
  solidTime: Date
  /** The newest block that was seen; null: sightings are off. */
  headHeight: number | null
  closed: boolean
  displayName: string
  accent: string | null
  supportUrl: string | null
  qr: 'address' | 'tron' | 'tron-amount'
  frameAncestors: string[]
  hasLogo: boolean
  /** Oldest first: what is credited to the order, what is solidified and waits, and what is at the head. */
  payments: {
    txid: string
    amount: string
    height: number
    time: number
    state: 'seen' | 'checking' | 'credited'
    late: boolean
  }[]
}

/**
 * Reads orders for their pages, in one statement.
 *
 * Of a payment that is not credited nobody knows yet which order it will pay. At an order's own address it can be no other.
 * At an address that serves all orders of a user it is shown while this one is the only open order there, so that no page
 * tells of another order.
 * @returns those that there are, in any order.
 */
export async function readCheckouts(db: Queryable, tokens: readonly Buffer[]): Promise<Checkout[]> {
  return await rows<Checkout>(db, {
    name: 'read-checkouts',
    ...promptly,
    text: `select l.token, o.orderid, d.address, o.amount, o.received, o.expires_at as "expiresAt", l.return_url as "returnUrl",
                  s.network, s.usdt_contract as "usdtContract", s.block_time as "solidTime", 
                  -- A head that nobody has moved for long is of before sightings were switched off.
                  case when h.seen_at > s.updated_at - interval '2 min' then h.height end as "headHeight",
                  m.disabled_at is not null as closed, coalesce(p.display_name, '') as "displayName", p.accent,
                  p.support_url as "supportUrl", coalesce(p.qr, 'address') as qr,
                  coalesce(p.frame_ancestors, '{}') as "frameAncestors", p.logo_type is not null as "hasLogo",
                  (select coalesce(json_agg(json_build_object('txid', f.txid, 'amount', f.amount::text, 'height', f.block_height,
                            'time', floor(extract(epoch from f.block_time)), 'state', f.state, 'late', f.late)
                            order by f.block_height, f.txid, f.log_index), '[]')
                     from (select t.txid, t.log_index, t.amount, t.block_height, t.block_time, 'credited' as state, c.late
                             from credit c
                             join transfer t on t.id = c.transfer_id
                            where c.order_id = o.id
                           union all
                           select w.*, w.block_time > o.expires_at
                             from (select t.txid, t.log_index, t.amount, t.block_height, t.block_time, 'checking'
                                     from waiting_transfer t2
                                     join transfer t on t.id = t2.transfer_id
                                    where t2.deposit_address_id = o.deposit_address_id and t2.reason <> 'unclaimed'
                                   union all
                                   select t.txid, t.log_index, t.amount, t.block_height, t.block_time, 'checking'
                                     from pending_proof t
                                    where t.deposit_address_id = o.deposit_address_id and t.ended_at is null
                                   union all
                                   select t.txid, t.log_index, t.amount, t.block_height, t.block_time, 'seen'
                                     from seen_transfer t
                                    where t.deposit_address_id = o.deposit_address_id and t.block_height > s.height) w
                            where d.orderid is not null
                               or (o.received < o.amount and w.block_time >= o.created_at
                                   and not exists (select
                                                     from recharge_order other
                                                    where other.deposit_address_id = o.deposit_address_id
                                                      and other.id <> o.id and other.received < other.amount))) f
                  ) as payments
             from pay_link l
             join recharge_order o on o.id = l.order_id
             join deposit_address d on d.id = o.deposit_address_id
             join merchant m on m.id = o.merchant_id
             left join merchant_page p on p.merchant_id = m.id
            cross join chain_cursor s
             left join chain_head h on true
            where l.token = any($1::bytea[])`,
    values: [tokens],
  })
}

/** Reads the logo of an order's merchant. @returns null when there is no such order, or no logo. */
export async function readLogo(
  db: Queryable,
  token: Buffer,
): Promise<{ type: string; bytes: Buffer } | null> {
  const [logo] = await rows<{ type: string; bytes: Buffer }>(db, {
    name: 'read-logo',
    ...promptly,
    text: `select p.logo_type as type, p.logo as bytes
             from pay_link l
             join recharge_order o on o.id = l.order_id
             join merchant_page p on p.merchant_id = o.merchant_id
            where l.token = $1 and p.logo is not null`,
    values: [token],
  })
  return logo ?? null
}

/** Ends an order's window now, for a payment that is to be late. On a sandbox alone. */
export async function endWindow(db: Queryable, token: Buffer): Promise<void> {
  await run(db, {
    ...promptly,
    text: `update recharge_order
              set expires_at = least(expires_at, now() - interval '1 second')
            where id = (select order_id from pay_link where token = $1)`,
    values: [token],
  })
}
