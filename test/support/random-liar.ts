import type { SandboxChain } from '../../src/sandbox/chain/sandbox-chain.ts'
import type { SeededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import type { Fault } from '../../src/sandbox/faults/fault-schemas.ts'
import type { NodeFaults } from '../../src/sandbox/faults/node-faults.ts'
import type { TronAddress } from '../../src/tron/address.ts'
import { type LieName, lieHeights, lieNames, makeLie } from './random-lies.ts'

/** A lie that a node tells, or told. */
export interface ToldLie {
  name: LieName
  faults: readonly Fault[]
  /** Which blocks it is about, where it names them. */
  heights: { from: number; to: number }
}

/** A node that lies, beside honest ones over the same chain or alone. */
export interface Liar {
  /** Begins a lie. Those before go on. */
  lie(where: 'head' | 'history', name?: LieName): ToldLie
  /** Tells the truth from now on. */
  confess(): void
  /** All lies so far. */
  readonly told: readonly ToldLie[]
}

/** How many lies at once: more than that hide each other. */
const liesMax = 3

/**
 * Makes a node a liar.
 * @param options.names the lies it knows. Two liars over one chain that know different ones never agree on a lie.
 */
export function makeLiar(
  node: { faults: Pick<NodeFaults, 'set' | 'clear' | 'list'> },
  options: {
    chain: SandboxChain
    random: SeededRandom
    addresses: readonly TronAddress[]
    names?: readonly LieName[]
  },
): Liar {
  const { chain, random, addresses, names = lieNames } = options
  const told: ToldLie[] = []
  const active: number[][] = []
  const end = (ids: readonly number[]) => {
    // Some may have been cleared with all faults of the node.
    const set = new Set(node.faults.list().map(({ id }) => id))
    for (const id of ids) if (set.has(id)) node.faults.clear(id)
  }
  return {
    told,
    lie(where, name = random.pick(names)) {
      const heights = lieHeights({ random, chain }, where)
      const faults = makeLie(name, { random, chain, addresses, heights })
      active.push(faults.map(fault => node.faults.set(fault).id))
      if (active.length > liesMax) end(active.shift()!)
      const lie = { name, faults, heights }
      told.push(lie)
      return lie
    },
    confess: () => end(active.splice(0).flat()),
  }
}
