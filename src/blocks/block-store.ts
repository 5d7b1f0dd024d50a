import type { Queryable } from '../db/pool.ts'
import type { BlockRef } from '../tron/block.ts'

/** Sets down the newest block, not solidified: what confirmations are counted from. */
export async function writeHead(db: Queryable, head: BlockRef): Promise<void> {
  await db.query(
    `insert into chain_head (height, hash, block_time)
     values ($1, $2, $3)
     on conflict (single) do update
        set height = excluded.height, hash = excluded.hash, block_time = excluded.block_time, seen_at = now()`,
    [head.height, head.hash, head.time],
  )
}

/** A recorded block's header. */
export interface BlockHeaderRow extends BlockRef {
  parentHash: string
}

/** Reads the headers that are recorded of these heights, both included, lowest first; some may be missing. */
export async function readHeaders(
  db: Queryable,
  range: { from: number; to: number },
): Promise<BlockHeaderRow[]> {
  const { rows } = await db.query(
    `select height, hash, parent_hash as "parentHash", block_time as "time"
       from chain_block
      where height between $1 and $2
      order by height`,
    [range.from, range.to],
  )
  return rows
}
