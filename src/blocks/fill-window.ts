import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../base/log.ts'
import type { ReadBlock } from '../tron/node/solid-block.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import type { ChainWindow } from './chain-window.ts'
import { UnlinkedBlock } from './fetch-blocks.ts'
import type { HeadPace } from './head-pace.ts'
import type { KnownProducers } from './known-producers.ts'

/** The nodes, as far as reading new blocks needs them. */
export type NewBlocks = Pick<NodePool, 'names' | 'newBlock' | 'newBlocks' | 'newHeader' | 'distrust'>

/** The most blocks above the cursor: enough to count, and to hide the round trips behind the head. */
export const aheadMax = 128
/** Blocks in one call while behind. Four busy ones stay below a megabyte over gRPC. */
const groupMax = 4
/** Calls for groups at the same time. */
const groupsMax = 16
/** The wait after a failure: doubled from the first to the last. */
const retryMs = { first: 250, last: 5_000 }
/** A tip of the last half minute is at the head or close to it. */
const lateMs = 30_000
/** After so many misses in a row other nodes are asked than the one that served last. */
const missesMax = 3
/** After so many blocks that were dropped or do not link, without a new solid one, nodes are read one at a time. */
const misfitsMax = 8

interface Group {
  from: number
  count: number
  blocks: Promise<ReadBlock[]>
}

/**
 * Reads blocks into a window until the signal aborts: one after the other at the head, many at a time behind it. A group
 * that fails is asked for again; those fetched after it are kept.
 * @param options.window is asked for at each turn: another one begins at another cursor.
 * @param options.together tells each time how many blocks are read in one call at the head: more than one costs fewer calls
 * and some seconds.
 * @param options.hasRoom resolves when the window has room again.
 * @param options.onRead called after each reading, with whether the head is reached.
 * @param options.onUnlinked called with a block that contradicts a solid one, and with null after the next that links.
 */
