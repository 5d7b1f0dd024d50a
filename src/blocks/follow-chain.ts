import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../base/log.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'
import type { TronNode } from '../tron/node-client.ts'

/** Blocks fetched at the same time: enough to hide a round trip, few enough that memory stays small. */
const fetchedAtOnce = 16
/** Blocks that share a transaction while catching up. */
const blocksPerTransaction = 64
/** After a failed block: the first wait, doubled up to the last. */
const retryMs = { first: 500, last: 15_000 }

/**
 * Follows the solidified chain from the cursor on, in order and without a gap, until the signal says stop.
 *
 * A missing, short or contradicting answer is a failed block, asked for again, never an empty one. A block that is not
 * built on the cursor's is a failed block too: the solidified chain does not fork, so somebody is wrong, and nothing is
 * credited until it links again.
 * @param readCursor where the database stands; read again whenever a commit says that another watcher moved it.
 * @param commit writes blocks with all that follows from them; false when the cursor had been moved by another.
 * @param pace `restMs`: how long after the newest block the next cannot be there yet; `pollMs`: how soon to ask again
 *   for one that is not. Both spend or spare a node's quota.
 */
export async function followChain(options: {
  node: TronNode
  readCursor: () => Promise<BlockRef>
  commit: (from: BlockRef, blocks: readonly SolidBlock[]) => Promise<boolean>
  pace: { restMs: number; pollMs: number }
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { node, readCursor, commit, pace, log, signal } = options
  let waitMs = retryMs.first
  let cursor: BlockRef | null = null
  while (!signal.aborted) {
    try {
      cursor ??= await readCursor()
      const blocks = await nextBlocks(node, cursor)
      if (blocks.length === 0) {
        await sleep(pace.pollMs, undefined, { signal })
        continue
      }
      // Another watcher has moved it: read it again.
      cursor = (await commit(cursor, blocks)) ? blocks.at(-1)! : null
      waitMs = retryMs.first
      if (cursor && isRecent(cursor)) await sleep(pace.restMs, undefined, { signal })
    } catch (error) {
      if (signal.aborted) return
      log.warn({ err: error, height: cursor && cursor.height + 1, retryInMs: waitMs }, 'block.failed')
      cursor = null
      await sleep(Math.max(waitMs, retryAfterMs(error)), undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
      waitMs = Math.min(waitMs * 2, retryMs.last)
    }
  }
}

function retryAfterMs(error: unknown): number {
  const wanted = (error as { retryAfterMs?: unknown }).retryAfterMs
  return typeof wanted === 'number' ? wanted : 0
}

/**
 * The blocks after the cursor that are solidified by now, in order and linked, at most one transaction's worth.
 * The next block is asked for straight away; only when it is there does the solidified head say how many more there are.
 */
async function nextBlocks(node: TronNode, cursor: BlockRef): Promise<SolidBlock[]> {
  const next = await node.solidBlock(cursor.height + 1)
  if (!next) return []
  const blocks = [linked(cursor, next)]
  const head = isRecent(next) ? next.height : (await node.solidHead()).height
  const last = Math.min(head, cursor.height + blocksPerTransaction)
  for (let height = next.height + 1; height <= last; height += fetchedAtOnce) {
    const heights = Array.from({ length: Math.min(fetchedAtOnce, last - height + 1) }, (_, i) => height + i)
    for (const block of await Promise.all(heights.map(h => node.solidBlock(h)))) {
      // A node behind the one that named the head: what linked so far is good, the rest comes next time.
      if (!block) return blocks
      blocks.push(linked(blocks.at(-1)!, block))
    }
  }
  return blocks
}

/** Solidification takes about a minute: a block younger than two is the newest solidified one, or nearly. */
function isRecent(block: BlockRef): boolean {
  return Date.now() - block.time.getTime() < 120_000
}

function linked(parent: BlockRef, block: SolidBlock): SolidBlock {
  if (block.parentHash === parent.hash) return block
  throw new Error(
    `block ${block.height} (${block.hash}) names ${block.parentHash} as its parent, but ours is ${parent.hash}`,
  )
}
