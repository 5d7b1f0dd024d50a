import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../base/log.ts'
import type { BlockRef } from '../tron/block.ts'
import { NodeError } from '../tron/node/node-error.ts'
import type { ReadBlock } from '../tron/node/solid-block.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import type { ChainWindow } from './chain-window.ts'
import { UnlinkedBlock } from './fetch-blocks.ts'
import type { HeadPace } from './head-pace.ts'
import type { KnownProducers } from './known-producers.ts'

/** The nodes, as far as reading new blocks needs them. */
export type NewBlocks = Pick<
  NodePool,
  'names' | 'sameHost' | 'newBlock' | 'newBlocks' | 'newHeader' | 'distrust'
>

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
/** After so many misses in a row nodes are read one at a time. */
const missesMax = 3
/** After so many blocks that were dropped or do not link, without a new solid one, too. */
const misfitsMax = 8
/** So many blocks from one node, and a new solid one, and all are read again. */
const aloneBlocks = 27
/**
 * How often it is looked whether a window that is full, and of which nothing becomes solid, is of made-up blocks; and whether a block
 * that does not come has others after it.
 */
const stuckMs = 5_000

interface Group {
  from: number
  count: number
  /** Whether it was asked for before. */
  isAgain: boolean
  blocks: Promise<ReadBlock[]>
}

