import { type UsdtUnits, usdt } from '../base/money.ts'
import { type WaitReason, waitReasons } from '../credits/pending-transfer.ts'
import type { SnapshotRead } from './read-snapshot.ts'

/** A number of transfers and their sum. */
interface TransferSum {
  transfers: bigint
  units: UsdtUnits
}

/** What is open in the whole gateway, the waiting transfers by their reason. An operator should know each figure. */
export interface OpenFigures extends Record<WaitReason, TransferSum> {
  /** null: nothing is watched yet. `from`: the first recorded header; null when there is none. */
  cursor: { network: string; height: number; time: Date; startHeight: number; from: number | null } | null
  /** How many audit events are in the chain, and the hash of the last one, in hex: kept elsewhere, it shows a chain written anew. */
  trail: { events: bigint; hash: string }
  /** Logs and transfers that wait for a person. */
  quarantine: bigint
  /** Transfers that an operator rejected. */
  rejected: TransferSum
  /** Transfers that people settled outside. */
  settledOutside: TransferSum
  /** Logs that an operator rejected: it is not known what they pay. */
  rejectedLogs: bigint
  /** Transfers that wait for proof, and are not recorded. */
  unproved: TransferSum
  unverifiedBlocks: bigint
  /** Blocks that no node could give: it is not known what they pay. */
  parkedBlocks: bigint
  /** Open differences to second sources; acknowledged ones too. */
  discrepancies: bigint
  heldCallbacks: bigint
  exhaustedCallbacks: bigint
  /** Keys and webhook secrets that are not bound to their own row: `gateway reseal` binds them. */
  unboundSecrets: bigint
}

/** Reads the open figures. */
export async function readOpenFigures(read: SnapshotRead): Promise<OpenFigures> {
  const [cursor] = await read<NonNullable<OpenFigures['cursor']>>(
    `select network, height, block_time as "time", start_height as "startHeight",
            (select min(height) from chain_block) as "from"
       from chain_cursor`,
  )
  const waiting = await read<TransferSum & { reason: WaitReason }>(
    `select w.reason, count(*) as transfers, sum(t.amount)::bigint as units
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
      group by w.reason`,
  )
  const [rejected] = await read<TransferSum>(
    `select count(*) as transfers, coalesce(sum(t.amount), 0)::bigint as units
       from rejection r
       join transfer t on t.id = r.transfer_id`,
  )
  const [settledOutside] = await read<TransferSum>(
    `select count(*) as transfers, coalesce(sum(t.amount), 0)::bigint as units
       from settled_transfer s
       join transfer t on t.id = s.transfer_id`,
  )
  const [unproved] = await read<TransferSum>(
    `select count(*) as transfers, coalesce(sum(amount), 0)::bigint as units from pending_proof where ended_at is null`,
  )
  const [trail] = await read<OpenFigures['trail']>(
    `select chain_position as events, encode(hash, 'hex') as hash from audit_chain`,
  )
  const [counts] = await read<
    Pick<
      OpenFigures,
      | 'quarantine'
      | 'rejectedLogs'
      | 'unverifiedBlocks'
      | 'parkedBlocks'
      | 'discrepancies'
      | 'heldCallbacks'
      | 'exhaustedCallbacks'
      | 'unboundSecrets'
    >
  >(
    `select (select count(*) from quarantine where resolved_at is null) as quarantine,
            (select count(*) from rejection where transfer_id is null) as "rejectedLogs",
            (select count(*) from unverified_block where settled_at is null) as "unverifiedBlocks",
            (select count(*) from parked_block where read_at is null) as "parkedBlocks",
            (select count(*) from discrepancy where resolved_at is null) as discrepancies,
            (select count(*) from callback_outbox where state = 'held') as "heldCallbacks",
            (select count(*) from callback where exhausted_at is not null) as "exhaustedCallbacks",
            (select count(*) from merchant_key where get_byte(sealed, 0) < 2)
              + (select count(*) from webhook_secret where get_byte(sealed, 0) < 2) as "unboundSecrets"`,
  )
  const figures = Object.fromEntries(
    waitReasons.map(reason => {
      const found = waiting.find(row => row.reason === reason)
      return [reason, { transfers: found?.transfers ?? 0n, units: found?.units ?? usdt(0n) }]
    }),
  ) as Record<WaitReason, TransferSum>
  return {
    ...{ cursor: cursor ?? null, trail: trail ?? { events: 0n, hash: 'none' }, ...figures, ...counts! },
    ...{ rejected: rejected!, settledOutside: settledOutside!, unproved: unproved! },
  }
}
