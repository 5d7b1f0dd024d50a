import type { Tx } from '../db/pool.ts'
import { addressFromBytes } from '../tron/address.ts'
import type { SolidBlock, UsdtTransfer } from '../tron/block.ts'
import type { RecordedTransfer } from './transfer.ts'

/** What recording needs of a block. */
export type BlockOfTransfers = Pick<SolidBlock, 'height' | 'hash' | 'time' | 'transfers'>

/**
 * Records what the blocks paid to assigned addresses. A transfer that is recorded already stays as it is and is not
 * returned: a rescan is harmless. So does what came before an address was watched: somebody else has credited that.
 * @param firstHeight the first block that is followed; an imported address may count from another on.
 * @returns the transfers recorded now, in no particular order.
 */
export async function recordTransfers(
  tx: Tx,
  blocks: readonly BlockOfTransfers[],
  firstHeight: number,
): Promise<RecordedTransfer[]> {
  const watched = await watchedAddresses(tx, blocks)
  if (watched.size === 0) return []
  const ours: { block: BlockOfTransfers; transfer: UsdtTransfer; depositAddressId: bigint }[] = []
  for (const block of blocks) {
    for (const transfer of block.transfers) {
      const address = watched.get(transfer.toBytes.toString('latin1'))
      if (!address || block.height < (address.watchedFrom ?? firstHeight)) continue
      ours.push({ block, transfer, depositAddressId: address.id })
    }
  }
  if (ours.length === 0) return []
  const { rows } = await tx.query(
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
      ours.map(({ transfer }) => addressFromBytes(transfer.fromBytes)),
      ours.map(({ transfer }) => transfer.amount),
      ours.map(({ block }) => block.height),
      ours.map(({ block }) => block.hash),
      ours.map(({ block }) => block.time),
      ours.map(({ transfer }) => transfer.txIndex),
    ],
  )
  return rows
}

/**
 * Which of the blocks' recipients are assigned addresses: the database is the watch list, asked once for all the blocks.
 * @returns them by the address's 20 bytes as latin1 text.
 */
async function watchedAddresses(
  tx: Tx,
  blocks: readonly BlockOfTransfers[],
): Promise<Map<string, { id: bigint; watchedFrom: number | null }>> {
  const recipients = new Set<string>()
  for (const block of blocks) {
    for (const { toBytes } of block.transfers) recipients.add(toBytes.toString('latin1'))
  }
  if (recipients.size === 0) return new Map()
  // Sixty-four busy blocks pay ten thousand addresses. They go as one value: an array of them costs its quoting here and
  // its parsing there. The offset keeps the planner from reading all addresses to look up so many, which gets dearer with
  // each address; the sort lets one look-up find the index's pages that the one before left in the processor's cache; and
  // because it cannot know how many there are, it does not take this for a query worth compiling.
  const { rows } = await tx.query({
    text: `select a.id, a.address_bytes, a.watched_from as "watchedFrom"
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
    values: [Buffer.from([...recipients].join(''), 'latin1')],
  })
  return new Map(rows.map(({ address_bytes, ...address }) => [address_bytes.toString('latin1'), address]))
}
