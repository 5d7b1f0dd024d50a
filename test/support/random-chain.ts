import type { Clock } from '../../src/base/clock.ts'
import type { SolidTruth } from '../../src/sandbox/chain/chain-truth.ts'
import { SandboxChain } from '../../src/sandbox/chain/sandbox-chain.ts'
import { type SeededRandom, seededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import { type NodeView, startNodeView } from '../../src/sandbox/node-view.ts'
import type { TronAddress } from '../../src/tron/address.ts'
import { lyingFault, passingFault } from './random-faults.ts'
import { randomTransaction } from './random-payments.ts'

export interface RandomChainOptions {
  /** Who is paid, beside strangers. Read at every step: more may be added on the way. */
  addresses: readonly TronAddress[]
  /** Nodes over the chain. Default 2. */
  nodes?: number
  /**
   * `none`: sound nodes. `passing` (default): what a reader of one node can notice or wait out. `lying`: these, and lies
   * of the last node, which only another node can tell from the truth.
   */
  faults?: 'none' | 'passing' | 'lying'
  /** Default 1 to 4, by the seed. */
  solidificationDepth?: number
  /** `producers`: when 19 of 27 producers have made a block or a later one. Default: by the depth. */
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
  /** The URLs by which each node is to be read: half of them over gRPC, by the seed. */
  urls: readonly { headUrl: string; solidUrl: string }[]
  /** What has happened so far: to be printed, with the seed, when the test fails. */
  steps: readonly string[]
  /** Does one thing, at once, and says what. Nothing happens between steps. */
  step(): string
  /** Ends every fault, and mines until all that waits is solidified. @returns what must have been credited then. */
  settle(): SolidTruth
  close(): Promise<void>
}

/** @param seed a whole number; the same one makes the same steps. */
export async function randomChain(seed: number, options: RandomChainOptions): Promise<RandomChain> {
  const random = seededRandom(seed)
  const { faults = 'passing', addresses } = options
  const chain = new SandboxChain({
    genesisSeed: `random chain ${seed}`,
    solidificationDepth: options.solidificationDepth ?? random.whole(1, 4),
    solidifiedBy: options.solidifiedBy,
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
  const steps: string[] = urls.map(({ headUrl }, n) => `node ${n} is read over ${headUrl.replace(/:.*/, '')}`)
  const step = () => {
    const what = takeStep({ random, chain, nodes, faults, addresses })
    steps.push(what)
    options.onStep?.(what)
    return what
  }
  const settle = () => {
    for (const node of nodes) node.faults.clear()
    chain.mine(lateMax + 1)
    const { height } = chain.head
    while (chain.solid.height < height) chain.mine()
    return chain.truth()
  }
  const close = async () => {
    for (const node of nodes) await node.close()
  }
  return { seed, random, chain, nodes, urls, steps, step, settle, close }
}

interface StepInputs {
  random: SeededRandom
  chain: SandboxChain
  nodes: readonly NodeView[]
  faults: 'none' | 'passing' | 'lying'
  addresses: readonly TronAddress[]
}

/** How many blocks a transaction may be kept back by a fork. */
const lateMax = 3

function takeStep(inputs: StepInputs): string {
  const { random, faults } = inputs
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
  if (maintained) chain.maintain({ replace: random.whole(0, 4), newKeys: random.whole(0, 2) })
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

function fail({ random, chain, nodes, faults, addresses }: StepInputs): string {
  const n = random.whole(0, nodes.length - 1)
  const lies = faults === 'lying' && n === nodes.length - 1 && random.chance(0.3)
  const fault = lies ? lyingFault(random, chain, addresses) : passingFault(random)
  nodes[n]!.faults.set(fault)
  return `node ${n} has ${JSON.stringify(fault)}`
}

function heal({ random, nodes }: StepInputs): string {
  const n = random.whole(0, nodes.length - 1)
  nodes[n]!.faults.clear()
  return `node ${n} is sound`
}
