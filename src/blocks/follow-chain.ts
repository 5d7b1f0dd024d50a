import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'
import { type BlockSource, fetchBlocks, UnlinkedBlock } from './fetch-blocks.ts'

/** A source that also knows how far the solidified chain has come, and can be told that a block did not fit. */
export interface ChainSource extends BlockSource {
  solidHead(): Promise<BlockRef>
  distrust(node: string, why: string): void
}

/** Blocks in memory at the most: enough to hide the round trips, a few megabytes of transfers. */
const blocksAhead = 64
/** Blocks that share a transaction while catching up. */
const blocksPerTransaction = 64
/** After a failed block: the first wait, doubled up to the last. */
const retryMs = { first: 250, last: 5_000 }
/** Solidification takes about a minute: a block younger than two is the newest solidified one, or nearly. */
const recentMs = 120_000

/**
 * Follows the solidified chain from the cursor on, in order and without a gap, until the signal says stop.
 *
 * A missing, short or contradicting answer is a failed block, asked for again, never an empty one. A block that is not
 * built on the cursor's is a failed block too: the solidified chain does not fork, so its node is wrong or ours was;
 * nothing is credited until it links again, and other nodes are asked.
 * @param readCursor where the database stands; read again after every failure and lost race.
 * @param commit writes blocks with all that follows from them; false when the cursor had been moved by another.
 * @param onProgress told of every commit: the blocks it had, how many are still to come, and the height reached.
 * @param onUnlinked told of a block that does not link, and null when one did again.
 * @param pace `restMs`: how long after the newest block the next cannot be there yet; `pollMs`: how soon to ask again
 *   for one that is not. Both spend or spare a node's quota.
 */
export async function followChain(options: {
  nodes: ChainSource
  readCursor: () => Promise<BlockRef>
  commit: (from: BlockRef, blocks: readonly SolidBlock[]) => Promise<boolean>
  onProgress?: (committed: number, behind: number, height: number) => void
  onUnlinked?: (error: UnlinkedBlock | null) => void
  pace: { restMs: number; pollMs: number }
  clock?: Clock
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { nodes, readCursor, pace, log, signal, clock = systemClock } = options
  let waitMs = retryMs.first
  // Whether the block before was asked for in vain: then the one that came is the newest, and the next takes its time.
  let missed = false
  while (!signal.aborted) {
    try {
      const cursor = await readCursor()
      const reached = await advance(options, cursor, isRecent(cursor, clock))
      if (reached) waitMs = retryMs.first
      await sleep(reached === null ? pace.pollMs : missed ? pace.restMs : 0, undefined, { signal })
      missed = reached === null
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof UnlinkedBlock) {
        nodes.distrust(error.block.node, error.message)
        options.onUnlinked?.(error)
      }
      log.warn({ err: error, retryInMs: waitMs }, 'block.failed')
      await sleep(Math.max(waitMs, retryAfterMs(error)), undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
      waitMs = Math.min(waitMs * 2, retryMs.last)
    }
  }
}

/**
 * Commits what comes after the cursor: near the head the next block, behind it everything up to the solidified head.
 * @returns the last block committed; null when there was none, or another moved the cursor.
 */
async function advance(
  options: Parameters<typeof followChain>[0],
  cursor: BlockRef,
  nearHead: boolean,
): Promise<BlockRef | null> {
  const { nodes, commit, onProgress, onUnlinked, signal } = options
  const last = nearHead ? cursor.height + 1 : (await nodes.solidHead()).height
  const plan = { from: cursor, last, ahead: blocksAhead, batch: blocksPerTransaction }
  let reached: BlockRef | null = null
  for await (const blocks of fetchBlocks(nodes, plan)) {
    if (signal.aborted) return reached
    const from = reached ?? cursor
    if (!(await commit(from, blocks))) return null
    reached = blocks.at(-1)!
    onUnlinked?.(null)
    onProgress?.(blocks.length, last - reached.height, reached.height)
  }
  return reached
}

function isRecent(block: BlockRef, clock: Clock): boolean {
  return clock.now().getTime() - block.time.getTime() < recentMs
}

function retryAfterMs(error: unknown): number {
  const wanted = (error as { retryAfterMs?: unknown }).retryAfterMs
  return typeof wanted === 'number' ? wanted : 0
}
