import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { TronAddress } from '../../tron/address.ts'
import { ChainClock } from './chain-clock.ts'
import { type SolidTruth, stateTruth } from './chain-truth.ts'
import type { TransactionStamp } from './contract-call.ts'
import { KeptBlocks } from './kept-blocks.ts'
import { type Maintenance, Producers, producersFor, solidifyingCount, standbyCount } from './producers.ts'
import { childBlock, genesisBlock, type SandboxBlock } from './sandbox-block.ts'
import { type ForkOptions, planFork } from './sandbox-fork.ts'
import { SandboxRefusal } from './sandbox-refusal.ts'
import type { SandboxTransaction } from './transaction-facts.ts'
import { WaitingTransactions } from './waiting-transactions.ts'

// solidified: irreversible, `solidificationDepth` blocks behind the head.      truth: what the solidified blocks say was paid.
// producers: 27 that take turns by slot; see producers.ts.
// waiting: taken, and in no block yet.      held: waiting, and not for the next block but for a later one.
// slot: the time for one block; a missed one leaves a gap in time.      skip: the chain's clock is set forward.
// facts: a transaction as it is given, with its id; the sandbox makes the others itself, and knows what they pay.

export interface SandboxChainOptions {
  /** Determines the genesis id, and with it the chain. Default: random. */
  genesisSeed?: string | undefined
  /** How many blocks the solidified head is behind the head. */
  solidificationDepth?: number | undefined
  /**
   * `depth` (default): a block is solidified when so many are on top of it, whoever made them. `producers`: as on real
   * networks, when 19 of 27 producers have made it or a block after it. The chain then starts with `solidificationDepth` + 1
   * blocks all the same.
   */
  solidifiedBy?: 'depth' | 'producers' | undefined
  /**
   * How many producers take turns, at least 2: a fork needs another producer. Default: so few that the depth is theirs, and at
   * most 27.
   */
  producers?: number | undefined
  /**
   * The share of transactions with an unknown field in their result, 0 to 1. Default 0: a root over such a transaction cannot
   * be computed from JSON.
   */
  unknownFields?: number | undefined
  /** A maintenance after every so many blocks. Default: none, but those that are asked for. */
  maintenance?: (Maintenance & { everyBlocks: number }) | undefined
  /** Between the blocks a new chain starts with. Also the length of a missed slot. */
  blockIntervalMs?: number | undefined
  clock?: Clock | undefined
}

export interface MineOptions {
  /** Slots without a block, before the first one: a gap in time, none in height. */
  missedSlots?: number | undefined
  /** Waiting transactions that come first in the block, in this order. */
  first?: readonly string[] | undefined
}

export const solidificationDepthDefault = 19
export const blockIntervalDefaultMs = 3_000
/** The most that go into one block; the rest waits for the next. */
const transactionsPerBlock = 10_000
const pendingMax = 100_000
/** Slots without a block at a maintenance, as on the main network. */
const maintenanceSlots = 2

/**
 * A chain in memory: a head that can fork, and behind it a solidified part that cannot. Blocks are real: a root over the bytes
 * of whole transactions, an id that is the header's hash, and the signature of the producer whose turn it was. The genesis id
 * names the chain as on any network. A new chain starts with one block more than its solidification depth, with times in the
 * past, so that its solidified head is not the genesis.
 */
export class SandboxChain {
  readonly solidificationDepth: number
  readonly solidifiedBy: 'depth' | 'producers'
  readonly blockIntervalMs: number
  /** Those whose turns come now. A block names those of its time. */
  readonly producers: Producers
  readonly #seed: string
  readonly #unknownFields: number
  readonly #maintenance: SandboxChainOptions['maintenance']
  readonly #clock: ChainClock
  readonly #blocks: KeptBlocks
  readonly #waiting = new WaitingTransactions()
  #head: SandboxBlock
  #solidHeight = 0
  /** Counted over all branches: a producer never makes two blocks in one slot. */
  #slot = 0
  #maintained = false

