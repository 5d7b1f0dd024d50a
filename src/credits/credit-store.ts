import type { CreditId, DepositAddressId, OrderId, TransferId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import { rows, type Tx } from '../db/pool.ts'
import type { ChainPlace } from '../transfers/transfer.ts'
import type { TronAddress } from '../tron/address.ts'
import type { PendingTransfer } from './pending-transfer.ts'

/** A credit to be written: to an order, or to an address, which makes it a deposit. */
export interface NewCredit {
  transfer: PendingTransfer
  orderId: OrderId | null
  depositAddressId: DepositAddressId | null
  /** By the order, or the address's deposits, this one included. */
  received: UsdtUnits
  late: boolean
}

/**
 * Writes the credits. The unique key on the transfer has the last word: a second credit for a transfer, deposit or not, fails
 * the transaction.
 * @returns the credits' ids by their transfers'.
 */
export async function insertCredits(
  tx: Tx,
  credits: readonly NewCredit[],
): Promise<Map<TransferId, CreditId>> {
  const written = await rows<{ id: CreditId; transferId: TransferId }>(
    tx,
    `insert into credit (transfer_id, order_id, amount, received, late, deposit_address_id)
     select *
       from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[], $6::bigint[])
     returning id, transfer_id as "transferId"`,
    [
      credits.map(({ transfer }) => transfer.id),
      credits.map(({ orderId }) => orderId),
      credits.map(({ transfer }) => transfer.amount),
      credits.map(({ received }) => received),
      credits.map(({ late }) => late),
      credits.map(({ depositAddressId }) => depositAddressId),
    ],
  )
  return new Map(written.map(({ id, transferId }) => [transferId, id]))
}

/** The last credited transfer of an address, deposits included. */
export interface LastCredited extends ChainPlace {
  address: TronAddress
}

/** Reads the last credited transfer of each of these addresses. Addresses without a credit are left out. */
export async function lastCredited(
  tx: Tx,
  addresses: readonly TronAddress[],
): Promise<Map<DepositAddressId, LastCredited>> {
  const found = await rows<LastCredited & { id: DepositAddressId }>(
    tx,
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
  return new Map(found.map(({ id, ...last }) => [id, last]))
}
