import { usdt } from '../../src/base/money.ts'
import type { SecondNodes } from '../../src/credits/confirm-held.ts'
import type { ProofRules } from '../../src/credits/proof-policy.ts'
import type { SolidBlock } from '../../src/tron/block.ts'

/** What one host shows of a block; null: it lacks it; it throws when it is away. */
export type Shows = (height: number) => SolidBlock | null

/** Hosts that are asked as a pool asks them: the first that is not left out, and a verified block before another. */
export function playedHosts(hosts: Record<string, Shows>): SecondNodes & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    async solidBlock(height, { not }) {
      let failure: unknown = new Error('no other node can be asked')
      let unverified: SolidBlock | null = null
      for (const [node, show] of Object.entries(hosts)) {
        if (not.includes(node)) continue
        try {
          asked.push(node)
          const block = show(height)
          if (!block) return unverified
          if (block.unverified === null) return { ...block, node }
          unverified ??= { ...block, node }
        } catch (error) {
          failure = error
        }
      }
      if (unverified) return unverified
      throw failure
    },
  }
}

/** The proof rules of so many hosts. */
export function rulesFor(hosts: number, alone?: bigint): ProofRules {
  return {
    hosts,
    hostOf: node => node,
    aloneAmount: usdt(alone ?? 100n),
    aloneGiven: alone !== undefined,
  }
}
