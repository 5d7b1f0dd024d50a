import type { Tx } from '../db/pool.ts'
import type { RecordedTransfer } from '../transfers/transfer.ts'
import type { PlannedCredit } from './plan-credits.ts'

/**
 * Writes the credits. Their transfers' unique key is the last word: a second credit for a transfer fails the
 * transaction, whichever way it came.
 * @returns the credits' ids by their transfers'.
 */
export async function insertCredits(tx: Tx, credits: readonly PlannedCredit[]): Promise<Map<bigint, bigint>> {
  const { rows } = await tx.query(
    `insert into credit (transfer_id, order_id, amount, received, late)
     select *
       from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[])
     returning id, transfer_id`,
    [
      credits.map(({ transfer }) => transfer.id),
      credits.map(({ order }) => order.id),
      credits.map(({ transfer }) => transfer.amount),
      credits.map(({ received }) => received),
      credits.map(({ late }) => late),
    ],
  )
  return new Map(rows.map(row => [row.transfer_id, row.id]))
}

/**
 * The transfers that wait and may be credited now: unclaimed ones at addresses that have an order by now, and those
 * at addresses that are being paid again, which come before the new ones.
 */
export async function waitingTransfers(
  tx: Tx,
  paidAddressIds: readonly bigint[],
): Promise<RecordedTransfer[]> {
  const { rows } = await tx.query(
    `select t.id, t.txid, t.log_index as "logIndex", t.deposit_address_id as "depositAddressId", t.amount,
            t.block_height as "height", t.block_time as "time", t.tx_index as "txIndex"
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
      where w.reason = 'unclaimed'
        and (w.deposit_address_id = any($1::bigint[])
             or exists (select from recharge_order o where o.deposit_address_id = w.deposit_address_id))`,
    [paidAddressIds],
  )
  return rows
}

/** Sets down what waits: it has a row here or a credit, never both. One that waits already goes on waiting. */
export async function keepWaiting(tx: Tx, transfers: readonly RecordedTransfer[]): Promise<void> {
  if (transfers.length === 0) return
  await tx.query(
    `insert into waiting_transfer (transfer_id, deposit_address_id, reason)
     select t.transfer_id, t.deposit_address_id, 'unclaimed'
       from unnest($1::bigint[], $2::bigint[]) as t (transfer_id, deposit_address_id)
     on conflict (transfer_id) do nothing`,
    [transfers.map(transfer => transfer.id), transfers.map(transfer => transfer.depositAddressId)],
  )
}

/** Takes credited transfers off the waiting list; most were never on it. */
export async function stopWaiting(tx: Tx, transferIds: readonly bigint[]): Promise<void> {
  await tx.query(`delete from waiting_transfer where transfer_id = any($1::bigint[])`, [transferIds])
}
