import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../base/log.ts'
import type { BlockRef, HeadBlock } from '../tron/block.ts'

/** What the head is read from. */
export interface HeadSource {
  head(): Promise<BlockRef>
  headBlock(height: number): Promise<HeadBlock | null>
}

/** Head blocks kept and read at the most. Solidification takes about 19; a chain that stalls takes more. */
const keptMax = 100
/** How long to leave the head alone after a node failed. */
const retryMs = 3_000

/**
 * Follows the blocks at the head, which are not solidified and may fork, for display only: nothing is promised of them,
 * nothing is complete, and nothing is ever credited from them. Every round writes what the head's chain looks like now.
 * @param readSolidHeight the cursor's height: what lies under it is recorded, and no longer of interest here.
 * @param write replaces what is seen from a height on; `from` lies lower than before when a fork has replaced blocks.
 */
export async function followHead(options: {
  nodes: HeadSource
  readSolidHeight: () => Promise<number>
  write: (from: number, blocks: readonly HeadBlock[], head: BlockRef, solidHeight: number) => Promise<void>
  intervalMs: number
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { readSolidHeight, write, intervalMs, log, signal } = options
  const known = new Map<number, string>()
  let told = false
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
      told = false
    } catch (error) {
      if (signal.aborted) return
      // Display only: said once, and the head is looked at again.
      if (!told) log.warn({ err: error }, 'head.unreadable')
      told = true
      known.clear()
      await sleep(retryMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
    }
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
  }
}

/** The head's chain down to a block we know, or to the solidified ones: newest last. */
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
    // The node moved to another fork between two answers, or it is another that lags: all of it again next time.
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