export async function fillWindow(options: {
  nodes: NewBlocks
  window: () => ChainWindow
  pace: HeadPace
  together: () => number
  hasRoom: (signal: AbortSignal) => Promise<void>
  producers: Pick<KnownProducers, 'verifyHeader'>
  onRead: (isAtHead: boolean) => void
  onUnlinked: (error: UnlinkedBlock | null) => void
  now: () => Date
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { nodes, pace, together, hasRoom, onRead, onUnlinked, now, log, signal } = options
  const queue: Group[] = []
  let filled: ChainWindow | null = null
  let depth = 0
  let misses = 0
  let misfits = 0
  // What several nodes show, of which one lies, may never link. What an honest one shows alone does, from the solid block on.
  let only: string | null = null
  let turn = 0
  let solidHeight = 0
  let lastNode: string | null = null
  let waitMs = retryMs.first
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.

  const start = (from: number, count: number): Group => {
    const blocks = count === 1 ? one(from) : nodes.newBlocks(from, count)
    blocks.catch(() => undefined) // Thrown when its turn comes.
    return { from, count, blocks }
  }
  const one = async (height: number): Promise<ReadBlock[]> => {
    // A node that withholds blocks is not asked alone for ever.
    const isWithheld = misses >= missesMax && lastNode !== null && nodes.names.length > 1
    const others = only !== null && nodes.names.filter(name => name !== only)
    const block = await nodes.newBlock(
      height,
      others ? { not: others } : isWithheld ? { not: lastNode! } : {},
    )
    return block ? [block] : []
  }
  const plan = async (window: ChainWindow) => {
    const room = () => window.cursor.height + aheadMax - next()
    const next = () => (queue.length > 0 ? queue.at(-1)!.from + queue.at(-1)!.count : window.tip.height + 1)
    if (depth === 0) {
      if (queue.length > 0) return
      if (room() <= 0) return await hasRoom(signal)
      const count = only !== null ? 1 : together()
      await pause(pace.waitMs(window.tip, count))
      if (!signal.aborted && options.window() === window) queue.push(start(next(), count))
      return
    }
    while (queue.length < depth && room() >= groupMax) queue.push(start(next(), groupMax))
    if (queue.length === 0) await hasRoom(signal)
  }
  const restart = () => {
    queue.length = 0
    depth = 0
  }
  const readNextAlone = (window: ChainWindow) => {
    only = nodes.names[turn++ % nodes.names.length]!
    misfits = 0
    misses = 0
    log.info({ node: only, solid: window.solid.height }, 'chain.one_node')
    window.backToSolid()
    restart()
  }
  const noteFit = (window: ChainWindow, fits: boolean) => {
    if (window.solid.height !== solidHeight) {
      solidHeight = window.solid.height
      misfits = 0
      only = null
    } else if (!fits) misfits++
    if (nodes.names.length > 1 && (misfits >= misfitsMax || (only !== null && misses >= missesMax)))
      readNextAlone(window)
  }

  while (!signal.aborted) {
    const window = options.window()
    if (window !== filled) restart()
    filled = window
    await plan(window)
    const [group] = queue
    if (!group || signal.aborted) continue
    try {
      const blocks = await group.blocks
      if (options.window() !== window) continue
      queue.shift()
      const { count: wanted } = group
      let linked = true
      for (const block of blocks) {
        linked = await window.take(await verified(nodes, block, wanted))
        if (!linked) break
        lastNode = block.node
        onUnlinked(null)
      }
      const isAtHead = linked && blocks.length < wanted
      if (blocks.length === 0) pace.missed()
      else if (depth === 0) pace.came(blocks.at(-1)!, blocks.length === wanted)
      misses = blocks.length > 0 ? 0 : misses + 1
      // After a full group there may be more. After a short one the head is reached.
      const isFalse = linked && (await dropSuspect(options, window))
      if (!linked || isAtHead || isFalse) restart()
      else if (isLate(window) && only === null) depth = Math.min(Math.max(1, depth * 2), groupsMax)
      noteFit(window, linked && !isFalse)
      waitMs = retryMs.first
      onRead(isAtHead || !isLate(window))
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof UnlinkedBlock) {
        nodes.distrust(error.block.node, error.message)
        onUnlinked(error)
        restart()
      }
      log.warn({ err: error, retryInMs: waitMs }, 'block.failed')
      await pause(Math.max(waitMs, retryAfterMs(error)))
      waitMs = Math.min(waitMs * 2, retryMs.last)
      if (only !== null) readNextAlone(window)
      else if (queue[0] === group) queue[0] = start(group.from, group.count)
    }
  }

  function isLate({ tip }: ChainWindow): boolean {
    return now().getTime() - tip.time.getTime() > lateMs
  }
}

/**
 * Asks another node about a block that may be made up. If that shows another one, signed by a known producer on the same parent,
 * the block is dropped with all above it, and its node is distrusted.
 * @returns whether it was dropped.
 */
async function dropSuspect(
  { nodes, producers, log }: Pick<Parameters<typeof fillWindow>[0], 'nodes' | 'producers' | 'log'>,
  window: ChainWindow,
): Promise<boolean> {
  const suspect = window.suspect()
  if (!suspect || nodes.names.length < 2) return false
  // A node that cannot be asked now, or lacks the block, is asked again after the next one.
  const other = await nodes.newHeader(suspect.height, { not: suspect.node }).catch(() => null)
  if (!other) return false
  if (other.id === suspect.hash) {
    window.confirm(suspect)
    return false
  }
  if (other.parentHash !== suspect.parentHash || producers.verifyHeader(other) !== null) return false
  const why = `it shows block ${suspect.height} as ${suspect.hash}, another node ${other.id}, signed by a known producer`
  log.warn({ height: suspect.height, node: suspect.node, why }, 'block.made_up')
  nodes.distrust(suspect.node, why)
  window.drop(suspect)
  return true
}

/** Reads a block of a group again, of other nodes too, when it is not verified. */
async function verified(nodes: NewBlocks, block: ReadBlock, together: number): Promise<ReadBlock> {
  if (together === 1 || block.unverified === null) return block
  return (await nodes.newBlock(block.height)) ?? block
}

function retryAfterMs(error: unknown): number {
  const wanted = (error as { retryAfterMs?: unknown }).retryAfterMs
  return typeof wanted === 'number' ? wanted : 0
}
