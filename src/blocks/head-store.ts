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
