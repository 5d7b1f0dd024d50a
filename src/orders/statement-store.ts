import type { MerchantId } from '../base/ids.ts'
import type { LegacyUnits, UsdtUnits } from '../base/money.ts'
import { type Pool, rows, type Tx } from '../db/pool.ts'
import { inReadSnapshot } from '../db/read-pool.ts'

/** A merchant's sums for one UTC day. */
export interface StatementDay {
  /** 2026-11-22 */
  day: string
  orders: bigint
  transfers: bigint
  received: UsdtUnits
  announced: LegacyUnits
  acknowledged: LegacyUnits
  /** Callbacks that announced deposits. */
  deposits: bigint
  depositsAnnounced: LegacyUnits
  depositsAcknowledged: LegacyUnits
  /** Refunds noted on this day, less those withdrawn on it. Can be below 0, and so can corrections. */
  refunded: UsdtUnits
  corrected: UsdtUnits
}

/** A refund, a correction, a transfer settled outside, or the withdrawal of one of these. */
export interface StatementMark {
  id: bigint
  kind: string
  createdAt: Date
  /** Of a withdrawal, that of the mark that it takes back; of a transfer settled outside, the transfer's. */
  amount: UsdtUnits
  /** Of the refund. */
  txid: string | null
  /** Null: no order was credited. */
  orderid: string | null
  /** The transfer that it is about; null: an order. */
  transferTxid: string | null
  logIndex: number | null
  /** Of a withdrawal: the mark that it takes back. */
  withdraws: bigint | null
  reason: string
}

/** The most marks in a statement. */
export const marksMax = 1_000

export interface StatementSums {
  /** In order, without empty days. */
  days: StatementDay[]
  /** As of now, whatever the period. */
  unclaimed: { transfers: bigint; units: UsdtUnits }
  /** Of the period, oldest first: at most one more than `marksMax`. */
  marks: StatementMark[]
}

/** Sums up a merchant's days in one snapshot. @param from included; @param to not. */
export function readStatement(
  pool: Pool,
  merchantId: MerchantId,
  from: Date,
  to: Date,
): Promise<StatementSums> {
  return inReadSnapshot(pool, async tx => {
    return {
      days: await sumDays(tx, merchantId, from, to),
      unclaimed: await sumUnclaimed(tx, merchantId),
      marks: await readMarks(tx, merchantId, from, to),
    }
  })
}

async function sumDays(tx: Tx, merchantId: MerchantId, from: Date, to: Date): Promise<StatementDay[]> {
  return rows<StatementDay>(
    tx,
    `with counted (day, orders, transfers, received, announced, acknowledged,
                   deposits, deposits_announced, deposits_acknowledged, refunded, corrected) as (
       select (created_at at time zone 'UTC')::date, count(*), 0, 0, 0, 0, 0, 0, 0, 0, 0
         from recharge_order
        where merchant_id = $1 and created_at >= $2 and created_at < $3
        group by 1
        union all
       select (t.block_time at time zone 'UTC')::date, 0, count(*), sum(t.amount), 0, 0, 0, 0, 0, 0, 0
         from transfer t
         join deposit_address d on d.id = t.deposit_address_id
        where d.merchant_id = $1 and t.block_time >= $2 and t.block_time < $3
          and not exists (select from rejection r where r.transfer_id = t.id)
        group by 1
        union all
       select (created_at at time zone 'UTC')::date, 0, 0, 0,
              sum(body_amount) filter (where order_id is not null), 0,
              count(*) filter (where order_id is null), sum(body_amount) filter (where order_id is null), 0, 0, 0
         from callback
        where merchant_id = $1 and created_at >= $2 and created_at < $3
        group by 1
        union all
       select (delivered_at at time zone 'UTC')::date, 0, 0, 0, 0,
              sum(body_amount) filter (where order_id is not null),
              0, 0, sum(body_amount) filter (where order_id is null), 0, 0
         from callback
        where merchant_id = $1 and delivered_at >= $2 and delivered_at < $3
          -- A callback is written before it is acknowledged, so later rows need not be read.
          and created_at < $3
        group by 1
        union all
       -- A withdrawal counts on its own day, so that what was said of an earlier one stays true.
       select (k.created_at at time zone 'UTC')::date, 0, 0, 0, 0, 0, 0, 0, 0,
              sum(case when w.id is null then k.amount else -w.amount end)
                filter (where coalesce(w.kind, k.kind) = 'refund'),
              sum(case when w.id is null then k.amount else -w.amount end)
                filter (where coalesce(w.kind, k.kind) = 'correction')
         from money_mark k
         left join money_mark w on w.id = k.withdraws
        where k.merchant_id = $1 and k.created_at >= $2 and k.created_at < $3
        group by 1
     )
     select to_char(day, 'YYYY-MM-DD') as day, sum(orders)::bigint as orders, sum(transfers)::bigint as transfers,
            sum(received)::bigint as received, coalesce(sum(announced), 0)::bigint as announced,
            coalesce(sum(acknowledged), 0)::bigint as acknowledged, sum(deposits)::bigint as deposits,
            coalesce(sum(deposits_announced), 0)::bigint as "depositsAnnounced",
            coalesce(sum(deposits_acknowledged), 0)::bigint as "depositsAcknowledged",
            coalesce(sum(refunded), 0)::bigint as refunded,
            -- Corrections have no upper bound. One by mistake must not keep the day from being read.
            greatest(least(coalesce(sum(corrected), 0), 9223372036854775807), -9223372036854775808)::bigint as corrected
       from counted
      group by counted.day
      order by counted.day`,
    [merchantId, from, to],
  )
}

async function sumUnclaimed(tx: Tx, merchantId: MerchantId): Promise<StatementSums['unclaimed']> {
  const [unclaimed] = await rows<StatementSums['unclaimed']>(
    tx,
    `select count(*) as transfers, coalesce(sum(t.amount), 0)::bigint as units
       from waiting_transfer w
       join deposit_address d on d.id = w.deposit_address_id
       join transfer t on t.id = w.transfer_id
      where w.merchant_id = $1 and w.reason = 'unclaimed'
        -- Addresses that were skipped after a restore belong to no user yet.
        and d.localusermark <> ''`,
    [merchantId],
  )
  return unclaimed!
}

function readMarks(tx: Tx, merchantId: MerchantId, from: Date, to: Date): Promise<StatementMark[]> {
  return rows<StatementMark>(
    tx,
    `select k.id, k.kind, k.created_at as "createdAt", coalesce(k.amount, w.amount, t.amount) as amount, k.txid, o.orderid,
            t.txid as "transferTxid", t.log_index as "logIndex", k.withdraws, k.reason
       from money_mark k
       left join money_mark w on w.id = k.withdraws
       left join transfer t on t.id = k.transfer_id
       left join credit c on c.transfer_id = k.transfer_id
       left join recharge_order o on o.id = coalesce(k.order_id, c.order_id)
      where k.merchant_id = $1 and k.created_at >= $2 and k.created_at < $3
      order by k.created_at, k.id
      limit $4`,
    [merchantId, from, to, marksMax + 1],
  )
}
