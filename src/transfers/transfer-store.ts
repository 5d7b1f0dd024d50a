import type { DepositAddressId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import { type Queryable, rows, type Tx } from '../db/pool.ts'
import { addressFromHex, type TronAddress } from '../tron/address.ts'
import type { SolidBlock, UsdtTransfer } from '../tron/block.ts'
import type { RecordedTransfer } from './transfer.ts'

/** A block, as far as recording needs it. */
export type BlockOfTransfers = Pick<SolidBlock, 'height' | 'hash' | 'time' | 'transfers'>

/** A transfer of a block to one of our addresses, not yet recorded. */
export interface TransferToUs<B extends BlockOfTransfers = BlockOfTransfers> {
  block: B
  transfer: UsdtTransfer
  depositAddressId: DepositAddressId
}

/**
 * Finds the blocks' transfers to assigned addresses. Transfers from before an address was watched are left out: another system
 * has credited those.
 * @param firstHeight the first block that is followed. An imported address may count from another block on.
 */
export async function transfersToUs<B extends BlockOfTransfers>(
  tx: Tx,
  blocks: readonly B[],
  firstHeight: number,
): Promise<TransferToUs<B>[]> {
  const watched = await watchedAddresses(tx, blocks)
  if (watched.size === 0) return []
  const ours: TransferToUs<B>[] = []
  for (const block of blocks) {
    for (const transfer of block.transfers) {
      const address = watched.get(transfer.toHex)
      if (!address || block.height < (address.watchedFrom ?? firstHeight)) continue
      ours.push({ block, transfer, depositAddressId: address.id })
    }
  }
  return ours
}

/**
 * Inserts transfers. The unique key on transaction and position decides: one that is recorded already, in whatever version, is
 * neither changed nor returned.
 */
export async function insertTransfers(tx: Tx, ours: readonly TransferToUs[]): Promise<RecordedTransfer[]> {
  if (ours.length === 0) return []
  return rows<RecordedTransfer>(
    tx,
    `insert into transfer (txid, log_index, deposit_address_id, from_address, amount,
                           block_height, block_hash, block_time, tx_index)
     select *
       from unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::bigint[],
                   $6::integer[], $7::text[], $8::timestamptz[], $9::integer[])
     on conflict (txid, log_index) do nothing
     returning id, txid, log_index as "logIndex", deposit_address_id as "depositAddressId", amount,
               block_height as "height", block_time as "time", tx_index as "txIndex"`,
    [
      ours.map(({ transfer }) => transfer.txid),
      ours.map(({ transfer }) => transfer.logIndex),
      ours.map(({ depositAddressId }) => depositAddressId),
      ours.map(({ transfer }) => addressFromHex(transfer.fromHex)),
      ours.map(({ transfer }) => transfer.amount),
      ours.map(({ block }) => block.height),
      ours.map(({ block }) => block.hash),
      ours.map(({ block }) => block.time),
      ours.map(({ transfer }) => transfer.txIndex),
    ],
  )
}

interface WatchedFrom {
  id: DepositAddressId
  /** null: from the first block that is followed. */
  watchedFrom: number | null
}

/**
 * Finds the blocks' recipients that are assigned addresses. The database is the watch list: one query serves all the blocks.
 * @returns the addresses by their 20 bytes as 40 hex digits.
 */
async function watchedAddresses(
  tx: Tx,
  blocks: readonly BlockOfTransfers[],
): Promise<Map<string, WatchedFrom>> {
  const recipients = new Set<string>()
  for (const block of blocks) {
    for (const { toHex } of block.transfers) recipients.add(toHex)
  }
  if (recipients.size === 0) return new Map()
  // Sixty-four busy blocks pay ten thousand addresses. They are sent as one value, since an array has to be quoted here and
  // parsed there. The offset keeps the planner from scanning all addresses, which costs more with each address. The sort
  // makes successive look-ups hit index pages that are still in the processor's cache. And since the planner cannot know how
  // many recipients there are, it does not compile the query.
  const found = await rows<WatchedFrom & { bytes: Buffer }>(
    tx,
    `select a.id, a.address_bytes as bytes, a.watched_from as "watchedFrom"
       from (
         select substring($1::bytea from 20 * n - 19 for 20) as address_bytes
           from generate_series(1, (select length($1::bytea) / 20)) as n
          order by 1
       ) recipient
      cross join lateral (
        select id, address_bytes, watched_from
          from deposit_address
         where address_bytes = recipient.address_bytes
        offset 0
      ) a`,
    [Buffer.from([...recipients].join(''), 'hex')],
  )
  return new Map(found.map(({ bytes, ...address }) => [bytes.toString('hex'), address]))
}

/** A recorded transfer, as a node would have to show it. */
export interface TransferAbove {
  txid: string
  logIndex: number
  height: number
  amount: UsdtUnits
  address: TronAddress
}

/** Reads the transfers recorded in blocks above a height, lowest first. */
export async function transfersAbove(db: Queryable, height: number): Promise<TransferAbove[]> {
  return rows<TransferAbove>(
    db,
    `select t.txid, t.log_index as "logIndex", t.block_height as "height", t.amount, a.address
       from transfer t
       join deposit_address a on a.id = t.deposit_address_id
      where t.block_height > $1
      order by t.block_height, t.tx_index, t.log_index`,
    [height],
  )
}
