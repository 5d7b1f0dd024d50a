import { type Queryable, run, type Tx } from '../db/pool.ts'
import { addressFromHex } from '../tron/address.ts'
import type { BlockRef, UsdtTransfer } from '../tron/block.ts'

/** A block at the head, with its transfers. */
export interface SightedBlock extends BlockRef {
  transfers: readonly UsdtTransfer[]
}

/**
 * Replaces the sightings from a height on, so that they are right again after a fork.
 * @param solidHeight sightings up to this height are deleted: their transfers are recorded.
 */
export async function replaceSightings(
  tx: Tx,
  from: number,
  blocks: readonly SightedBlock[],
  solidHeight: number,
): Promise<void> {
  await run(tx, `delete from seen_transfer where block_height >= $1 or block_height <= $2`, [
    from,
    solidHeight,
  ])
  const sighted = blocks
    .filter(block => block.height > solidHeight)
    .flatMap(block => block.transfers.map(transfer => ({ block, transfer })))
  if (sighted.length === 0) return
  await run(
    tx,
    `insert into seen_transfer (txid, log_index, deposit_address_id, from_address, amount,
                                block_height, block_hash, block_time)
     select s.txid, s.log_index, a.id, s.from_address, s.amount, s.block_height, s.block_hash, s.block_time
       from unnest($1::text[], $2::integer[], $3::bytea[], $4::text[], $5::bigint[],
                   $6::integer[], $7::text[], $8::timestamptz[])
              as s (txid, log_index, address_bytes, from_address, amount, block_height, block_hash, block_time)
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
    ],
  )
}

/** Deletes all sightings, when they are no longer kept up to date. */
export async function forgetSightings(db: Queryable): Promise<void> {
  await run(db, `delete from seen_transfer`)
}
