import type { DepositAddressId, TransferId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import { type HeldTransfer, heldColumns } from './held-store.ts'
import type { WaitReason } from './pending-transfer.ts'

// rejected: an operator decided that a transfer or log takes no money and holds nothing up. Its row is here and no longer in
// waiting_transfer, so that code which knows nothing of rejections cannot credit it. A held transfer is rejected because it
// seems made up; a second node that confirms it ends that. A quarantined one is real, and only an operator takes it up again.

/** A rejection to be written. A held transfer has no quarantine id, a log that cannot be decoded no transfer id. */
export interface NewRejection {
  transferId: TransferId | null
  quarantineId: bigint | null
  node: string | null
  reason: string
  rejectedBy: string
}

/** Writes a rejection. The unique keys let a transfer, and something quarantined, be rejected once at a time. */
export async function insertRejection(tx: Tx, rejection: NewRejection): Promise<void> {
  const { transferId, quarantineId, node, reason, rejectedBy } = rejection
  await run(
    tx,
    `insert into rejection (transfer_id, quarantine_id, node, reason, rejected_by) values ($1, $2, $3, $4, $5)`,
    [transferId, quarantineId, node, reason, rejectedBy],
  )
}

/** A rejection that was ended, with what is needed to take the transfer up again. */
export interface EndedRejection {
  /** Null: a log that cannot be decoded. */
  transferId: TransferId | null
  /** Of the transfer. */
  depositAddressId: DepositAddressId | null
  node: string | null
}

/** Ends the rejections of transfers that were held. @returns those that there were. */
export async function endHeldRejections(
  tx: Tx,
  transferIds: readonly TransferId[],
): Promise<EndedRejection[]> {
  return rows<EndedRejection>(
    tx,
    `delete from rejection r
      using transfer t
      where t.id = r.transfer_id and r.transfer_id = any($1::bigint[]) and r.quarantine_id is null
      returning r.transfer_id as "transferId", t.deposit_address_id as "depositAddressId", r.node`,
    [transferIds],
  )
}

/** Ends the rejection of something quarantined. @returns null when there is none. */
export async function endQuarantineRejection(tx: Tx, quarantineId: bigint): Promise<EndedRejection | null> {
  const [ended] = await rows<EndedRejection>(
    tx,
    `delete from rejection r
      where r.quarantine_id = $1
      returning r.transfer_id as "transferId", r.node,
                (select deposit_address_id from transfer where id = r.transfer_id) as "depositAddressId"`,
    [quarantineId],
  )
  return ended ?? null
}

/** Ends the rejections of logs that could not be decoded and are recorded as transfers now. */
export async function endLogRejections(
  tx: Tx,
  recorded: readonly { txid: string; logIndex: number }[],
): Promise<void> {
  if (recorded.length === 0) return
  await run(
    tx,
    `delete from rejection r
      using quarantine q, unnest($1::text[], $2::integer[]) as t (txid, log_index)
      where q.id = r.quarantine_id and r.transfer_id is null and q.txid = t.txid and q.log_index = t.log_index`,
    [recorded.map(({ txid }) => txid), recorded.map(({ logIndex }) => logIndex)],
  )
}

/** Reads the transfers in blocks of these heights, both included, that were held and then rejected. */
export async function rejectedHeld(
  db: Queryable,
  range: { from: number; to: number },
): Promise<HeldTransfer[]> {
  return rows<HeldTransfer>(
    db,
    `select ${heldColumns}, r.node
       from rejection r
       join transfer t on t.id = r.transfer_id
       join deposit_address a on a.id = t.deposit_address_id
      where r.quarantine_id is null and t.block_height between $1 and $2
      order by t.id`,
    [range.from, range.to],
  )
}

/** What has become of a transfer; `credited`: to an order, or as a deposit; `unknown`: none is recorded with that id. */
export type TransferState = WaitReason | 'credited' | 'rejected' | 'settled_outside' | 'unknown'

/** Reads what has become of a transfer. */
export async function readTransferState(db: Queryable, transferId: TransferId): Promise<TransferState> {
  const [found] = await rows<{ state: TransferState }>(
    db,
    `select case when exists (select from credit where transfer_id = $1) then 'credited'
                 when exists (select from rejection where transfer_id = $1) then 'rejected'
                 when exists (select from settled_transfer where transfer_id = $1) then 'settled_outside'
                 else coalesce((select reason from waiting_transfer where transfer_id = $1), 'unknown') end as state`,
    [transferId],
  )
  return found!.state
}

/** What has become of something quarantined; `unknown`: there is nothing with that id. */
export type QuarantineState = 'quarantined' | 'rejected' | 'resolved' | 'unknown'

/** Reads what has become of something quarantined. */
export async function readQuarantineState(db: Queryable, quarantineId: bigint): Promise<QuarantineState> {
  const [found] = await rows<{ state: QuarantineState }>(
    db,
    `select case when exists (select from rejection where quarantine_id = q.id) then 'rejected'
                 when q.resolved_at is null then 'quarantined'
                 else 'resolved' end as state
       from quarantine q
      where q.id = $1`,
    [quarantineId],
  )
  return found?.state ?? 'unknown'
}
