import { type NodeBlock, readBlock } from './node-answers.ts'
import { isNotOffered } from './node-error.ts'

/** How often a node may contradict itself about its newest block before the short way is given up. */
const triesMax = 3

/** Posts to a view. @param ahead before the requests that wait for their turn. */
export type AskView = (path: string, body: object, ahead?: boolean) => Promise<unknown>

/**
 * Reads a view's newest block by its header alone, where the node offers that: a whole block is hundreds of kilobytes,
 * and comes every three seconds. Before the short way is trusted it is held against the long one once: a node that showed
 * its head as solidified would have us believe what may still be undone.
 * @returns null from a node without any block.
 */
export function newestHeader(ask: AskView): (ahead: boolean) => Promise<NodeBlock | null> {
  let short: 'untried' | 'trusted' | 'given up' = 'untried'
  let tries = 0
  const whole = async (ahead: boolean) => readBlock(await ask('/getnowblock', {}, ahead))
  return async ahead => {
    if (short === 'given up') return await whole(ahead)
    const header = await headerOnly(ask, ahead)
    if (header === null) {
      short = 'given up'
      return await whole(ahead)
    }
    if (short === 'trusted') return header
    const block = await whole(ahead)
    if (block && header.height <= block.height) short = 'trusted'
    else if (++tries === triesMax) short = 'given up'
    return block
  }
}

/** @returns null when the node has no such call. */
async function headerOnly(ask: AskView, ahead: boolean): Promise<NodeBlock | null> {
  try {
    return readBlock(await ask('/getblock', { detail: false }, ahead))
  } catch (error) {
    if (isNotOffered(error)) return null
    throw error
  }
}
