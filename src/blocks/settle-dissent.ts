import type { SolidBlock } from '../tron/block.ts'
import { NodeError } from '../tron/node/node-error.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import type { KnownProducers } from './known-producers.ts'

/** The nodes, as far as a dissent between them has to be settled. */
export type DissentingNodes = Pick<NodePool, 'names' | 'othersAt' | 'newHeader' | 'distrust'>

/** Headers that are compared on each branch: as many as there are producers at most. */
const headersMax = 27

/**
 * Checks that a block may be committed where a node's word says what is solid: another host shows it, or none shows another one.
 * Where hosts differ, the branch is believed that more different known producers have built on: whoever has one producer's key
 * adds one to a branch.
 * @throws NodeError when the block must not be committed. The node that is not believed is distrusted.
 */
export async function settleDissent(
  nodes: DissentingNodes,
  producers: Pick<KnownProducers, 'verifyHeader'>,
  block: SolidBlock,
): Promise<void> {
  const others = await nodes.othersAt(block.height, block.node)
  if (others.some(({ header }) => header.id === block.hash)) return
  // Whose header no known producer signed is no dissenter against one that is verified.
  const dissenting = others.filter(
    ({ header }) => block.unverified !== null || producers.verifyHeader(header) === null,
  )
  if (dissenting.length === 0) return
  const ours = await countProducers(nodes, producers, block.node, block.height)
  const counts = await Promise.all(
    dissenting.map(({ node }) => countProducers(nodes, producers, node, block.height)),
  )
  const most = Math.max(...counts)
  for (const [i, { node, header }] of dissenting.entries()) {
    if (counts[i]! >= ours) continue
    const why = `it shows block ${block.height} as ${header.id}, built on by ${counts[i]} producers; ${block.hash} by ${ours}`
    nodes.distrust(node, why)
  }
  if (most < ours) return
  const shown = dissenting.map(({ node, header }) => `${node} ${header.id}`).join(', ')
  const why = `it shows block ${block.height} as ${block.hash}, ${shown}`
  if (most > ours) nodes.distrust(block.node, why)
  throw new NodeError('failed', `node ${block.node} stands alone: ${why}`)
}

/** Counts the different known producers that have built on a node's block at a height, its own included. */
async function countProducers(
  nodes: DissentingNodes,
  producers: Pick<KnownProducers, 'verifyHeader'>,
  node: string,
  height: number,
): Promise<number> {
  const not = nodes.names.filter(name => name !== node)
  const heights = Array.from({ length: headersMax }, (_, i) => height + i)
  const headers = await Promise.all(heights.map(at => nodes.newHeader(at, { not }).catch(() => null)))
  const found = new Set<string>()
  let parent: string | null = null
  for (const header of headers) {
    if (!header || (parent !== null && header.parentHash !== parent)) break
    parent = header.id
    if (producers.verifyHeader(header) === null) found.add(header.producer)
  }
  return found.size
}
