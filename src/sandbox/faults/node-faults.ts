import type { Clock } from '../../base/clock.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import { SandboxRefusal } from '../chain/sandbox-refusal.ts'
import { type SeededRandom, seededRandom } from '../chain/seeded-random.ts'
import type { Effect, Question } from './fault-effect.ts'
import { makeEffect } from './fault-effects.ts'
import type { Fault } from './fault-schemas.ts'

/** A fault that is set. */
export interface ActiveFault {
  id: number
  fault: Fault
  /** The calls it has struck. */
  hits: number
}

const faultsMax = 1_000
/** Kinds whose `view` names the height they change, and not the calls they strike. */
const movesHeights = new Set<Fault['kind']>(['lag', 'stall', 'backwards'])

/** The faults of one node. Several can be set at once, each for the calls in its scope. */
export class NodeFaults {
  readonly #context: { chain: SandboxChain; clock: Clock }
  readonly #random: SeededRandom
  readonly #active = new Map<number, ActiveFault & { effect: Effect }>()
  #lastId = 0

  /** @param context.seed decides which calls a fault with a probability strikes. */
  constructor(context: { chain: SandboxChain; clock: Clock; seed: number }) {
    this.#context = context
    this.#random = seededRandom(context.seed)
  }

  /**
   * Sets a fault, in addition to those already set.
   * @throws SandboxRefusal when its address or amount is invalid, or too many are set.
   */
  set(fault: Fault): ActiveFault {
    if (this.#active.size >= faultsMax) throw new SandboxRefusal(`at most ${faultsMax} faults can be set`)
    const active = { id: ++this.#lastId, fault, hits: 0, effect: makeEffect(fault, this.#context) }
    this.#active.set(active.id, active)
    return shown(active)
  }

  /** Clears one fault, or all. @throws SandboxRefusal when no fault has that id. */
  clear(id?: number): void {
    if (id === undefined) this.#active.clear()
    else if (!this.#active.delete(id)) throw new SandboxRefusal(`no fault ${id} is set`)
  }

  /** Lists the faults in the order they were set, those that have used up their `times` included. */
  list(): ActiveFault[] {
    return [...this.#active.values()].map(shown)
  }

  /** Returns the effects of the faults that strike this call, and counts a hit for each. */
  strike(question: Question): Effect[] {
    const effects: Effect[] = []
    for (const active of this.#active.values()) {
      const { fault, effect, hits } = active
      if (fault.times !== undefined && hits >= fault.times) continue
      if (!inScope(fault, question, effect)) continue
      if (fault.probability !== undefined && !this.#random.chance(fault.probability)) continue
      active.hits++
      effects.push(withinHeights(fault, effect))
    }
    return effects
  }
}

function inScope(fault: Fault, { path, surface, height, last = height }: Question, effect: Effect): boolean {
  const { paths, view, heights } = fault
  if (paths && !paths.some(pattern => matches(pattern, path))) return false
  if (view && view !== surface && !movesHeights.has(fault.kind)) return false
  // A fault in blocks strikes every call, since any may show a block; `withinHeights` limits it to the right ones.
  if (!heights || effect.block) return true
  return height !== undefined && last! >= heights.from && height <= heights.to
}

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern
}

function withinHeights({ heights }: Fault, effect: Effect): Effect {
  const change = effect.block
  if (!heights || !change) return effect
  const block = (block: SandboxBlock): SandboxBlock | null =>
    block.height >= heights.from && block.height <= heights.to ? change(block) : block
  return { ...effect, block }
}

function shown({ id, fault, hits }: ActiveFault): ActiveFault {
  return { id, fault, hits }
}
