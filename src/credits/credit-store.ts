import type { CreditId, DepositAddressId } from '../base/ids.ts'
import type { Tx } from '../db/pool.ts'
import type { ChainPlace } from '../transfers/transfer.ts'
import type { TronAddress } from '../tron/address.ts'
import type { PlannedCredit } from './plan-credits.ts'

/**
 * Writes the credits. Their transfers' unique key is the last word: a second credit for a transfer fails the
 * transaction, whichever way it came.
 * @returns the credits' ids by their transfers'.
 */
export async function insertCredits(
  tx: Tx,
  credits: readonly PlannedCredit[],
): Promise<Map<bigint, CreditId>> {
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

/** Where the last credited transfer of each of these addresses stands in the chain; those without a credit are left out. */
export async function lastCredited(
  tx: Tx,
  addresses: readonly TronAddress[],
): Promise<Map<DepositAddressId, ChainPlace & { address: TronAddress }>> {
  const { rows } = await tx.query(
    `select a.id, a.address, last.*
       from deposit_address a
      cross join lateral (
        select t.block_height as "height", t.tx_index as "txIndex", t.log_index as "logIndex"
          from transfer t
          join credit c on c.transfer_id = t.id
         where t.deposit_address_id = a.id
         order by t.block_height desc, t.tx_index desc, t.log_index desc
         limit 1
      ) last
      where a.address = any($1::text[])`,
    [addresses],
  )
  return new Map(rows.map(({ id, ...last }) => [id, last]))
}
