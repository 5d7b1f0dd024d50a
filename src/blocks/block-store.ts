import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'

/** Writes the newest block, which is not solidified. Confirmations are counted from it. */
export async function writeHead(db: Queryable, head: BlockRef): Promise<void> {
  await run(
    db,
    `insert into chain_head (height, hash, block_time)
     values ($1, $2, $3)
     on conflict (single) do update
        set height = excluded.height, hash = excluded.hash, block_time = excluded.block_time, seen_at = now()`,
    [head.height, head.hash, head.time],
  )
}

/** Writes the blocks' headers. No other transaction wrote these heights: the cursor's compare-and-set rules that out. */
export async function insertBlocks(tx: Tx, blocks: readonly SolidBlock[]): Promise<void> {
  await run(
    tx,
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

/** A recorded block's header. */
export interface BlockHeaderRow extends BlockRef {
  parentHash: string
}

/** Reads the recorded headers of a range of heights, both ends included, lowest first. Some may be missing. */
export async function readHeaders(
  db: Queryable,
  range: { from: number; to: number },
): Promise<BlockHeaderRow[]> {
  return rows<BlockHeaderRow>(
    db,
    `select height, hash, parent_hash as "parentHash", block_time as "time"
       from chain_block
      where height between $1 and $2
      order by height`,
    [range.from, range.to],
  )
}
