import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'
import type { Pacing } from '../tron/network.ts'
import { NodeError } from '../tron/node/node-error.ts'
import { type BlockSource, fetchBlocks, UnlinkedBlock } from './fetch-blocks.ts'

/** A source that also knows the solidified head, and can be told that a block did not link. */
export interface ChainSource extends BlockSource {
  solidHead(): Promise<BlockRef>
  distrust(node: string, why: string): void
  /** Tells where the cursor is: called before each reading. */
  startAt?(cursor: BlockRef): void
  /** The height up to which blocks are counted solid, and read already; null: it has to be asked. */
  countedHeight?(): number | null
  /** Checks that a block may be committed, with those before it. @throws NodeError when other hosts show another one, and none shows it. */
  confirm?(block: SolidBlock): Promise<void>
  /** The height up to which blocks are known to be, where that is more than the solidified head. */
  furthest?(): number
  /**
   * Returns what takes the place of the block after the cursor, which could not be read: one that is parked, or the block after
   * all. @returns null while it has to be waited for.
   */
  instead?(cursor: BlockRef, error: unknown): Promise<SolidBlock | null>
  /** Waits until an irreversible block may be there, and no longer than a time. Without it, for that time. */
  waitFor?(height: number, ms: number, signal: AbortSignal): Promise<void>
}

/** The most blocks in memory: enough to hide the round trips, a few megabytes of transfers. */
const blocksAhead = 64
/** Blocks that share a transaction while catching up. */
const blocksPerTransaction = 64
/** The wait after a failed block: doubled from the first to the last. */
const retryMs = { first: 250, last: 5_000 }
/** Solidification takes about a minute, so a block younger than two is at the solidified head or close to it. */
const recentMs = 120_000

/**
 * Follows the solidified chain from the cursor on, in order and without a gap, until the signal aborts.
 *
 * A missing, incomplete or contradictory answer makes a failed block, which is requested again. It never counts as an empty
 * block. A block that is not built on the cursor's block has failed too: the solidified chain does not fork, so its node is
 * wrong or an earlier one was. Other nodes are asked, and nothing is credited until a block links again.
 * @param readCursor reads the cursor from the database; called again after every failure and lost race.
 * @param commit writes blocks with all that follows from them; false when another watcher had moved the cursor.
 * @param onProgress called after every commit with its number of blocks, how many remain, and the height reached.
 * @param onUnlinked called with a block that does not link, and with null after the next commit.
 */
export async function followChain(options: {
  nodes: ChainSource
  readCursor: () => Promise<BlockRef>
  commit: (from: BlockRef, blocks: readonly SolidBlock[]) => Promise<boolean>
  onProgress?: (committed: number, behind: number, height: number) => void
  onUnlinked?: (error: UnlinkedBlock | null) => void
  pacing: Pick<Pacing, 'restMs' | 'pollMs'>
  clock?: Clock
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { nodes, readCursor, pacing, log, signal, clock = systemClock } = options
  let waitMs = retryMs.first
  // The block was not there at first. When it arrives it is the newest, and the next one takes a block time.
  let missed = false
  // After a failure only the next block is asked for: what comes after it would be read in vain each time.
  let failure: unknown = null
  while (!signal.aborted) {
    try {
      const cursor = await readCursor()
      nodes.startAt?.(cursor)
      const reached =
        (failure instanceof NodeError && (await commitInstead(options, cursor, failure))) ||
        (await advance(options, cursor, { nearHead: isRecent(cursor, clock), hasFailed: failure !== null }))
      failure = null
      if (reached) waitMs = retryMs.first
      const pauseMs = reached === null ? pacing.pollMs : missed ? pacing.restMs : 0
      if (nodes.waitFor) await nodes.waitFor((reached ?? cursor).height + 1, pauseMs, signal)
      else await sleep(pauseMs, undefined, { signal })
      missed = reached === null
    } catch (error) {
      if (signal.aborted) return
      failure = error
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

/** Commits what takes the place of a block that cannot be read. @returns it; null when there is none yet. */
async function commitInstead(
  { nodes, commit }: Parameters<typeof followChain>[0],
  cursor: BlockRef,
  failure: NodeError,
): Promise<BlockRef | null> {
  const block = await nodes.instead?.(cursor, failure)
  if (!block) return null
  await nodes.confirm?.(block)
  return (await commit(cursor, [block])) ? block : null
}

/**
 * Commits what comes after the cursor: near the head the next block, otherwise everything up to the solidified head.
 * @returns the last block committed; null when there was none, or another watcher moved the cursor.
 */
async function advance(
  options: Parameters<typeof followChain>[0],
  cursor: BlockRef,
  { nearHead, hasFailed }: { nearHead: boolean; hasFailed: boolean },
): Promise<BlockRef | null> {
  const { nodes, commit, onProgress, onUnlinked, signal } = options
  const last =
    nodes.countedHeight?.() ?? (nearHead || hasFailed ? cursor.height + 1 : (await nodes.solidHead()).height)
  const plan = { from: cursor, last, ahead: blocksAhead, batch: blocksPerTransaction }
  let reached: BlockRef | null = null
  for await (const blocks of fetchBlocks(nodes, plan)) {
    if (signal.aborted) return reached
    const from = reached ?? cursor
    await nodes.confirm?.(blocks.at(-1)!)
    if (!(await commit(from, blocks))) return null
    reached = blocks.at(-1)!
    onUnlinked?.(null)
    const furthest = nearHead ? last : Math.max(last, nodes.furthest?.() ?? 0)
    onProgress?.(blocks.length, furthest - reached.height, reached.height)
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
