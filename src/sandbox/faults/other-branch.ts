import { childBlock, type SandboxBlock } from '../chain/sandbox-block.ts'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import type { Effect } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'

/**
 * A node on a branch of its own: from a height on every block has another producer, and so another id, and follows on
 * the branch's own parent. Above the solidified height that is a fork as real nodes see them; below it is what cannot
 * happen on a sound network. The branch holds the chain's transactions, save the ones it is `without`.
 */
export function otherBranch(fault: FaultOf<'other-branch'>, chain: SandboxChain): Effect {
  const from = Math.max(1, chain.head.height - fault.depth + 1)
  const without = new Set(fault.without)
  /** By height, with the id of the chain's block it stands for: a fork of the chain itself makes it another. */
  const made = new Map<number, { of: string; block: SandboxBlock }>()
  const known = (height: number) => {
    const kept = made.get(height)
    return kept && kept.of === chain.block(height)?.id ? kept.block : undefined
  }
  const branchBlock = (height: number): SandboxBlock => {
    let base = height
    while (base >= from && !known(base)) base--
    let parent = base < from ? chain.block(from - 1)! : known(base)!
    for (let next = base + 1; next <= height; next++) {
      const { timeMs, transactions, id } = chain.block(next)!
      parent = childBlock(parent, {
        timeMs,
        producer: `branch from ${from}`,
        transactions: without.size > 0 ? transactions.filter(({ id }) => !without.has(id)) : transactions,
      })
      made.set(next, { of: id, block: parent })
    }
    return parent
  }
  return { block: block => (block.height >= from ? branchBlock(block.height) : block) }
}
