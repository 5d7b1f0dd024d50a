import type { MerchantId, OrderId, TransferId } from '../../../base/ids.ts'
import type { UsdtUnits } from '../../../base/money.ts'
import type { TransferState } from '../../../credits/rejection-store.ts'
import { type Queryable, rows } from '../../../db/pool.ts'

/** A transfer with all that was decided about it. */
export interface MoneyTransfer {
  id: TransferId
  merchantId: MerchantId
  appid: string
  txid: string
  logIndex: number
  /** Of the user whose address was paid; empty: the address is nobody's yet. */
  localusermark: string
  address: string
  from: string
  amount: UsdtUnits
  height: number
  time: Date
  state: TransferState | 'deposit'
  /** Of a waiting one: why, in the report's words; when another node was asked, and what it said. */
  why: string | null
  checkedAt: Date | null
  note: string | null
  /** Of a quarantined one, or one that was rejected from there. */
  quarantineId: bigint | null
  /** The order that was credited. */
  ordersn: string | null
  orderid: string | null
  /** The key of its callback; null: it has none. */
  callbackKey: string | null
  rejectedBy: string | null
  rejectedReason: string | null
  assignedBy: string | null
  assignedReason: string | null
  /** Of the user that it was assigned to. */
  assignedTo: string | null
}

/** Reads a transfer. @param scope of whom it has to be; null: of anyone. @returns null when it is not there. */
export async function readMoneyTransfer(
  db: Queryable,
  id: bigint,
  scope: MerchantId | null,
): Promise<MoneyTransfer | null> {
  const [found] = await rows<MoneyTransfer>(
    db,
    `select t.transfer_id as id, t.merchant_id as "merchantId", t.appid, t.txid, t.log_index as "logIndex", t.localusermark,
            t.address, t.from_address as "from", t.amount_units as amount, t.block_height as "height",
            t.block_time as "time", t.state, w.why, w.checked_at as "checkedAt", w.note,
            coalesce(r.quarantine_id,
                     (select id from quarantine where txid = t.txid and log_index = t.log_index and resolved_at is null))
              as "quarantineId",
            o.ordersn, t.orderid, b.key as "callbackKey", r.rejected_by as "rejectedBy", r.reason as "rejectedReason",
            s.assigned_by as "assignedBy", s.reason as "assignedReason", s.localusermark as "assignedTo"
       from report.transfers t
       left join report.waiting_transfers w on w.transfer_id = t.transfer_id
       left join rejection r on r.transfer_id = t.transfer_id
       left join report.assignments s on s.transfer_id = t.transfer_id
       left join recharge_order o on o.id = t.order_id
       left join credit c on c.transfer_id = t.transfer_id
       left join callback b on b.credit_id = c.id
      where t.transfer_id = $1 and ($2::bigint is null or t.merchant_id = $2 and t.localusermark <> '')`,
    [id, scope],
  )
  return found ?? null
}

/** What a transaction is in our books: one of its transfers, what waits for proof, or a log that could not be read. */
export interface TransactionPart {
  kind: 'transfer' | 'proof' | 'log'
  id: bigint
  logIndex: number
  /** Null: of a log nobody knows. */
  amount: UsdtUnits | null
  /** Of a transfer, as in `MoneyTransfer`. */
  state: string
}

/** Reads what a transaction is. What waits for proof and logs are for admins. */
export async function readTransaction(
  db: Queryable,
  txid: string,
  scope: MerchantId | null,
): Promise<TransactionPart[]> {
  return rows<TransactionPart>(
    db,
    `select 'transfer' as kind, transfer_id as id, log_index as "logIndex", amount_units as amount, state
       from report.transfers
      where txid = $1 and ($2::bigint is null or merchant_id = $2 and localusermark <> '')
      union all
     select 'proof', id, log_index, amount, coalesce(ended_as, 'unproved')
       from pending_proof
      where txid = $1 and ended_as is distinct from 'credited' and $2::bigint is null
      union all
     select 'log', id, log_index, null, case when resolved_at is null then 'quarantined' else 'resolved' end
       from quarantine
      where txid = $1 and transfer_id is null and $2::bigint is null
      order by 3
      limit 100`,
    [txid, scope],
  )
}

/** An order, as far as assigning and marking need it. */
export interface MoneyOrder {
  id: OrderId
  merchantId: MerchantId
  appid: string
  ordersn: string
  orderid: string
  localusermark: string
  amount: UsdtUnits
  received: UsdtUnits
  createdAt: Date
}

const orderColumns = `o.id, o.merchant_id as "merchantId", m.appid, o.ordersn, o.orderid, o.localusermark, o.amount, o.received,
            o.created_at as "createdAt"`

export async function readMoneyOrder(
  db: Queryable,
  ordersn: string,
  scope: MerchantId | null,
): Promise<MoneyOrder | null> {
  const [found] = await rows<MoneyOrder>(
    db,
    `select ${orderColumns}
       from recharge_order o
       join merchant m on m.id = o.merchant_id
      where o.ordersn = $1 and ($2::bigint is null or o.merchant_id = $2)`,
    [ordersn, scope],
  )
  return found ?? null
}

/** A user's addresses whose orders are looked at. */
const addressesMax = 100

/** Reads a user's latest orders: one of them may be what was paid. */
export async function latestOrdersOf(
  db: Queryable,
  { merchantId, localusermark }: Pick<MoneyTransfer, 'merchantId' | 'localusermark'>,
): Promise<MoneyOrder[]> {
  return rows<MoneyOrder>(
    db,
    `select ${orderColumns}
       from (select id
               from deposit_address
              where merchant_id = $1 and localusermark = $2
              order by id desc
              limit ${addressesMax}) a
      cross join lateral (
        select *
          from recharge_order
         where deposit_address_id = a.id
         order by created_at desc
         limit 5
      ) o
       join merchant m on m.id = o.merchant_id
      order by o.created_at desc
      limit 5`,
    [merchantId, localusermark],
  )
}
