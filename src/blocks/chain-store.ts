import type { Queryable, Tx } from '../db/pool.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'

/** What a database is pinned to at its first start and for ever. */
export interface ChainPin {
  network: string
  genesisId: string
  /** base58check. */
  usdtContract: string
}

/** The last block whose transfers are recorded; following goes on at the next height. */
export interface ChainCursor extends ChainPin, BlockRef {
  startHeight: number
}

/** @returns null before the first start: nothing is watched yet. */
export async function readCursor(db: Queryable): Promise<ChainCursor | null> {
  const { rows } = await db.query(
    `select network, genesis_id as "genesisId", usdt_contract as "usdtContract", start_height as "startHeight",
            height, hash, block_time as "time"
       from chain_cursor`,
  )
  return rows[0] ?? null
}

/** Writes the first cursor. Of two first starts one wins, and the other then reads what the winner wrote. */
export async function createCursor(db: Queryable, pin: ChainPin, at: BlockRef): Promise<void> {
  await db.query(
    `insert into chain_cursor (network, genesis_id, usdt_contract, start_height, height, hash, block_time)
     values ($1, $2, $3, $4, $4, $5, $6)
     on conflict do nothing`,
    [pin.network, pin.genesisId, pin.usdtContract, at.height, at.hash, at.time],
  )
}

/**
 * Moves the cursor to a block, if it still stands where the caller read it: of two watchers one wins.
 * It locks the cursor's row, so whatever credits comes after it in its transaction is alone.
 * @returns where it stood; null when another has moved it, and the caller's transaction must then be rolled back.
 */
export async function moveCursor(tx: Tx, from: BlockRef, to: BlockRef): Promise<LockedCursor | null> {
  // Height and hash: a fork of the same height must not pass for the block we built on. What is returned is read in the
  // statement's snapshot, before the update; had another moved it since, the condition would not hold.
  const { rows } = await tx.query(
    `update chain_cursor c
        set height = $3, hash = $4, block_time = $5, updated_at = now()
       from (select * from chain_cursor) old
      where c.height = $1 and c.hash = $2
      returning old.network, old.genesis_id as "genesisId", old.usdt_contract as "usdtContract",
                old.start_height as "startHeight", old.height, old.hash, old.block_time as "time",
                old.updated_at as "movedAt"`,
    [from.height, from.hash, to.height, to.hash, to.time],
  )
  return rows[0] ?? null
}

/** A cursor whose row this transaction has locked. */
export interface LockedCursor extends ChainCursor {
  /** When the transaction began that moved it last, by the database's clock. */
  movedAt: Date
}

/**
 * Locks the cursor's row until the transaction ends: whoever credits is alone.
 * @returns null before the first start.
 */
export async function lockCursor(tx: Tx): Promise<LockedCursor | null> {
  const { rows } = await tx.query(
    `select network, genesis_id as "genesisId", usdt_contract as "usdtContract", start_height as "startHeight",
            height, hash, block_time as "time", updated_at as "movedAt"
       from chain_cursor
        for update`,
  )
  return rows[0] ?? null
}

/** Keeps the blocks' headers. The cursor's compare-and-set has made sure that nobody wrote these heights before. */
export async function insertBlocks(tx: Tx, blocks: readonly SolidBlock[]): Promise<void> {
  await tx.query(
    `insert into chain_block (height, hash, parent_hash, block_time, transaction_count, transfer_count)
     select *
       from unnest($1::integer[], $2::text[], $3::text[], $4::timestamptz[], $5::integer[], $6::integer[])`,
    [
      blocks.map(block => block.height),
      blocks.map(block => block.hash),
      blocks.map(block => block.parentHash),
      blocks.map(block => block.time),
      blocks.map(block => block.transactionCount),
      blocks.map(block => block.transfers.length),
    ],
  )
}
