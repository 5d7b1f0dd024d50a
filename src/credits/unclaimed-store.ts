import type { DepositAddressId, MerchantId, OrderId, TransferId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import type { IdPage } from '../db/id-page.ts'
import { type Queryable, rows } from '../db/pool.ts'
import type { TronAddress } from '../tron/address.ts'

/** An unclaimed transfer, as an operator sees it. */
export interface ListedUnclaimed {
  id: TransferId
  appid: string
  /** Of the user whose address was paid. Empty: the address was skipped after a restore, and is nobody's yet. */
  localusermark: string
  address: TronAddress
  from: TronAddress
  amount: UsdtUnits
  txid: string
  logIndex: number
  height: number
  /** Of its block. */
  time: Date
}

/** Lists unclaimed transfers, oldest first. Those at addresses that are nobody's yet are in no merchant's list. */
export async function listUnclaimedPage(
  db: Queryable,
  { merchantId, after, limit }: IdPage,
): Promise<ListedUnclaimed[]> {
  return rows<ListedUnclaimed>(
    db,
    `select t.id, m.appid, a.localusermark, a.address, t.from_address as "from", t.amount, t.txid,
            t.log_index as "logIndex", t.block_height as "height", t.block_time as "time"
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
       join deposit_address a on a.id = w.deposit_address_id
       join merchant m on m.id = a.merchant_id
      where w.reason = 'unclaimed' and w.transfer_id > $2
        and ($1::bigint is null or w.merchant_id = $1 and a.localusermark <> '')
      order by w.transfer_id
      limit $3`,
    [merchantId, after ?? 0n, limit],
  )
}

/** Whose address a transfer was paid to. */
export interface PaidAddress {
  addressId: DepositAddressId
  merchantId: MerchantId
  appid: string
  /** Empty: nobody's yet. */
  localusermark: string
  amount: UsdtUnits
  txid: string
  logIndex: number
}

/** Reads whose address a transfer was paid to. @returns null when there is no such transfer, or it is another merchant's. */
export async function readPaidAddress(
  db: Queryable,
  id: TransferId,
  merchantId: MerchantId | null,
): Promise<PaidAddress | null> {
  const [paid] = await rows<PaidAddress>(
    db,
    `select a.id as "addressId", a.merchant_id as "merchantId", m.appid, a.localusermark, t.amount, t.txid,
            t.log_index as "logIndex"
       from transfer t
       join deposit_address a on a.id = t.deposit_address_id
       join merchant m on m.id = a.merchant_id
      where t.id = $1 and ($2::bigint is null or a.merchant_id = $2)`,
    [id, merchantId],
  )
  return paid ?? null
}

/** Finds an order by our id of it, or by its merchant's. */
export async function findOrderOwner(
  db: Queryable,
  by: { ordersn: string } | { orderid: string; merchantId: MerchantId },
): Promise<{ id: OrderId; merchantId: MerchantId; orderid: string } | null> {
  const [order] = await rows<{ id: OrderId; merchantId: MerchantId; orderid: string }>(
    db,
    `select id, merchant_id as "merchantId", orderid
       from recharge_order
      where ${'ordersn' in by ? 'ordersn = $1' : 'merchant_id = $2 and orderid = $1'}`,
    'ordersn' in by ? [by.ordersn] : [by.orderid, by.merchantId],
  )
  return order ?? null
}

/**
 * Finds the address at which something that is assigned to a user becomes a deposit: the one that was paid if it is the
 * user's, else the base address, else the user's first.
 */
export async function findUserAddress(
  db: Queryable,
  merchantId: MerchantId,
  localusermark: string,
  paid: DepositAddressId,
): Promise<DepositAddressId | null> {
  const [found] = await rows<{ id: DepositAddressId }>(
    db,
    `select id
       from deposit_address
      where merchant_id = $1 and localusermark = $2 and localusermark <> ''
      order by id = $3 desc, is_base desc, id
      limit 1`,
    [merchantId, localusermark, paid],
  )
  return found?.id ?? null
}

/** Tells whether a merchant takes deposits. */
export async function takesDeposits(db: Queryable, merchantId: MerchantId): Promise<boolean> {
  const found = await rows(db, `select from merchant where id = $1 and deposits`, [merchantId])
  return found.length > 0
}
