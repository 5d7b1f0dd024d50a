import type { Logger } from '../../base/log.ts'
import type { BlockRef } from '../block.ts'
import { isTrusted } from './node-health.ts'
import type { PooledNode } from './pooled-node.ts'

/** One solidified block in so many is compared with another node's, and not more often than this: it costs a call. */
const everyBlocks = 20
const everyMs = 5_000

/**
 * Holds what a node serves against its peers, now and then: at one solidified height there is one block. When two differ
 * the others are asked too; a minority is distrusted, and where there is none, nothing is proven and a person has to look.
 * @returns to be told of every block served; resolves when it is compared, where it is.
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
    // Shown once and not again, the other block was a slip of a balancer; the same question has one answer now.
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

/** A node that waits or fails is spared, and its word would be worth nothing. */
function canCompare({ health }: PooledNode, height: number, nowMs: number): boolean {
  return health.state === 'ok' && isTrusted(health, nowMs) && (health.solidHead?.height ?? 0) >= height
}

/** @returns null when it has no answer: that is no vote. */
async function hashOf(node: PooledNode, height: number): Promise<string | null> {
  try {
    return await node.ask(one => one.solidHash(height))
  } catch {
    // Noted where it was asked.
    return null
  }
}
