import type { Tx } from '../db/pool.ts'
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
