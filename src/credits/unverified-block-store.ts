import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { SolidBlock, Unverified } from '../tron/block.ts'

/** A block that was followed although it was not verified, and is not settled. */
export interface UnverifiedBlock {
  height: number
  hash: string
  why: Unverified
  checks: number
  ageMs: number
}

/**
 * Writes down blocks that were read unverified, to be read again. One that is settled is read again, too: it has been followed
 * or rescanned anew. Those that are unread are parked instead.
 */
export async function insertUnverified(tx: Tx, blocks: readonly SolidBlock[]): Promise<number> {
  const unverified = blocks.filter(({ unverified: why }) => why !== null && why !== 'unread')
  if (unverified.length === 0) return 0
  return run(
    tx,
    `insert into unverified_block (height, hash, why, node)
     select * from unnest($1::integer[], $2::text[], $3::text[], $4::text[])
     on conflict (height) do update
        set hash = excluded.hash, why = excluded.why, node = excluded.node, created_at = now(), checks = 0,
            checked_at = null, next_check_at = now(), settled_at = null, settled_as = null
      where unverified_block.hash <> excluded.hash or unverified_block.settled_at is not null`,
    [
      unverified.map(({ height }) => height),
      unverified.map(({ hash }) => hash),
      unverified.map(({ unverified: why }) => why),
      unverified.map(({ node }) => node),
    ],
  )
}

/** Reads the blocks of these heights that are not settled. */
export async function unsettledAt(
  db: Queryable,
  heights: readonly number[],
): Promise<Map<number, UnverifiedBlock>> {
  const found = await rows<UnverifiedBlock>(
    db,
    `select height, hash, why, checks, (extract(epoch from now() - created_at) * 1000)::float8 as "ageMs"
       from unverified_block
      where height = any($1::integer[]) and settled_at is null`,
    [heights],
  )
  return new Map(found.map(block => [block.height, block]))
}

/** Ends the wait of blocks. @param settledAs as in the table's comment. */
export async function settleBlocks(
  tx: Tx,
  blocks: readonly { height: number; hash: string }[],
  settledAs: 'verified' | 'agreed' | 'alone',
): Promise<number> {
  if (blocks.length === 0) return 0
  return run(
    tx,
    `update unverified_block u
        set settled_at = now(), settled_as = $3, checked_at = now(), next_check_at = null
       from unnest($1::integer[], $2::text[]) as b (height, hash)
      where u.height = b.height and u.hash = b.hash and u.settled_at is null`,
    [blocks.map(({ height }) => height), blocks.map(({ hash }) => hash), settledAs],
  )
}

/** Writes that a block is not settled. @param wasRead whether any node showed it: that counts as a check. */
export async function noteUnsettled(
  tx: Tx,
  height: number,
  { nextCheckMs, wasRead }: { nextCheckMs: number; wasRead: boolean },
): Promise<void> {
  await run(
    tx,
    `update unverified_block
        set checks = checks + $3::integer, checked_at = now(), next_check_at = now() + $2 * interval '1 ms'
      where height = $1 and settled_at is null`,
    [height, nextCheckMs, wasRead ? 1 : 0],
  )
}

/** Why a block is read again: for its proof, or that of a transfer in it; or since it is parked. */
export type Due = 'proof' | 'parked'

/** Lists the heights that are to be read again. The longest due first. */
export async function dueHeights(db: Queryable, due: readonly Due[], pageMax: number): Promise<number[]> {
  const found = await rows<{ height: number }>(
    db,
    `select height
       from (select 'proof' as due, block_height as height, next_check_at from pending_proof where next_check_at <= now()
              union all
             select 'proof', height, next_check_at from unverified_block where next_check_at <= now() and settled_at is null
              union all
             select 'parked', height, next_check_at from parked_block where next_check_at <= now() and read_at is null) waits
      where due = any($1::text[]) and height <= (select c.height from chain_cursor c)
      group by height
      order by min(next_check_at), height
      limit $2`,
    [due, pageMax],
  )
  return found.map(({ height }) => height)
}
