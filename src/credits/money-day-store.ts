import type { MerchantId } from '../base/ids.ts'
import type { LegacyUnits, UsdtUnits } from '../base/money.ts'
import { inTransaction, type Pool, type Queryable, rows, run } from '../db/pool.ts'
import { inReadSnapshot } from '../db/read-pool.ts'

/** What was received and announced on one day of UTC, as in the statement: deposits included, rejected transfers not. */
export interface MoneyDay {
  /** 2026-11-22 */
  day: string
  transfers: bigint
  /** By the time of the transfers' blocks. */
  received: UsdtUnits
  callbacks: bigint
  /** By the time when the callbacks were written. */
  announced: LegacyUnits
}

/** How far the kept sums go. */
interface Summed {
  transferId: bigint
  callbackId: bigint
}

/** The most transfers, and the most callbacks, in one transaction: some tenths of a second. */
const sliceMax = 50_000

/**
 * Adds what was recorded since the last time to the sums by day. Crediting pays nothing for them. Ids are enough to know what is
 * new: who writes transfers or callbacks holds the cursor's row, so a lower id is never committed after a higher one.
 * @returns whether there may be more to add. Another process that is adding counts as nothing more.
 */
export function addToDays(pool: Pool, slice = sliceMax): Promise<boolean> {
  return inTransaction(pool, async tx => {
    const [from] = await rows<Summed>(
      tx,
      `select last_transfer_id as "transferId", last_callback_id as "callbackId" from money_sum for update skip locked`,
    )
    if (!from) return false
    const [last] = await rows<Summed>(
      tx,
      `select coalesce((select max(id) from transfer), 0) as "transferId",
              coalesce((select max(id) from callback), 0) as "callbackId"`,
    )
    const upTo = (begin: bigint, end: bigint) => (end - begin > slice ? begin + BigInt(slice) : end)
    const to: Summed = {
      transferId: upTo(from.transferId, last!.transferId),
      callbackId: upTo(from.callbackId, last!.callbackId),
    }
    if (to.transferId === from.transferId && to.callbackId === from.callbackId) return false
    await run(
      tx,
      `insert into money_day as d (merchant_id, day, transfers, received, callbacks, announced)
       select merchant_id, day, sum(transfers), sum(received), sum(callbacks), sum(announced)
         from (${newMoney('and t.id <= $3', 'and c.id <= $4')}) added
        group by merchant_id, day
        -- Always in one order, so that nobody who adds can deadlock.
        order by merchant_id, day
           on conflict (merchant_id, day) do update
          set transfers = d.transfers + excluded.transfers, received = d.received + excluded.received,
              callbacks = d.callbacks + excluded.callbacks, announced = d.announced + excluded.announced`,
      [from.transferId, from.callbackId, to.transferId, to.callbackId],
    )
    await run(tx, `update money_sum set last_transfer_id = $1, last_callback_id = $2`, [
      to.transferId,
      to.callbackId,
    ])
    return to.transferId < last!.transferId || to.callbackId < last!.callbackId
  })
}

/**
 * Reads the days from one on: those kept, and what was recorded since.
 * @param merchantId null: all merchants together. @param from the first day, at 0:00 UTC.
 * @returns in order, without empty days.
 */
export function readMoneyDays(reads: Pool, merchantId: MerchantId | null, from: Date): Promise<MoneyDay[]> {
  return inReadSnapshot(reads, tx => sumDays(tx, merchantId, from))
}

/** The same in a snapshot that is open. */
export function sumDays(tx: Queryable, merchantId: MerchantId | null, from: Date): Promise<MoneyDay[]> {
  return sumMoney(tx, 'day', merchantId, from)
}

/** The sums of each merchant over the days from one on. Merchants without any are left out. */
export function readMoneyOfMerchants(
  reads: Pool,
  from: Date,
): Promise<(Omit<MoneyDay, 'day'> & { merchantId: MerchantId })[]> {
  return inReadSnapshot(reads, tx => sumMoney(tx, 'merchant_id', null, from))
}

const groupColumns = {
  day: `to_char(day, 'YYYY-MM-DD') as day`,
  merchant_id: `merchant_id as "merchantId"`,
}

async function sumMoney<T extends object>(
  tx: Queryable,
  by: keyof typeof groupColumns,
  merchantId: MerchantId | null,
  from: Date,
): Promise<T[]> {
  const [summed] = await rows<Summed>(
    tx,
    `select last_transfer_id as "transferId", last_callback_id as "callbackId" from money_sum`,
  )
  const of = (column: string) => (merchantId === null ? '' : `and ${column} = $4`)
  return rows<T>(
    tx,
    `select ${groupColumns[by]}, sum(transfers)::bigint as transfers, sum(received)::bigint as received,
            sum(callbacks)::bigint as callbacks, sum(announced)::bigint as announced
       from (select merchant_id, day, transfers, received, callbacks, announced
               from money_day
              where day >= $3::date ${of('merchant_id')}
              union all
             ${newMoney(of('a.merchant_id'), of('c.merchant_id'))}
              union all
             -- Rejected transfers are few.
             select a.merchant_id, (t.block_time at time zone 'UTC')::date, -1, -t.amount, 0, 0
               from rejection r
               join transfer t on t.id = r.transfer_id
               join deposit_address a on a.id = t.deposit_address_id ${of('a.merchant_id')}) counted
      where day >= $3::date
      group by counted.${by}
     having sum(transfers) > 0 or sum(callbacks) > 0
      order by counted.${by}`,
    [
      summed!.transferId,
      summed!.callbackId,
      from.toISOString().slice(0, 10),
      ...(merchantId === null ? [] : [merchantId]),
    ],
  )
}

/** What was recorded after transfer $1 and callback $2, by merchant and day. The ids are parameters, so that Postgres sees how few follow. */
function newMoney(transfersToo: string, callbacksToo: string): string {
  return `
    select a.merchant_id, (t.block_time at time zone 'UTC')::date as day, 1 as transfers, t.amount as received,
           0 as callbacks, 0 as announced
      from transfer t
      join deposit_address a on a.id = t.deposit_address_id
     where t.id > $1 ${transfersToo}
     union all
    select c.merchant_id, (c.created_at at time zone 'UTC')::date, 0, 0, 1, c.body_amount
      from callback c
     where c.id > $2 ${callbacksToo}`
}
