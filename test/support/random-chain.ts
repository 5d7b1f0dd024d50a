import type { Clock } from '../../src/base/clock.ts'
import type { SolidTruth } from '../../src/sandbox/chain/chain-truth.ts'
import { producersDefault } from '../../src/sandbox/chain/producers.ts'
import { SandboxChain } from '../../src/sandbox/chain/sandbox-chain.ts'
import { type SeededRandom, seededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import { type NodeView, startNodeView } from '../../src/sandbox/node-view.ts'
import type { TronAddress } from '../../src/tron/address.ts'
import { passingFault } from './random-faults.ts'
import { type Liar, makeLiar } from './random-liar.ts'
import { type LieName, lieNames } from './random-lies.ts'
import { randomTransaction } from './random-payments.ts'

export interface RandomChainOptions {
  /** Who is paid, beside strangers. Read at every step: more may be added on the way. */
  addresses: readonly TronAddress[]
  /** Nodes over the chain. Default 2. */
  nodes?: number
  /** `none`: sound nodes. `passing` (default): what a reader of one node can notice or wait out. */
  faults?: 'none' | 'passing'
  /** How many of the nodes, the last ones, lie beside that. Two of them never tell the same lie. Default 0. */
  liars?: number
  /**
   * `producers`: 27 of them, and a block is solidified when 19 have made it or a later one, as on the public networks. `depth`:
   * by so few of them that 1 to 4 blocks on top are enough, as on a private network. Default: either, by the seed.
   */
  solidifiedBy?: 'depth' | 'producers'
  /** Dates the blocks. A clock that stands still makes the whole chain the same for the same seed. */
  clock?: Clock
  /** Told of every step, in a few words. */
  onStep?(what: string): void
}

/** A chain that lives by a seed: payments of every kind, missed slots, forks, and nodes that fail. */
export interface RandomChain {
  seed: number
  /** For whatever else the test decides by this seed. */
  random: SeededRandom
  chain: SandboxChain
  nodes: readonly NodeView[]
  liars: readonly Liar[]
  /** The URLs by which each node is to be read: half of them over gRPC, by the seed. */
  urls: readonly { headUrl: string; solidUrl: string }[]
  /** What has happened so far: to be printed, with the seed, when the test fails. */
  steps: readonly string[]
  /** Does one thing, at once, and says what. Nothing happens between steps. */
  step(): string
  /**
   * Ends every fault, and mines until all that waits is solidified for whoever counts producers, too.
   * @param lies whether the liars go on.
   * @returns what must have been credited at a height that everybody reaches.
   */
  settle(lies?: 'end' | 'go on'): SolidTruth
  /** Ends every lie, and what else is wrong with the liars. */
  confess(): void
  close(): Promise<void>
}

/** @param seed a whole number; the same one makes the same steps. */
export async function randomChain(seed: number, options: RandomChainOptions): Promise<RandomChain> {
  const random = seededRandom(seed)
  const { faults = 'passing', addresses } = options
  const depth = random.whole(1, 4)
  const byDepth = random.chance(0.5)
  const solidifiedBy = options.solidifiedBy ?? (byDepth ? 'depth' : 'producers')
  const chain = new SandboxChain({
    genesisSeed: `random chain ${seed}`,
    ...(solidifiedBy === 'depth'
      ? { solidificationDepth: depth, producers: producersFor(depth) }
      : { solidifiedBy }),
    // In some chains, since no block with such a transaction can be verified over HTTP.
    unknownFields: random.chance(0.25) ? 0.1 : 0,
    clock: options.clock,
  })
  const nodes: NodeView[] = []
  for (let n = 0; n < (options.nodes ?? 2); n++) {
    nodes.push(await startNodeView(chain, { faultSeed: seed + n, clock: options.clock, control: false }))
  }
  // Numbers of their own, so that the chain of a seed does not depend on them.
  const transports = seededRandom(seed + 1_000_000)
  const urls = nodes.map(node => {
    const url = transports.chance(0.5) ? node.grpcUrl : node.url
    return { headUrl: url, solidUrl: url }
  })
  const liars = makeLiars(seed, { chain, nodes, addresses, count: options.liars ?? 0 })
  const steps: string[] = urls.map(({ headUrl }, n) => `node ${n} is read over ${headUrl.replace(/:.*/, '')}`)
  const step = () => {
    const what = takeStep({ random, chain, nodes, liars, faults, addresses })
    steps.push(what)
    options.onStep?.(what)
    return what
  }
  const confess = () => {
    for (const liar of liars) liar.confess()
    for (const node of nodes.slice(nodes.length - liars.length)) node.faults.clear()
  }
  const settle = (lies: 'end' | 'go on' = 'end') => {
    if (lies === 'end') confess()
    for (const [n, node] of nodes.entries()) {
      if (lies === 'end' || !liarAt(n, nodes, liars)) node.faults.clear()
    }
    chain.mine(lateMax + 1)
    const { height } = chain.head
    while (chain.solid.height < height) chain.mine()
    // Whoever counts knows new producers only when blocks of theirs are solidified.
    if (solidifiedBy === 'producers') chain.mine(2 * producersDefault)
    return { ...chain.truth(), height, hash: chain.block(height)!.id }
  }
  const close = async () => {
    for (const node of nodes) await node.close()
  }
  return { seed, random, chain, nodes, liars, urls, steps, step, settle, confess, close }
}

/** Returns how many producers a chain has whose blocks are solidified by so many on top: by two thirds and one more of them. */
function producersFor(depth: number): number {
  return depth === 1 ? 2 : Math.ceil((depth * 3) / 2)
}

/** Makes the last nodes liars. Each knows lies that the others do not. */
function makeLiars(
  seed: number,
  options: {
    chain: SandboxChain
    nodes: readonly NodeView[]
    addresses: readonly TronAddress[]
    count: number
  },
): Liar[] {
  const { chain, nodes, addresses, count } = options
  // Numbers of their own, as for the transports.
  const random = seededRandom(seed + 2_000_000)
  const shares: LieName[][] = Array.from({ length: count }, () => [])
  for (const [n, name] of random.shuffled(lieNames).entries()) shares[n % count]?.push(name)
  return nodes
    .slice(nodes.length - count)
    .map((node, n) => makeLiar(node, { chain, random, addresses, names: shares[n]! }))
}

function liarAt(n: number, nodes: readonly NodeView[], liars: readonly Liar[]): Liar | undefined {
  return liars[n - (nodes.length - liars.length)]
}

interface StepInputs {
  random: SeededRandom
  chain: SandboxChain
  nodes: readonly NodeView[]
  liars: readonly Liar[]
  faults: 'none' | 'passing'
  addresses: readonly TronAddress[]
}

/** How many blocks a transaction may be kept back by a fork. */
const lateMax = 3

function takeStep(inputs: StepInputs): string {
  const { random, faults, liars } = inputs
  if (liars.length > 0 && random.chance(0.2)) return lie(inputs)
  const dice = random.next()
  if (dice < 0.4) return pay(inputs)
  if (dice < 0.75) return mine(inputs)
  if (dice < 0.85) return fork(inputs)
  if (faults === 'none') return mine(inputs)
  return dice < 0.96 ? fail(inputs) : heal(inputs)
}

function pay({ random, chain, addresses }: StepInputs): string {
  const made = Array.from({ length: random.whole(1, 4) }, () => randomTransaction(random, chain, addresses))
  chain.add(made.map(({ transaction }) => transaction))
  return made.map(({ what }) => what).join(', ')
}

function mine({ random, chain }: StepInputs): string {
  const missedSlots = random.chance(0.2) ? random.whole(1, 3) : 0
  const maintained = random.chance(0.05)
  const few = chain.producers.elected.length < 4
  if (maintained) chain.maintain({ replace: few ? 0 : random.whole(0, 4), newKeys: random.whole(0, 2) })
  const blocks = chain.mine(random.whole(1, 4), { missedSlots })
  const after = [missedSlots && `${missedSlots} missed slots`, maintained && 'a maintenance'].filter(Boolean)
  return `mines ${blocks.length} to ${chain.head.height}${after.length ? ` after ${after.join(' and ')}` : ''}`
}

function fork({ random, chain }: StepInputs): string {
  const depthMax = chain.head.height - chain.solid.height
  const depth = random.whole(1, depthMax)
  const orphaned = Array.from(
    { length: depth },
    (_, i) => chain.block(chain.head.height - i)!.transactions,
  ).flatMap(transactions => transactions.map(({ id }) => id))
  const drop = orphaned.filter(() => random.chance(0.15))
  const late = orphaned.filter(txid => !drop.includes(txid) && random.chance(0.15))
  chain.fork(depth, {
    drop,
    late: { txids: late, blocks: random.whole(1, lateMax) },
    returns: random.pick(['top', 'spread']),
    reversed: random.chance(0.5),
  })
  return `forks ${depth} deep to ${chain.head.height}, ${drop.length} of ${orphaned.length} dropped, ${late.length} late`
}

function fail({ random, nodes }: StepInputs): string {
  const n = random.whole(0, nodes.length - 1)
  const fault = passingFault(random)
  nodes[n]!.faults.set(fault)
  return `node ${n} has ${JSON.stringify(fault)}`
}

function lie({ random, nodes, liars }: StepInputs): string {
  const n = random.whole(nodes.length - liars.length, nodes.length - 1)
  const liar = liarAt(n, nodes, liars)!
  if (random.chance(0.15)) {
    liar.confess()
    return `node ${n} tells the truth`
  }
  const { name, faults } = liar.lie(random.chance(0.7) ? 'head' : 'history')
  return `node ${n} lies, ${name}: ${JSON.stringify(faults)}`
}

function heal({ random, nodes }: StepInputs): string {
  const n = random.whole(0, nodes.length - 1)
  nodes[n]!.faults.clear()
  return `node ${n} is sound`
}
