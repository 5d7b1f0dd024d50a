import { failpoint } from '../base/failpoint.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'

/** What blocks are fetched from: one node, or several that take turns. */
export interface BlockSource {
  solidBlock(height: number): Promise<SolidBlock | null>
}

/** A block that does not name the one before it as its parent: on the solidified chain somebody is wrong. */
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
 * Fetches blocks in parallel and gives them out in order, linked, in batches of what is there by then. While a batch is
 * being committed the next ones are on their way; never more than `ahead` blocks are in memory, whatever the gap.
 * Ends after `last`, or before a block that is not there.
 * @throws UnlinkedBlock; NodeError as the source gives it.
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
  settled: Promise<void>
  /** @throws what the fetch failed with. */
  result(): { block: SolidBlock | null }
}

/** A failure is kept until its turn comes: what was fetched before it is still good. */
function startFetch(source: BlockSource, height: number): Fetch {
  let outcome: { block: SolidBlock | null } | { error: unknown } | null = null
  const fetch: Fetch = {
    done: false,
    settled: source
      .solidBlock(height)
      .then(
        block => {
          outcome = { block }
        },
        error => {
          outcome = { error }
        },
      )
      .then(() => {
        fetch.done = true
      }),
    result: () => {
      if (!outcome) throw new Error('asked for the result of a fetch that is not done')
      if ('error' in outcome) throw outcome.error
      return outcome
    },
  }
  return fetch
}
