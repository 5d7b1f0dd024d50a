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
  /** Calls it struck so far. */
  hits: number
}

const faultsMax = 1_000
/** Kinds whose `view` says which height they move, and not which calls they strike. */
const movesHeights = new Set<Fault['kind']>(['lag', 'stall', 'backwards'])

/** The faults of one node: any number at once, each for the calls in its scope. */
export class NodeFaults {
  readonly #world: { chain: SandboxChain; clock: Clock }
  readonly #random: SeededRandom
  readonly #active = new Map<number, ActiveFault & { effect: Effect }>()
  #lastId = 0

  /** @param seed decides which calls a fault with a probability strikes. */
  constructor(world: { chain: SandboxChain; clock: Clock; seed: number }) {
    this.#world = world
    this.#random = seededRandom(world.seed)
  }

  /**
   * Sets a fault beside those that are set.
   * @throws SandboxRefusal when it names an address or amount that is none, or there are too many.
   */
  set(fault: Fault): ActiveFault {
    if (this.#active.size >= faultsMax) throw new SandboxRefusal(`at most ${faultsMax} faults can be set`)
    const active = { id: ++this.#lastId, fault, hits: 0, effect: makeEffect(fault, this.#world) }
    this.#active.set(active.id, active)
    return shown(active)
  }

  /** Clears one fault, or all. @throws SandboxRefusal when there is none of that id. */
  clear(id?: number): void {
    if (id === undefined) this.#active.clear()
    else if (!this.#active.delete(id)) throw new SandboxRefusal(`no fault ${id} is set`)
  }

  /** In the order they were set, those that have struck for the last time included. */
  list(): ActiveFault[] {
    return [...this.#active.values()].map(shown)
  }

  /** The effects of the faults that strike this call; each of them has been counted. */
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

function inScope(fault: Fault, { path, surface, height }: Question, effect: Effect): boolean {
  const { paths, view, heights } = fault
  if (paths && !paths.some(pattern => matches(pattern, path))) return false
  if (view && view !== surface && !movesHeights.has(fault.kind)) return false
  // A fault of blocks strikes whichever call shows one of them, the newest block's too.
  if (!heights || effect.block) return true
  return height !== undefined && height >= heights.from && height <= heights.to
}

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern
}

function withinHeights({ heights }: Fault, effect: Effect): Effect {
  const change = effect.block
  if (!heights || !change) return effect
  const block = (block: SandboxBlock) =>
    block.height >= heights.from && block.height <= heights.to ? change(block) : block
  return { ...effect, block }
}

function shown({ id, fault, hits }: ActiveFault): ActiveFault {
  return { id, fault, hits }
}