/**
 * Reads blocks into a window until the signal aborts: one after the other at the head, many at a time behind it. A group
 * that fails is asked for again; those fetched after it are kept.
 * @param options.window is asked for at each turn: another one begins at another cursor.
 * @param options.together tells each time how many blocks are read in one call at the head: more than one costs fewer calls
 * and some seconds.
 * @param options.hasRoom resolves when the window has room again.
 * @param options.instead returns what takes the place of the block after the tip, which could not be read; null: nothing yet.
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
  instead: (tip: BlockRef, error: NodeError) => Promise<ReadBlock | null>
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
  // A node that withholds blocks may be asked first for ever. And what several nodes show, of which one lies, may never link; what
  // an honest one shows alone does, from the solid block on.
  let alone = null as { node: string; blocks: number; fromSolid: boolean } | null
  let turn = 0
  let solidHeight = 0
  let stuckSinceMs: number | null = null
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let withheldHeight: number | null = null
  let waitMs = retryMs.first
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.

  const start = (from: number, count: number, isAgain = false): Group => {
    const blocks = count === 1 ? one(from) : nodes.newBlocks(from, count)
    blocks.catch(() => undefined) // Thrown when its turn comes.
    return { from, count, isAgain, blocks }
  }
  const one = async (height: number): Promise<ReadBlock[]> => {
    const only = alone?.node
    const not = only === undefined ? {} : { not: nodes.names.filter(name => name !== only) }
    const block = await nodes.newBlock(height, not)
    return block ? [block] : []
  }
  const next = (window: ChainWindow) =>
    queue.length > 0 ? queue.at(-1)!.from + queue.at(-1)!.count : window.tip.height + 1
  const plan = async (window: ChainWindow) => {
    const room = () => window.cursor.height + aheadMax - next(window)
    if (depth === 0) {
      if (queue.length > 0) return
      if (room() <= 0) return await waitForRoom(window)
      const count = alone ? 1 : together()
      await pause(pace.waitMs(window.tip, count))
      if (!signal.aborted && options.window() === window) queue.push(start(next(window), count))
      return
    }
    while (queue.length < depth && room() >= groupMax) queue.push(start(next(window), groupMax))
    if (queue.length === 0) await waitForRoom(window)
  }
  /** Where all that is solid is recorded and the window is full all the same, its blocks may be made up. */
  const waitForRoom = async (window: ChainWindow) => {
    await hasRoom(signal)
    if (signal.aborted || window.solid.height > window.cursor.height) {
      stuckSinceMs = null
      return
    }
    stuckSinceMs ??= performance.now()
    if (nodes.names.length < 2 || performance.now() - stuckSinceMs < stuckMs) return
    stuckSinceMs = null
    if (await dropSuspect(options, window)) restart()
  }
  const restart = () => {
    queue.length = 0
    depth = 0
  }
  /** Reads one node alone, the next each time: from the solid block on, or from the tip. */
  const readNextAlone = (window: ChainWindow, fromSolid: boolean) => {
    const node = nodes.names[turn++ % nodes.names.length]!
    alone = { node, blocks: 0, fromSolid }
    misfits = 0
    misses = 0
    const level = fromSolid ? 'info' : 'debug'
    log[level]({ node, solid: window.solid.height }, 'chain.one_node')
    if (fromSolid) window.backToSolid()
    restart()
  }
  /** A node may say that it lacks a block, for good, and show the one after it. */
  const isWithheld = async (window: ChainWindow) => {
    const height = window.tip.height + 1
    if (withheldHeight === height) return true
    if (misses < missesMax || !isLate(window) || performance.now() - lookedAtMs < stuckMs) return false
    lookedAtMs = performance.now()
    const after = await nodes.newHeader(height + 1).catch(() => null)
    if (after) withheldHeight = height
    return after !== null
  }
  const noteFit = (window: ChainWindow, came: number, fits: boolean) => {
    if (alone) alone.blocks += came
    if (window.solid.height !== solidHeight) {
      solidHeight = window.solid.height
      misfits = 0
      if (alone && alone.blocks >= aloneBlocks) alone = null
    } else if (!fits) misfits++
    if (nodes.names.length < 2) return
    if (misfits >= misfitsMax) readNextAlone(window, true)
    else if (misses >= missesMax) readNextAlone(window, alone?.fromSolid ?? false)
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
        // The tip is another meanwhile: what is read is not what comes next.
        if (block.height !== window.tip.height + 1) break
        linked = await window.take(await verified(nodes, window, block, wanted))
        if (!linked) break
        onUnlinked(null)
      }
      const last = blocks.at(-1)
      const isGap = linked && last !== undefined && last.height !== window.tip.height
      const isAtHead = linked && !isGap && blocks.length < wanted
      if (!last) pace.missed()
      else if (depth === 0) pace.came(last, blocks.length === wanted)
      misses = last ? 0 : misses + 1
      const withheld = !last && (await isWithheld(window))
      if (withheld && wanted === 1)
        throw new NodeError('failed', `no node has block ${group.from}, and one shows the block after it`)
      // After a full group there may be more. After a short one the head is reached.
      const isFalse = linked && (await dropSuspect(options, window))
      if (!linked || isGap || isAtHead || isFalse) restart()
      else if (isLate(window) && !alone) depth = Math.min(Math.max(1, depth * 2), groupsMax)
      noteFit(window, blocks.length, linked && !isFalse)
      if (withheld && queue.length === 0) queue.push(start(next(window), 1))
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
      if (error instanceof NodeError && (await takeInstead(window, group, error))) continue
      if (alone) readNextAlone(window, alone.fromSolid)
      // The tip may be another meanwhile, since the blocks before are proven: they are read again.
      else if (queue[0] !== group || group.from !== window.tip.height + 1) restart()
      else queue.splice(0, 1, ...again(group, error))
    }
  }

  /** Takes what stands in for a block that cannot be read, if it is time for that. */
  async function takeInstead(
    window: ChainWindow,
    { from, count }: Group,
    error: NodeError,
  ): Promise<boolean> {
    const { tip } = window
    if (signal.aborted || count > 1 || options.window() !== window || from !== tip.height + 1) return false
    try {
      const block = await options.instead(tip, error)
      // Meanwhile the window may be another, and the tip lower, since blocks are proven.
      if (!block || options.window() !== window || window.tip.hash !== tip.hash) return false
      if (!(await window.take(block))) return false
    } catch (err) {
      log.warn({ err }, 'block.failed')
      return false
    }
    restart()
    onRead(false)
    return true
  }

  /** Of a group, one block may be one that cannot be read, for good: the others are read without it. */
  function again({ from, count, isAgain }: Group, error: unknown): Group[] {
    const isAnswer = error instanceof NodeError && error.kind === 'failed' && !error.timedOut
    return isAnswer || isAgain
      ? Array.from({ length: count }, (_, i) => start(from + i, 1, true))
      : [start(from, count, true)]
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
  const other = await nodes.newHeader(suspect.height, { not: nodes.sameHost(suspect.node) }).catch(() => null)
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

/** Reads a block of a group again, of other nodes too, when it is not verified. One whose id is proven needs no signature. */
async function verified(
  nodes: NewBlocks,
  window: ChainWindow,
  block: ReadBlock,
  together: number,
): Promise<ReadBlock> {
  const { unverified: why } = block
  if (together === 1 || why === null) return block
  if ((why === 'stranger' || why === 'signature') && window.isProven(block)) return block
  return (await nodes.newBlock(block.height)) ?? block
}

function retryAfterMs(error: unknown): number {
  const wanted = (error as { retryAfterMs?: unknown }).retryAfterMs
  return typeof wanted === 'number' ? wanted : 0
}
