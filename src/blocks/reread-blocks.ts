import { setTimeout as sleep } from 'node:timers/promises'
import type { Queryable } from '../db/pool.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'
import { NodeError } from '../tron/node/node-error.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import { type BlockHeaderRow, readHeaders } from './block-store.ts'
import { readCursor } from './chain-store.ts'
import { fetchBlocks, UnlinkedBlock } from './fetch-blocks.ts'
import type { IdRange } from './id-range.ts'
import { parkedAt } from './parked-block-store.ts'
import { proveUpTo } from './prove-by-headers.ts'

/** A source that blocks are read from again. */
export interface RereadSource {
  /** @param options.not nodes to leave out: for a second opinion. */
  solidBlock(height: number, options?: { not: string | readonly string[] }): Promise<SolidBlock | null>
  distrust(node: string, why: string): void
  /** Reads a header. Without it, blocks from before the first recorded one are not verified. */
  newHeader?: NodePool['newHeader']
}

/** A block that differs from the one recorded at its height. The solidified chain has no forks, so a node is or was wrong. */
export class HeaderDiffers extends Error {
  readonly height: number
  readonly detail: Record<string, unknown>

  constructor(block: SolidBlock, recorded: { hash: string }, what: string) {
    super(`block ${block.height}: ${block.node} shows ${block.hash}, ${what} ${recorded.hash}`)
    this.name = 'HeaderDiffers'
    this.height = block.height
    this.detail = { node: block.node, shows: block.hash, recorded: recorded.hash, what }
  }
}

/** The most blocks in memory, and in one batch. */
const ahead = 64
const batch = 64
/** A rescan may take hours, and nodes fail. Failures in a row before it gives up; the waits double from first to last. */
const failuresMax = 6
const retryMs = { first: 500, last: 15_000 }

/**
 * Reads solidified blocks again, in order. Each must link to the one before it and equal its recorded header, if there is
 * one. What is recorded has been followed, so its id is as good as a producer's signature. Blocks from before that are proven by
 * their headers first, which costs a call for each. Memory is bounded for any range.
 * @param genesisId the parent of block 1.
 * @param onParked called for a block that is parked and still cannot be read: it is left out.
 * @throws HeaderDiffers at once. After some retries UnlinkedBlock, NodeError, or Error for a block that no node has.
 */
export async function* rereadBlocks(
  db: Queryable,
  source: RereadSource,
  range: { from: number; to: number },
  genesisId: string,
  onParked: (height: number) => void = () => undefined,
): AsyncGenerator<SolidBlock[]> {
  let parent: BlockRef | null = null
  let ids: IdRange | null | undefined
  let failures = 0
  for (;;) {
    try {
      ids ??= await unrecordedIds(db, source, range)
      parent ??= await parentOf(db, source, range.from, genesisId)
      for await (const blocks of fetchBlocks(source, { from: parent, last: range.to, ahead, batch })) {
        const recorded = await checkHeaders(db, blocks)
        yield blocks.map(block => (recorded.has(block.height) ? block : byId(block, ids ?? null)))
        parent = blocks.at(-1)!
        failures = 0
      }
      if (parent.height === range.to) return
      throw new Error(`no node has block ${parent.height + 1}, which is recorded as solidified`)
    } catch (error) {
      const isOther = error instanceof UnlinkedBlock || error instanceof HeaderDiffers
      const unread: BlockRef | null = isOther || !parent ? null : await parkedAfter(db, parent)
      if (unread && unread.height <= range.to) {
        parent = unread
        failures = 0
        onParked(unread.height)
        if (unread.height === range.to) return
        continue
      }
      if (error instanceof HeaderDiffers || ++failures === failuresMax) throw error
      if (error instanceof UnlinkedBlock) source.distrust(error.block.node, error.message)
      await sleep(waitMs(error, failures))
    }
  }
}

/** Returns the block after a given one if it is parked. */
async function parkedAfter(db: Queryable, { height, time }: BlockRef): Promise<BlockRef | null> {
  const parked = (await parkedAt(db, [height + 1])).get(height + 1)
  return parked ? { height: height + 1, hash: parked.hash, time } : null
}

async function parentOf(
  db: Queryable,
  source: RereadSource,
  height: number,
  genesisId: string,
): Promise<BlockRef> {
  if (height === 1) return { height: 0, hash: genesisId, time: new Date(0) }
  const [header] = await readHeaders(db, { from: height - 1, to: height - 1 })
  const parent = header ?? (await source.solidBlock(height - 1))
  if (!parent) throw new Error(`no node has block ${height - 1}`)
  return parent
}

/** @returns the heights whose ids are recorded, or named by a recorded block as its parent. */
async function checkHeaders(db: Queryable, blocks: readonly SolidBlock[]): Promise<Set<number>> {
  const recorded = new Set<number>()
  const range = { from: blocks[0]!.height, to: blocks.at(-1)!.height + 1 }
  const headers = new Map<number, BlockHeaderRow>(
    (await readHeaders(db, range)).map(header => [header.height, header]),
  )
  for (const block of blocks) {
    const same = headers.get(block.height)
    if (same && same.hash !== block.hash) throw new HeaderDiffers(block, same, 'recorded is')
    const next = headers.get(block.height + 1)
    if (next && next.parentHash !== block.hash) {
      throw new HeaderDiffers(block, { hash: next.parentHash }, 'the block recorded after it names')
    }
    if (same || next) recorded.add(block.height)
  }
  return recorded
}

/** A block that is not recorded is verified when its id is proven. */
function byId(block: SolidBlock, ids: IdRange | null): SolidBlock {
  const proven = ids?.idAt(block.height) ?? null
  if (proven !== null && proven !== block.hash) {
    throw new NodeError(
      'failed',
      `block ${block.height} of ${block.node} is ${block.hash}, proven is ${proven}`,
    )
  }
  return proven !== null || block.unverified !== null ? block : { ...block, unverified: 'stranger' }
}

/** Proves the blocks of a range that come before the first recorded one. @returns null when there are none. */
async function unrecordedIds(
  db: Queryable,
  source: RereadSource,
  range: { from: number; to: number },
): Promise<IdRange | null> {
  const cursor = await readCursor(db)
  // The block at which the cursor was placed first has no row, but the next one names it.
  const first = cursor && cursor.startHeight + 1
  if (!source.newHeader || first === null || range.from >= first - 1) return null
  const [header] = await readHeaders(db, { from: first, to: first })
  const next = header ?? { height: first, parentHash: cursor!.hash }
  return await proveUpTo({ newHeader: source.newHeader }, range.from, next, new AbortController().signal)
}

function waitMs(error: unknown, failures: number): number {
  const wanted = (error as { retryAfterMs?: unknown }).retryAfterMs
  const ours = Math.min(retryMs.first * 2 ** (failures - 1), retryMs.last)
  return Math.max(ours, typeof wanted === 'number' ? wanted : 0)
}
