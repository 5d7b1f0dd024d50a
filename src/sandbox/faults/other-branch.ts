import { childBlock, type SandboxBlock } from '../chain/sandbox-block.ts'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import type { Effect } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'
import { resignBlock } from './resign-block.ts'

/**
 * Puts a node on its own branch: from a height on, every block is by the next producer, so has another id, and the branch's
 * block as its parent. Above the solidified height that is an ordinary fork; below it, it cannot happen on a sound network. The
 * branch holds the chain's transactions except those in `without`. Each block has its producer's signature, unless `signed`
 * says otherwise.
 */
export function otherBranch(fault: FaultOf<'other-branch'>, chain: SandboxChain): Effect {
  const from = Math.max(1, chain.head.height - fault.depth + 1)
  const without = new Set(fault.without)
  /** By height, with the id of the chain's block it replaces: it is made again after the chain itself forks. */
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
      const { timeMs, transactions, id, elected, header } = chain.block(next)!
      const turn = elected.findIndex(({ address }) => address === header.witness_address)
      parent = childBlock(parent, {
        timeMs,
        producer: elected[(turn + 1) % elected.length]!,
        elected,
        transactions: without.size > 0 ? transactions.filter(({ id }) => !without.has(id)) : transactions,
      })
      parent = resignBlock(parent, fault.signed)
      made.set(next, { of: id, block: parent })
    }
    return parent
  }
  return { block: block => (block.height >= from ? branchBlock(block.height) : block) }
}
