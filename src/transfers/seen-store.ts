import { inTransaction, type Pool, rows, run, type Tx } from '../db/pool.ts'
import { addressFromHex } from '../tron/address.ts'
import type { BlockRef, UsdtTransfer } from '../tron/block.ts'

/** A block at the head, with its transfers. */
export interface SightedBlock extends BlockRef {
  transfers: readonly UsdtTransfer[]
}

/**
 * Replaces the sightings from a height on, so that they are right again after a fork. When a transfer was first seen stays.
 * @param solidHeight sightings up to this height are deleted: their transfers are recorded.
 */
export async function replaceSightings(
  tx: Tx,
  from: number,
  blocks: readonly SightedBlock[],
  solidHeight: number,
): Promise<void> {
  const gone = await rows<GoneSighting>(
    tx,
    `delete from seen_transfer where block_height >= $1 or block_height <= $2
     returning txid, log_index as "logIndex", seen_at as "seenAt"`,
    [from, solidHeight],
  )
  await keepFirstSeen(tx, gone)
  const sighted = blocks
    .filter(block => block.height > solidHeight)
    .flatMap(block => block.transfers.map(transfer => ({ block, transfer })))
  if (sighted.length === 0) return
  const seenBefore = new Map(gone.map(({ txid, logIndex, seenAt }) => [`${txid} ${logIndex}`, seenAt]))
  await run(
    tx,
    `insert into seen_transfer (txid, log_index, deposit_address_id, from_address, amount,
                                block_height, block_hash, block_time, seen_at)
     select s.txid, s.log_index, a.id, s.from_address, s.amount, s.block_height, s.block_hash, s.block_time,
            coalesce(s.seen_at, now())
       from unnest($1::text[], $2::integer[], $3::bytea[], $4::text[], $5::bigint[],
                   $6::integer[], $7::text[], $8::timestamptz[], $9::timestamptz[])
              as s (txid, log_index, address_bytes, from_address, amount, block_height, block_hash, block_time, seen_at)
       join deposit_address a using (address_bytes)
      where not exists (select from transfer t where t.txid = s.txid and t.log_index = s.log_index)
     on conflict (txid, log_index) do update
        set block_height = excluded.block_height, block_hash = excluded.block_hash, block_time = excluded.block_time`,
    [
      sighted.map(({ transfer }) => transfer.txid),
      sighted.map(({ transfer }) => transfer.logIndex),
      sighted.map(({ transfer }) => Buffer.from(transfer.toHex, 'hex')),
      sighted.map(({ transfer }) => addressFromHex(transfer.fromHex)),
      sighted.map(({ transfer }) => transfer.amount),
      sighted.map(({ block }) => block.height),
      sighted.map(({ block }) => block.hash),
      sighted.map(({ block }) => block.time),
      sighted.map(({ transfer }) => seenBefore.get(`${transfer.txid} ${transfer.logIndex}`) ?? null),
    ],
  )
}

/** Deletes all sightings, when they are no longer kept up to date. */
export function forgetSightings(pool: Pool): Promise<void> {
  return inTransaction(pool, async tx => {
    const gone = await rows<GoneSighting>(
      tx,
      `delete from seen_transfer returning txid, log_index as "logIndex", seen_at as "seenAt"`,
    )
    await keepFirstSeen(tx, gone)
  })
}

interface GoneSighting {
  txid: string
  logIndex: number
  seenAt: Date
}

/** Keeps when transfers that are recorded by now were first seen. */
async function keepFirstSeen(tx: Tx, gone: readonly GoneSighting[]): Promise<void> {
  if (gone.length === 0) return
  await run(
    tx,
    `insert into first_seen (transfer_id, seen_at)
     select t.id, s.seen_at
       from unnest($1::text[], $2::integer[], $3::timestamptz[]) as s (txid, log_index, seen_at)
       join transfer t using (txid, log_index)
     on conflict do nothing`,
    [gone.map(({ txid }) => txid), gone.map(({ logIndex }) => logIndex), gone.map(({ seenAt }) => seenAt)],
  )
}
