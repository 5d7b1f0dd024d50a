import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../base/log.ts'
import type { BlockRef, HeadBlock } from '../tron/block.ts'

/** A source of the newest blocks. */
export interface HeadSource {
  head(): Promise<BlockRef>
  headBlock(height: number): Promise<HeadBlock | null>
}

/** The most head blocks that are read and kept. Solidification takes about 19 blocks, more when the chain stalls. */
const keptMax = 100
/** The wait after a failure. */
const retryMs = 3_000

/**
 * Follows the blocks at the head, which are not solidified and may fork. For display only: they may be incomplete, and
 * nothing is credited from them. Every round writes the head's chain as it is now.
 * @param readSolidHeight reads the cursor's height. Blocks up to it are recorded, so the head is read only down to it.
 * @param write replaces the sightings from a height on. `from` is lower than before when a fork has replaced blocks.
 */
export async function followHead(options: {
  nodes: HeadSource
  readSolidHeight: () => Promise<number>
  write: (from: number, blocks: readonly HeadBlock[], head: BlockRef, solidHeight: number) => Promise<void>
  intervalMs: number
  /** Waits until the head may be another, and no longer than a time. Without it, for that time. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { readSolidHeight, write, intervalMs, log, signal } = options
  const known = new Map<number, string>()
  let reported = false
  while (!signal.aborted) {
    try {
      const head = await options.nodes.head()
      if (known.get(head.height) !== head.hash) {
        const solidHeight = await readSolidHeight()
        const blocks = await changedBlocks(options.nodes, known, head, solidHeight)
        const from = blocks[0]?.height ?? head.height + 1
        await write(from, blocks, head, solidHeight)
        remember(known, from, blocks, solidHeight)
      }
      reported = false
    } catch (error) {
      if (signal.aborted) return
      // For display only, so a row of failures is logged once.
      if (!reported) log.warn({ err: error }, 'head.unreadable')
      reported = true
      known.clear()
      await sleep(retryMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
    }
    await (options.wait ?? pause)(intervalMs, signal)
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
}

/** Reads the head's chain down to a known block or to the solidified ones. @returns the blocks, newest last. */
async function changedBlocks(
  nodes: HeadSource,
  known: ReadonlyMap<number, string>,
  head: BlockRef,
  solidHeight: number,
): Promise<HeadBlock[]> {
  const blocks: HeadBlock[] = []
  const lowest = Math.max(solidHeight + 1, head.height - keptMax + 1)
  for (let height = head.height; height >= lowest; height--) {
    const block = await nodes.headBlock(height)
    const child = blocks[0]
    // The node changed to another fork between two answers, or this is another node that lags. Read all of it next time.
    if (!block || (child && child.parentHash !== block.hash)) return []
    blocks.unshift(block)
    if (known.get(height - 1) === block.parentHash) break
  }
  return blocks
}

function remember(
  known: Map<number, string>,
  from: number,
  blocks: readonly HeadBlock[],
  solidHeight: number,
): void {
  for (const height of known.keys()) if (height >= from || height <= solidHeight) known.delete(height)
  for (const block of blocks) known.set(block.height, block.hash)
}
