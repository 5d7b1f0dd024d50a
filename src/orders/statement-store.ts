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
}

export interface StatementSums {
  /** In order, without empty days. */
  days: StatementDay[]
  /** As of now, whatever the period. */
  unclaimed: { transfers: bigint; units: UsdtUnits }
}

/** Sums up a merchant's days in one snapshot. @param from included; @param to not. */
export function readStatement(
  pool: Pool,
  merchantId: MerchantId,
  from: Date,
  to: Date,
): Promise<StatementSums> {
  return inReadSnapshot(pool, async tx => {
    return { days: await sumDays(tx, merchantId, from, to), unclaimed: await sumUnclaimed(tx, merchantId) }
  })
}

async function sumDays(tx: Tx, merchantId: MerchantId, from: Date, to: Date): Promise<StatementDay[]> {
  return rows<StatementDay>(
    tx,
    `with counted (day, orders, transfers, received, announced, acknowledged,
                   deposits, deposits_announced, deposits_acknowledged) as (
       select (created_at at time zone 'UTC')::date, count(*), 0, 0, 0, 0, 0, 0, 0
         from recharge_order
        where merchant_id = $1 and created_at >= $2 and created_at < $3
        group by 1
        union all
       select (t.block_time at time zone 'UTC')::date, 0, count(*), sum(t.amount), 0, 0, 0, 0, 0
         from transfer t
         join deposit_address d on d.id = t.deposit_address_id
        where d.merchant_id = $1 and t.block_time >= $2 and t.block_time < $3
          and not exists (select from rejection r where r.transfer_id = t.id)
        group by 1
        union all
       select (created_at at time zone 'UTC')::date, 0, 0, 0,
              sum(body_amount) filter (where order_id is not null), 0,
              count(*) filter (where order_id is null), sum(body_amount) filter (where order_id is null), 0
         from callback
        where merchant_id = $1 and created_at >= $2 and created_at < $3
        group by 1
        union all
       select (delivered_at at time zone 'UTC')::date, 0, 0, 0, 0,
              sum(body_amount) filter (where order_id is not null),
              0, 0, sum(body_amount) filter (where order_id is null)
         from callback
        where merchant_id = $1 and delivered_at >= $2 and delivered_at < $3
          -- A callback is written before it is acknowledged, so later rows need not be read.
          and created_at < $3
        group by 1
     )
     select to_char(day, 'YYYY-MM-DD') as day, sum(orders)::bigint as orders, sum(transfers)::bigint as transfers,
            sum(received)::bigint as received, coalesce(sum(announced), 0)::bigint as announced,
            coalesce(sum(acknowledged), 0)::bigint as acknowledged, sum(deposits)::bigint as deposits,
            coalesce(sum(deposits_announced), 0)::bigint as "depositsAnnounced",
            coalesce(sum(deposits_acknowledged), 0)::bigint as "depositsAcknowledged"
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
       join deposit_address d on d.id = w.deposit_address_id and d.merchant_id = $1
       join transfer t on t.id = w.transfer_id
      where w.reason = 'unclaimed'
        -- Addresses that were skipped after a restore belong to no user yet.
        and d.localusermark <> ''`,
    [merchantId],
  )
  return unclaimed!
}
