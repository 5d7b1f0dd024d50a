import type { Producer } from '../chain/producers.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import type { Effect, Surface } from '../faults/fault-effect.ts'

/** The chain as a node shows it. */
export interface ChainView {
  head: SandboxBlock
  solid: SandboxBlock
  /** The producers as of the newest block of the view that is asked. */
  elected: readonly Producer[]
  /** Returns a block up to the newest; undefined when the node has none at that height. */
  block(height: number): SandboxBlock | undefined
}

/** Applies the effects of faults to the chain. @param surface the view that is asked: blocks are made up on top of this one. */
export function viewChain(chain: SandboxChain, effects: readonly Effect[], surface: Surface): ChainView {
  let heights = { head: chain.head.height, solid: chain.solid.height }
  for (const effect of effects) heights = effect.heights?.(heights) ?? heights
  const { head, solid } = heights
  const shown = (height: number): SandboxBlock | undefined => {
    let block = height <= head ? chain.block(height) : undefined
    for (const { block: change } of effects) if (block && change) block = change(block) ?? undefined
    return block
  }
  // The oldest blocks may be dropped. A node that far behind shows the genesis.
  const newest = (height: number) => {
    for (let at = height; at > 0 && chain.block(at); at--) {
      const block = shown(at)
      if (block) return block
    }
    return chain.block(0)!
  }
  const tops = { head, solid: Math.min(head, solid) }
  const madeUp = makeUp(effects, () => newest(tops[surface]))
  const top = (asked: Surface) => {
    const block = (asked === surface ? madeUp.at(-1) : undefined) ?? newest(tops[asked])
    return effects.reduce((block, effect) => effect.newest?.(block) ?? block, block)
  }
  return {
    get head() {
      return top('head')
    },
    get solid() {
      return top('solid')
    },
    get elected() {
      return effects.reduce((elected, effect) => effect.elected?.(elected) ?? elected, top(surface).elected)
    },
    block: height => madeUp.find(block => block.height === height) ?? shown(height),
  }
}

function makeUp(effects: readonly Effect[], newest: () => SandboxBlock): SandboxBlock[] {
  const madeUp: SandboxBlock[] = []
  for (const { onTop } of effects) if (onTop) madeUp.push(...onTop(madeUp.at(-1) ?? newest()))
  return madeUp
}
