import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { SolidBlock } from '../tron/block.ts'

/** A block that is parked: no host has been able to give it yet. */
export interface ParkedBlock {
  height: number
  hash: string
  checks: number
  ageMs: number
}

/** Writes down the blocks that are followed unread. One that was parked before at that height is parked anew. */
export async function insertParked(tx: Tx, blocks: readonly SolidBlock[]): Promise<number> {
  const parked = blocks.filter(({ unverified }) => unverified === 'unread')
  if (parked.length === 0) return 0
  return run(
    tx,
    `insert into parked_block (height, hash, why)
     select * from unnest($1::integer[], $2::text[], $3::text[])
     on conflict (height) do update
        set hash = excluded.hash, why = excluded.why, created_at = now(), checks = 0, checked_at = null,
            next_check_at = now(), read_at = null`,
    [
      parked.map(({ height }) => height),
      parked.map(({ hash }) => hash),
      parked.map(({ because }) => because ?? ''),
    ],
  )
}

/** Reads which blocks of these heights are parked. */
export async function parkedAt(db: Queryable, heights: readonly number[]): Promise<Map<number, ParkedBlock>> {
  const found = await rows<ParkedBlock>(
    db,
    `select height, hash, checks, (extract(epoch from now() - created_at) * 1000)::float8 as "ageMs"
       from parked_block
      where height = any($1::integer[]) and read_at is null`,
    [heights],
  )
  return new Map(found.map(block => [block.height, block]))
}

/**
 * Ends the parking of blocks that were read after all, and completes their headers: of a parked one nothing but the id was known.
 * @returns those that were parked.
 */
export async function endParked(tx: Tx, blocks: readonly SolidBlock[]): Promise<SolidBlock[]> {
  if (blocks.length === 0) return []
  const ended = await rows<{ height: number; hash: string }>(
    tx,
    `with ended as (
       update parked_block p
          set read_at = now(), checked_at = now(), next_check_at = null
         from unnest($1::integer[], $2::text[], $3::timestamptz[], $4::integer[], $5::integer[])
              as b (height, hash, block_time, transaction_count, transfer_count)
        where p.height = b.height and p.hash = b.hash and p.read_at is null
        returning b.*
     ), header as (
       update chain_block c
          set block_time = e.block_time, transaction_count = e.transaction_count, transfer_count = e.transfer_count
         from ended e
        where c.height = e.height and c.hash = e.hash
     )
     select height, hash from ended`,
    [
      blocks.map(({ height }) => height),
      blocks.map(({ hash }) => hash),
      blocks.map(({ time }) => time),
      blocks.map(({ transactionCount }) => transactionCount),
      blocks.map(({ transfers }) => transfers.length),
    ],
  )
  const heights = new Set(ended.map(({ height }) => height))
  return blocks.filter(({ height }) => heights.has(height))
}

/**
 * Writes that a block could not be read again.
 * @param nextCheckMs until it is asked for once more: longer where many are parked, so that all of them cost no more than a few calls
 * a minute.
 */
export async function noteStillParked(tx: Tx, height: number, nextCheckMs: number): Promise<void> {
  await run(
    tx,
    `update parked_block
        set checks = checks + 1, checked_at = now(),
            next_check_at = now() + interval '1 ms'
              * greatest($2, $3 * (select count(*) - 1 from parked_block where read_at is null))
      where height = $1 and read_at is null`,
    [height, nextCheckMs, eachMs],
  )
}

/** The time between two parked blocks that are asked for in vain, where there are many. */
const eachMs = 30_000
/** More than are parked while anybody looks. */
const wokenMax = 20

/** Has the lowest parked blocks asked for again at once: the nodes may be others now, or have come to give them. */
export async function wakeParked(tx: Queryable): Promise<void> {
  await run(
    tx,
    `update parked_block
        set next_check_at = now()
      where height in (select height from parked_block where read_at is null order by height limit $1)`,
    [wokenMax],
  )
}

/** Forgets what is parked above a height: it is followed again. @returns the heights. */
export async function deleteParkedAbove(tx: Tx, height: number): Promise<number[]> {
  const deleted = await rows<{ height: number }>(
    tx,
    `delete from parked_block where height > $1 and read_at is null returning height`,
    [height],
  )
  return deleted.map(one => one.height).sort((a, b) => a - b)
}

/** What is parked now. */
export interface ParkedCounts {
  blocks: number
  /** The lowest height; null when nothing is parked. */
  lowest: number | null
  highest: number | null
}

export async function parkedCounts(db: Queryable): Promise<ParkedCounts> {
  const [counts] = await rows<ParkedCounts>(
    db,
    `select count(*)::integer as blocks, min(height) as lowest, max(height) as highest
       from parked_block where read_at is null`,
  )
  return counts!
}
