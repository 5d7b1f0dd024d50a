import type { NodeBlock } from './node-answers.ts'
import { isNotOffered } from './node-error.ts'
import type { Turn } from './token-bucket.ts'
import type { WalletView } from './wallet-view.ts'

/** How often the header of a node may be ahead of its whole block before headers are given up. */
const triesMax = 3

/**
 * Makes a reader of a view's newest block that asks for the header alone, where the node offers that: a whole block is
 * hundreds of kilobytes and comes every three seconds. The header is compared with a whole block once before it is trusted:
 * a node might show the head's header as solidified, and that block may still be undone.
 * @returns a function whose result is null for a node without any block.
 */
export function newestHeader(view: WalletView): (turn?: Turn) => Promise<NodeBlock | null> {
  let headers: 'untried' | 'trusted' | 'given up' = 'untried'
  let tries = 0
  return async turn => {
    if (headers === 'given up') return await view.newest(turn)
    const header = await headerOnly(view, turn)
    if (header === null) {
      headers = 'given up'
      return await view.newest(turn)
    }
    if (headers === 'trusted') return header
    const block = await view.newest(turn)
    if (block && header.height <= block.height) headers = 'trusted'
    else if (++tries === triesMax) headers = 'given up'
    return block
  }
}

/** Asks for the newest header. @returns null when the node has no such call. */
async function headerOnly(view: WalletView, turn?: Turn): Promise<NodeBlock | null> {
  try {
    return await view.newestHeader(turn)
  } catch (error) {
    if (isNotOffered(error)) return null
    throw error
  }
}