  constructor(options: SandboxChainOptions = {}) {
    this.#seed = options.genesisSeed ?? randomUUID()
    this.blockIntervalMs = options.blockIntervalMs ?? blockIntervalDefaultMs
    this.#clock = new ChainClock(options.clock ?? systemClock, this.blockIntervalMs)
    this.#unknownFields = options.unknownFields ?? 0
    this.#maintenance = options.maintenance
    this.solidificationDepth = options.solidificationDepth ?? solidificationDepthDefault
    this.solidifiedBy = options.solidifiedBy ?? 'depth'
    this.producers = new Producers(this.#seed, options.producers ?? producersFor(this.solidificationDepth))
    this.#head = genesisBlock(this.#seed, this.producers.elected)
    this.#blocks = new KeptBlocks(this.#head)
    const nowMs = this.#clock.nowMs()
    for (let ago = this.solidificationDepth + 1; ago > 0; ago--) {
      this.#append(nowMs - ago * this.blockIntervalMs, [])
    }
  }

  get genesisId(): string {
    return this.#blocks.at(0)!.id
  }

  get head(): SandboxBlock {
    return this.#head
  }

  /** The newest irreversible block. Its height never falls. */
  get solid(): SandboxBlock {
    return this.#blocks.at(this.#solidHeight)!
  }

  get pendingCount(): number {
    return this.#waiting.count
  }

  block(height: number): SandboxBlock | undefined {
    return this.#blocks.at(height)
  }

  /** Finds the block that holds a transaction; undefined when no block holds it. */
  blockOf(txid: string): SandboxBlock | undefined {
    return this.#blocks.withTransaction(txid)
  }

  /** Lists the blocks with token events from or to an address, oldest first. */
  blocksOf(address: TronAddress): SandboxBlock[] {
    return this.#blocks.withAddress(address)
  }

  /** States what the solidified blocks say, as far as they are kept. @param fromHeight the first block included. */
  truth(fromHeight = 1): SolidTruth {
    return stateTruth(this.solid, this.#blocks.between(fromHeight, this.#solidHeight))
  }

  /** Returns what a new transaction refers to: the head, and a time that no other transaction has, so that its id is unique. */
  stamp(): TransactionStamp {
    return {
      refBlock: this.#head,
      timeMs: this.#clock.stampMs(),
      seed: this.#seed,
      unknownFields: this.#unknownFields,
    }
  }

  /**
   * Takes transactions for the next block: all of them, or none.
   * @throws SandboxRefusal when the chain has one of them already, or too many are waiting.
   */
  add(transactions: readonly SandboxTransaction[]): void {
    const ids = new Set<string>()
    for (const { id } of transactions) {
      if (this.blockOf(id) || this.#waiting.has(id) || ids.has(id)) {
        throw new SandboxRefusal(`transaction ${id} is on this chain already`)
      }
      ids.add(id)
    }
    if (this.#waiting.count + transactions.length > pendingMax) {
      throw new SandboxRefusal(`at most ${pendingMax} transactions can wait for a block: mine some first`)
    }
    this.#waiting.add(transactions)
  }

  /**
   * Makes blocks. The waiting transactions go into the first, in the order they came.
   * @throws SandboxRefusal when one of `first` is not waiting; no block is made then.
   */
  mine(blocks = 1, { missedSlots = 0, first = [] }: MineOptions = {}): SandboxBlock[] {
    return Array.from({ length: blocks }, (_, i) => {
      const height = this.#head.height + 1
      if (this.#maintenance && height % this.#maintenance.everyBlocks === 0) this.maintain(this.#maintenance)
      const transactions = this.#waiting.take(height, transactionsPerBlock, i === 0 ? first : [])
      const missed = (i === 0 ? missedSlots : 0) + (this.#maintained ? maintenanceSlots : 0)
      this.#maintained = false
      return this.#append(this.#clock.slotMs(this.#head.timeMs, missed), transactions, missed)
    })
  }

  /**
   * Changes the producers, as a maintenance does: others are elected, some get new keys, and the next block misses two slots.
   * It lasts when the chain then forks, even to a block before it.
   * @throws SandboxRefusal when there are not so many.
   */
  maintain({ replace = 0, newKeys = 0 }: Maintenance = {}): void {
    const elected = this.producers.elected.length
    const replaceMax = Math.min(elected, standbyCount)
    if (replace > replaceMax)
      throw new SandboxRefusal(`at most ${replaceMax} producers can be replaced at once`)
    if (newKeys > elected) throw new SandboxRefusal(`there are ${elected} producers`)
    this.producers.change({ replace, newKeys })
    this.#maintained = true
  }

  /**
   * Sets the chain's clock forward. Block times never go back, so the blocks after the next one are a millisecond apart
   * until the real clock has caught up.
   * @returns the earliest time of the next block.
   */
  skip(seconds: number): Date {
    return new Date(this.#clock.skip(this.#head.timeMs, seconds * 1000))
  }

  /**
   * Switches to another branch, as a network does when two producers disagree. The newest `depth` blocks are replaced by as
   * many others and one more on top, since only a longer branch wins. Their transactions return as the options say, ahead
   * of those that were waiting. Dropped ones are gone, as if they had expired.
   * @returns the orphaned blocks, oldest first.
   * @throws SandboxRefusal when the fork would touch the solidified chain, or names a transaction that is not in these blocks.
   */
  fork(depth: number, options: ForkOptions = {}): SandboxBlock[] {
    const depthMax = this.#head.height - this.#solidHeight
    if (depth < 1 || depth > depthMax) {
      throw new SandboxRefusal(
        `a fork can be 1 to ${depthMax} deep here: block ${this.#solidHeight} is solidified, the head is ${this.#head.height}`,
      )
    }
    const forkHeight = this.#head.height - depth
    const orphans = this.#blocks.between(forkHeight + 1, this.#head.height)
    const { branch, onTop, held } = planFork(orphans, options)
    for (const block of orphans) this.#blocks.remove(block)
    this.#waiting.addFirst(onTop)
    this.#waiting.hold(held, forkHeight + depth + 1 + (options.late?.blocks ?? 0))
    this.#head = this.#blocks.at(forkHeight)!
    // Blocks of later slots. The times stay all the same, and the producers, so the ids, differ.
    const [first] = orphans
    if (this.producers.at(this.#slot + 1).address === first!.header.witness_address) this.#slot++
    for (const [i, { timeMs }] of orphans.entries()) this.#append(timeMs, branch[i]!)
    this.mine()
    return orphans
  }

  /** @param missed slots before this block's: their producers' turns pass. */
  #append(timeMs: number, transactions: readonly SandboxTransaction[], missed = 0): SandboxBlock {
    this.#slot += 1 + missed
    const { elected } = this.producers
    const producer = this.producers.at(this.#slot)
    const block = childBlock(this.#head, { timeMs, producer, elected, transactions })
    this.#blocks.add(block)
    this.#head = block
    this.#solidHeight = Math.max(this.#solidHeight, this.#solidified())
    this.#blocks.dropOldest(block.height, this.#solidHeight)
    return block
  }

  /** Computes the height that the head solidifies. */
  #solidified(): number {
    const { height } = this.#head
    if (this.solidifiedBy === 'depth') return height - this.solidificationDepth
    const elected = new Set(this.producers.elected.map(({ address }) => address))
    const needed = solidifyingCount(elected.size)
    const seen = new Set<string>()
    // Not below what is solidified already, so this reads some twenty blocks.
    for (let at = height; at > this.#solidHeight; at--) {
      const producer = this.#blocks.at(at)!.header.witness_address!
      if (elected.has(producer)) seen.add(producer)
      if (seen.size === needed) return at
    }
    return this.#solidHeight
  }
}
