import { failpoint } from '../base/failpoint.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'

/** A source of solidified blocks: one node, or a pool of them. */
export interface BlockSource {
  solidBlock(height: number): Promise<SolidBlock | null>
}

/** A block that does not name the one before it as its parent. The solidified chain has no forks, so a node is wrong. */
export class UnlinkedBlock extends Error {
  readonly block: SolidBlock

  constructor(parent: BlockRef, block: SolidBlock) {
    super(
      `block ${block.height} (${block.hash}) of ${block.node} names ${block.parentHash} as its parent, ours is ${parent.hash}`,
    )
    this.name = 'UnlinkedBlock'
    this.block = block
  }
}

/**
 * Fetches blocks in parallel and yields them in order, each linked to the one before, in batches of those that have arrived.
 * While a batch is being committed the next blocks are fetched. At most `ahead` blocks are in memory, however many are to
 * be read. Ends after `last`, or before a block that the source does not have.
 * @throws UnlinkedBlock; NodeError from the source.
 */
export async function* fetchBlocks(
  source: BlockSource,
  options: { from: BlockRef; last: number; ahead: number; batch: number },
): AsyncGenerator<SolidBlock[]> {
  const { last, ahead, batch } = options
  const fetches: Fetch[] = []
  let parent = options.from
  let next = parent.height + 1
  for (;;) {
    while (fetches.length < ahead && next <= last) fetches.push(startFetch(source, next++))
    const first = fetches[0]
    if (!first) return
    await first.settled
    const blocks: SolidBlock[] = []
    while (fetches[0]?.done && blocks.length < batch) {
      // The blocks before one that failed come first.
      if (fetches[0].failed && blocks.length > 0) break
      const { block } = fetches[0].result()
      if (!block) break
      if (block.parentHash !== parent.hash) throw new UnlinkedBlock(parent, block)
      fetches.shift()
      blocks.push(block)
      parent = block
    }
    if (blocks.length === 0) return
    failpoint('block:after-decode')
    yield blocks
  }
}

interface Fetch {
  done: boolean
  failed: boolean
  settled: Promise<void>
  /** @throws the error of a fetch that failed. */
  result(): { block: SolidBlock | null }
}

/** Starts a fetch. A failure is kept until the block's turn: the blocks before it can still be used. */
function startFetch(source: BlockSource, height: number): Fetch {
  let outcome: { block: SolidBlock | null } | { error: unknown } | null = null
  const fetch: Fetch = {
    done: false,
    failed: false,
    settled: source
      .solidBlock(height)
      .then(
        block => {
          outcome = { block }
        },
        error => {
          outcome = { error }
          fetch.failed = true
        },
      )
      .then(() => {
        fetch.done = true
      }),
    result: () => {
      if (!outcome) throw new Error('a fetch has no result before it is done')
      if ('error' in outcome) throw outcome.error
      return outcome
    },
  }
  return fetch
}
