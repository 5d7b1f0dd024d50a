import type { Logger } from '../../base/log.ts'
import type { BlockRef } from '../block.ts'
import { isTrusted } from './node-health.ts'
import type { PooledNode } from './pooled-node.ts'

/** One solidified block in so many is compared, and at most one per interval: a comparison costs a call. */
const everyBlocks = 20
const everyMs = 5_000

/**
 * Compares a block that a node served with a peer's from time to time: at one solidified height there is one block. When the
 * two differ, the other peers are asked too and the minority is distrusted. Without a majority nothing is proven: it logs
 * the disagreement, and an operator has to look.
 * @returns a function to call with every block served. It resolves after the comparison, if it makes one.
 */
export function createAgreementCheck(options: {
  nodes: readonly PooledNode[]
  now: () => number
  log: Logger
  onDisagreement: () => void
}): (server: PooledNode, block: BlockRef) => Promise<void> {
  const { nodes, now, log } = options
  let served = 0
  let comparedAtMs = Number.NEGATIVE_INFINITY
  let next = 0
  return async (server, block) => {
    if (++served < everyBlocks || now() - comparedAtMs < everyMs) return
    const peers = nodes.filter(node => node !== server && canCompare(node, block.height, now()))
    if (peers.length === 0) return
    served = 0
    comparedAtMs = now()
    const hash = await hashOf(peers[next++ % peers.length]!, block.height)
    if (hash === null || hash === block.hash) return
    const votes = new Map([[server, block.hash]])
    for (const peer of peers) {
      const voted = await hashOf(peer, block.height)
      if (voted !== null) votes.set(peer, voted)
    }
    const others = [...votes.values()]
    // All agree now: the other block came once, from another node behind the same address.
    if (others.every(vote => vote === block.hash)) return
    options.onDisagreement()
    for (const node of votes.keys()) node.counts.disagreements++
    const hashes = Object.fromEntries([...votes].map(([node, vote]) => [node.name, vote]))
    const majority = others.find(vote => others.filter(one => one === vote).length > others.length / 2)
    log.error({ height: block.height, hashes, majority: majority ?? null }, 'node.disagreement')
    if (majority === undefined) return
    for (const [node, vote] of votes) {
      if (vote !== majority) node.distrust(`it shows block ${block.height} as ${vote}, most show ${majority}`)
    }
  }
}

/** Only a healthy, trusted node that has the block is worth asking. */
function canCompare({ health }: PooledNode, height: number, nowMs: number): boolean {
  return health.state === 'ok' && isTrusted(health, nowMs) && (health.solidHead?.height ?? 0) >= height
}

/** Asks a node for its vote. @returns null, no vote, when it does not answer. */
async function hashOf(node: PooledNode, height: number): Promise<string | null> {
  try {
    return await node.ask(one => one.solidHash(height))
  } catch {
    // `ask` has recorded the failure.
    return null
  }
}
