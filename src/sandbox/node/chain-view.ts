import type { SandboxBlock } from '../chain/sandbox-block.ts'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import type { Effect } from '../faults/fault-effect.ts'

/** The chain as a node shows it. */
export interface ChainView {
  head: SandboxBlock
  solid: SandboxBlock
  /** Returns a block up to the head; undefined when the node has none at that height. */
  block(height: number): SandboxBlock | undefined
}

/** Applies the effects of faults to the chain. */
export function viewChain(chain: SandboxChain, effects: readonly Effect[]): ChainView {
  let heights = { head: chain.head.height, solid: chain.solid.height }
  for (const effect of effects) heights = effect.heights?.(heights) ?? heights
  const { head, solid } = heights
  const block = (height: number): SandboxBlock | undefined => {
    let block = height <= head ? chain.block(height) : undefined
    for (const effect of effects) block = block && (effect.block?.(block) ?? block)
    return block
  }
  // The oldest blocks may be dropped. A node that far behind shows the genesis.
  const newest = (height: number) => block(height) ?? chain.block(0)!
  return {
    get head() {
      return newest(head)
    },
    get solid() {
      return newest(Math.min(head, solid))
    },
    block,
  }
}
