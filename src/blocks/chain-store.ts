import { promptly, type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { BlockRef } from '../tron/block.ts'

// cursor: the last block whose transfers are recorded. Following goes on at the next height.
// head: the newest block, which a fork may still replace.
// solidified: a block that no fork can replace. Only these are followed and credited.
// unlinked: a block that does not name the block before it as its parent.
// lease: the right to follow the chain until a given time. The watcher that holds it leads, the others stand by.

/** What a database is bound to permanently, from its first start on. */
export interface ChainPin {
  network: string
  genesisId: string
  /** base58check. */
  usdtContract: string
}

/** The last block whose transfers are recorded. */
export interface ChainCursor extends ChainPin, BlockRef {
  /** The cursor's first height. The block after it is the first that is followed. */
  startHeight: number
}

/** A cursor whose row this transaction has locked. */
export interface LockedCursor extends ChainCursor {
  /** When the transaction that last moved it began, by the database's clock. */
  movedAt: Date
}

/** Reads the cursor. @returns null before the first start, when nothing is watched yet. */
export async function readCursor(db: Queryable): Promise<ChainCursor | null> {
  const [cursor] = await rows<ChainCursor>(db, {
    text: `select network, genesis_id as "genesisId", usdt_contract as "usdtContract", start_height as "startHeight",
                  height, hash, block_time as "time"
             from chain_cursor`,
    ...promptly,
  })
  return cursor ?? null
}

/** Writes the first cursor. Of two first starts one wins, and the other then reads what the winner wrote. */
export async function createCursor(db: Queryable, pin: ChainPin, at: BlockRef): Promise<void> {
  await run(
    db,
    `insert into chain_cursor (network, genesis_id, usdt_contract, start_height, height, hash, block_time)
     values ($1, $2, $3, $4, $4, $5, $6)
     on conflict do nothing`,
    [pin.network, pin.genesisId, pin.usdtContract, at.height, at.hash, at.time],
  )
}

/** Notified when the cursor or the head has moved: what payers' pages show may be different. */
export const chainChannel = 'gateway_chain'

/** Tells those who listen to the chain, when the transaction is committed. */
export async function notifyChain(tx: Tx): Promise<void> {
  await run(tx, `select pg_notify($1, '')`, [chainChannel])
}

/**
 * Moves the cursor to a block if it is still where the caller read it: of two watchers one wins.
 * It locks the cursor's row, so no other transaction credits until this one ends.
 * @returns the cursor as it was before. null when another watcher has moved it: the caller's transaction must be rolled back.
 */
export async function moveCursor(tx: Tx, from: BlockRef, to: BlockRef): Promise<LockedCursor | null> {
  // Compare height and hash: a fork has the same height. The returned columns come from the statement's snapshot, before
  // the update. If another watcher had moved the cursor since, the condition would not hold.
  const [before] = await rows<LockedCursor>(
    tx,
    `update chain_cursor c
        set height = $3, hash = $4, block_time = $5, updated_at = now()
       from (select * from chain_cursor) old
      where c.height = $1 and c.hash = $2
      returning old.network, old.genesis_id as "genesisId", old.usdt_contract as "usdtContract",
                old.start_height as "startHeight", old.height, old.hash, old.block_time as "time",
                old.updated_at as "movedAt"`,
    [from.height, from.hash, to.height, to.hash, to.time],
  )
  return before ?? null
}

/**
 * Locks the cursor's row until the transaction ends, so that no other transaction credits.
 * @returns null before the first start.
 */
export async function lockCursor(tx: Tx): Promise<LockedCursor | null> {
  const [cursor] = await rows<LockedCursor>(
    tx,
    `select network, genesis_id as "genesisId", usdt_contract as "usdtContract", start_height as "startHeight",
            height, hash, block_time as "time", updated_at as "movedAt"
       from chain_cursor
        for update`,
  )
  return cursor ?? null
}

/** Moves the cursor to any block. The caller has locked it. */
export async function setCursor(tx: Tx, to: BlockRef): Promise<void> {
  await run(tx, `update chain_cursor set height = $1, hash = $2, block_time = $3, updated_at = now()`, [
    to.height,
    to.hash,
    to.time,
  ])
}

/** Forgets the recorded headers above a height, so that they are followed again. */
export async function deleteBlocksAbove(tx: Tx, height: number): Promise<void> {
  await run(tx, `delete from chain_block where height > $1`, [height])
}
