import type { MarkId, MerchantId, OrderId, TransferId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import type { IdPage } from '../db/id-page.ts'
import { type Queryable, rows, type Tx } from '../db/pool.ts'
import type { Mark, MarkKind, MarkTarget, NewMark } from './mark.ts'

/** Writes a mark. The unique key lets a mark be withdrawn once. */
export async function insertMark(tx: Tx, mark: NewMark): Promise<MarkId> {
  const [transferId, orderId] = idsOf(mark.target)
  const [inserted] = await rows<{ id: MarkId }>(
    tx,
    `insert into money_mark (kind, merchant_id, transfer_id, order_id, withdraws, amount, txid, reason, made_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     returning id`,
    [
      ...[mark.kind, mark.merchantId, transferId, orderId, mark.withdraws],
      ...[mark.amount, mark.txid, mark.reason, mark.madeBy],
    ],
  )
  return inserted!.id
}

function idsOf(target: MarkTarget): [TransferId | null, OrderId | null] {
  return 'transferId' in target ? [target.transferId, null] : [null, target.orderId]
}

type MarkRow = Omit<Mark, 'target'> & { transferId: TransferId | null; orderId: OrderId | null }

const columns = `k.id, k.kind, k.merchant_id as "merchantId", k.transfer_id as "transferId", k.order_id as "orderId", k.withdraws,
            k.amount, k.txid, k.reason, k.made_by as "madeBy", b.id as "withdrawnBy"`

function markOf({ transferId, orderId, ...mark }: MarkRow): Mark {
  return { ...mark, target: transferId === null ? { orderId: orderId! } : { transferId } }
}

/** Reads a mark. @returns null when there is none with that id, or it is another merchant's. */
export async function readMark(
  db: Queryable,
  id: MarkId,
  merchantId: MerchantId | null,
): Promise<Mark | null> {
  const [found] = await rows<MarkRow>(
    db,
    `select ${columns}
       from money_mark k
       left join money_mark b on b.withdraws = k.id
      where k.id = $1 and ($2::bigint is null or k.merchant_id = $2)`,
    [id, merchantId],
  )
  return found ? markOf(found) : null
}

/** Reads the refunds and corrections that stand, of a transfer, or of an order and all transfers that were credited to it. */
export async function standingMarks(db: Queryable, target: MarkTarget): Promise<Mark[]> {
  const found = await rows<MarkRow>(
    db,
    `select ${columns}
       from money_mark k
       left join money_mark b on b.withdraws = k.id
      where k.kind in ('refund', 'correction') and b.id is null
        and (k.transfer_id = $1 or k.order_id = $2
             or k.transfer_id = any(array(select transfer_id from credit where order_id = $2)))
      order by k.id`,
    idsOf(target),
  )
  return found.map(markOf)
}

/** What was received by what a mark is about. */
export interface Received {
  merchantId: MerchantId
  appid: string
  amount: UsdtUnits
  /** The order that a transfer was credited to; null: none. */
  orderId: OrderId | null
}

/** Reads what a transfer, or an order, received. @returns null when there is none, or it is another merchant's. */
export async function readReceived(
  db: Queryable,
  target: MarkTarget,
  merchantId: MerchantId | null,
): Promise<Received | null> {
  const [transferId, orderId] = idsOf(target)
  const [found] = await rows<Received>(
    db,
    `select r.merchant_id as "merchantId", m.appid, r.amount, r.order_id as "orderId"
       from (select a.merchant_id, t.amount, c.order_id
               from transfer t
               join deposit_address a on a.id = t.deposit_address_id
               left join credit c on c.transfer_id = t.id
              where t.id = $1
              union all
             select merchant_id, received, id from recharge_order where id = $2) r
       join merchant m on m.id = r.merchant_id
      where $3::bigint is null or r.merchant_id = $3`,
    [transferId, orderId, merchantId],
  )
  return found ?? null
}

/** Tells whether a transaction paid a transfer, or what was credited to an order. */
export async function hasPaid(db: Queryable, txid: string, target: MarkTarget): Promise<boolean> {
  const found = await rows(
    db,
    `select
       from transfer t
       left join credit c on c.transfer_id = t.id
      where t.txid = $3 and (t.id = $1 or c.order_id = $2)
      limit 1`,
    [...idsOf(target), txid],
  )
  return found.length > 0
}

/** A mark, as people see it. */
export interface ListedMark {
  id: MarkId
  kind: MarkKind
  merchantId: MerchantId
  appid: string
  /** Of a withdrawal, that of the mark it takes back; of a transfer settled outside, the transfer's. */
  amount: UsdtUnits
  /** The transfer that it is about; null: it is about an order. */
  transferId: TransferId | null
  transferTxid: string | null
  logIndex: number | null
  /** The order that it is about, or that was credited with its transfer; null: none. */
  orderid: string | null
  /** Our number of it. */
  ordersn: string | null
  /** Of the refund. */
  txid: string | null
  withdraws: MarkId | null
  withdrawnBy: MarkId | null
  reason: string
  madeBy: string
  createdAt: Date
}

const listed = `select k.mark_id as id, k.kind, k.merchant_id as "merchantId", k.appid, k.amount_units as amount,
            k.transfer_id as "transferId", k.txid as "transferTxid", k.log_index as "logIndex", k.orderid, o.ordersn,
            k.refund_txid as txid, k.withdraws, k.withdrawn_by as "withdrawnBy", k.reason, k.made_by as "madeBy",
            k.created_at as "createdAt"
       from report.money_marks k
       left join recharge_order o on o.id = k.order_id`

/** Lists marks, newest first. @param kind null: of every kind. */
export async function listMarks(
  db: Queryable,
  { merchantId, after, limit }: IdPage,
  kind: MarkKind | null = null,
): Promise<ListedMark[]> {
  return rows<ListedMark>(
    db,
    `${listed}
      where ($1::bigint is null or k.merchant_id = $1) and ($2::text is null or k.kind = $2)
        and ($3::bigint is null or k.mark_id < $3)
      order by k.mark_id desc
      limit $4`,
    [merchantId, kind, after, limit],
  )
}

/** The most marks of one transfer or order that are listed. */
const marksMax = 100

/** Lists the marks about a transfer, or about an order itself, newest first; or one mark. */
export async function listMarksOf(db: Queryable, of: MarkTarget | { markId: bigint }): Promise<ListedMark[]> {
  const [condition, id] =
    'transferId' in of
      ? ['k.transfer_id = $1', of.transferId]
      : 'orderId' in of
        ? ['k.mark_id = any(array(select id from money_mark where order_id = $1))', of.orderId]
        : ['k.mark_id = $1', of.markId]
  return rows<ListedMark>(
    db,
    `${listed}
      where ${condition}
      order by k.mark_id desc
      limit ${marksMax}`,
    [id],
  )
}
