import type { NetworkName } from '../../../base/config.ts'
import type { DepositAddressId, MerchantId, OrderId } from '../../../base/ids.ts'
import type { LegacyUnits, UsdtUnits } from '../../../base/money.ts'
import { type Queryable, rows } from '../../../db/pool.ts'

/** An order, as its page shows it. */
export interface ConsoleOrder {
  id: OrderId
  merchantId: MerchantId
  appid: string
  merchantName: string
  orderid: string
  ordersn: string
  username: string
  localusermark: string
  addressId: DepositAddressId
  address: string
  /** It serves this order alone. */
  ownAddress: boolean
  amount: UsdtUnits
  received: UsdtUnits
  announced: LegacyUnits
  /** Null: callbacks go to the merchant's default URL. */
  notifyUrl: string | null
  createdAt: Date
  expiresAt: Date
  /** Of its page for payers; null: it is of an older version, and has none yet. */
  payToken: Buffer | null
}

/** Finds an order by our id. @param merchantId of this merchant alone; null: of any. */
export async function findConsoleOrder(
  db: Queryable,
  ordersn: string,
  merchantId: MerchantId | null,
): Promise<ConsoleOrder | null> {
  const [found] = await rows<ConsoleOrder>(
    db,
    `select o.id, o.merchant_id as "merchantId", m.appid, m.name as "merchantName", o.orderid, o.ordersn, o.username,
            o.localusermark, d.id as "addressId", d.address, d.orderid is not null as "ownAddress", o.amount, o.received,
            o.announced, o.notify_url as "notifyUrl", o.created_at as "createdAt", o.expires_at as "expiresAt",
            l.token as "payToken"
       from recharge_order o
       join merchant m on m.id = o.merchant_id
       left join pay_link l on l.order_id = o.id
       join deposit_address d on d.id = o.deposit_address_id
      where o.ordersn = $1 and ($2::bigint is null or o.merchant_id = $2)`,
    [ordersn, merchantId],
  )
  return found ?? null
}

/** The request that created an order. */
export interface CreatingRequest {
  requestId: string | null
  /** The key that signed it; null: it is not known. */
  keyId: bigint | null
  scheme: string | null
  clientAddress: string
  startedAt: Date
}

/** How far a request's start may be from its order's creation, which another clock has told. */
const requestBeforeS = 15
const requestAfterS = 2

/** Requests that are looked through, the latest first. */
const requestsMax = 5_000

/**
 * Finds the request that created an order, in the history of requests.
 * @returns null when it is not there: too old, lost, or behind more requests than are looked through.
 */
export async function readCreatingRequest(
  db: Queryable,
  order: Pick<ConsoleOrder, 'merchantId' | 'orderid' | 'createdAt'>,
): Promise<CreatingRequest | null> {
  const [found] = await rows<CreatingRequest>(
    db,
    `select r.request_id as "requestId", r.key_id as "keyId", k.scheme, r.client_address as "clientAddress",
            r.started_at as "startedAt"
       from (select *
               from api_request
              where merchant_id = $1 and started_at between $3::timestamptz - $4 * interval '1 second'
                                                        and $3::timestamptz + $5 * interval '1 second'
              order by started_at desc
              limit $6) r
       left join merchant_key k on k.id = r.key_id
      where r.endpoint = 'TraderRechargeorder' and r.orderid = $2
      -- Whoever got no answer may have created it, and asked again.
      order by r.code = 'ok' desc, r.started_at
      limit 1`,
    [order.merchantId, order.orderid, order.createdAt, requestBeforeS, requestAfterS, requestsMax],
  )
  return found ?? null
}

/** A transfer to an order's address: credited to the order, or not credited to anything yet. */
export interface OrderTransfer {
  txid: string
  logIndex: number
  from: string
  amount: UsdtUnits
  height: number
  hash: string
  blockTime: Date
  /** When it was first seen at the head of the chain; null: not known, as when it was solid before anyone looked. */
  seenAt: Date | null
  /** held, behind, quarantined, unclaimed: it is recorded and waits; proof: it waits for proof; seen: its block is not solid. */
  state: 'credited' | 'held' | 'behind' | 'quarantined' | 'unclaimed' | 'proof' | 'seen'
  /** When it was recorded, its block being solid; null: it was not. */
  solidAt: Date | null
  /** signed, agreed or alone; null: it is not recorded, or by an older version. */
  proof: 'signed' | 'agreed' | 'alone' | null
  creditedAt: Date | null
  /** Of the order, with this credit; null: it is not credited. */
  received: UsdtUnits | null
  late: boolean | null
}

/** Transfers read of one order, and of what is not credited at its address. */
export const transfersMax = 200

/** Reads the latest transfers credited to an order, and those at its address that are not credited; the oldest first. */
export function readOrderTransfers(
  db: Queryable,
  { id, addressId }: Pick<ConsoleOrder, 'id' | 'addressId'>,
): Promise<OrderTransfer[]> {
  const place = `t.txid, t.log_index as "logIndex", t.from_address as "from", t.amount, t.block_height as height,
                 t.block_hash as hash, t.block_time as "blockTime"`
  const uncredited = `null::timestamptz as "creditedAt", null::bigint as received, null::boolean as late`
  return rows<OrderTransfer>(
    db,
    `select *
       from ((select ${place}, 'credited' as state, f.seen_at as "seenAt", t.created_at as "solidAt", p.proof, c.created_at as "creditedAt",
                     c.received, c.late
                from credit c
                join transfer t on t.id = c.transfer_id
                left join transfer_proof p on p.transfer_id = t.id
                left join first_seen f on f.transfer_id = t.id
               where c.order_id = $1
               order by c.id desc
               limit $3)
             union all
             (select ${place}, w.reason, f.seen_at, t.created_at, p.proof, ${uncredited}
                from waiting_transfer w
                join transfer t on t.id = w.transfer_id
                left join transfer_proof p on p.transfer_id = t.id
                left join first_seen f on f.transfer_id = t.id
               where w.deposit_address_id = $2
               limit $3)
             union all
             (select ${place}, 'proof', null, null, null, ${uncredited}
                from pending_proof t
               where t.deposit_address_id = $2 and t.ended_at is null
               limit $3)
             union all
             (select ${place}, 'seen', t.seen_at, null, null, ${uncredited}
                from seen_transfer t
               where t.deposit_address_id = $2 and t.block_height > (select height from chain_cursor)
               limit $3)) t
      order by height, txid, "logIndex"`,
    [id, addressId, transfersMax],
  )
}

/** How far the chain is. */
export interface ChainNow {
  now: Date
  /** Null: nothing is followed yet. */
  network: NetworkName | null
  /** Block time of the last solidified block; null: nothing is followed yet. */
  solidTime: Date | null
  /** The newest block that was seen; null: none, or sightings are off. */
  headHeight: number | null
}

export async function readChainNow(db: Queryable): Promise<ChainNow> {
  const [read] = await rows<ChainNow>(
    db,
    `select now(), s.network, s.block_time as "solidTime",
            case when h.seen_at > s.updated_at - interval '2 min' then h.height end as "headHeight"
       from (select) as one
       left join chain_cursor s on true
       left join chain_head h on true`,
  )
  return read!
}
