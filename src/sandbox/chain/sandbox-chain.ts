import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { TronAddress } from '../../tron/address.ts'
import { ChainClock } from './chain-clock.ts'
import { type SolidTruth, stateTruth } from './chain-truth.ts'
import { KeptBlocks } from './kept-blocks.ts'
import { childBlock, genesisBlock, type SandboxBlock } from './sandbox-block.ts'
import { type ForkOptions, planFork } from './sandbox-fork.ts'
import { SandboxRefusal } from './sandbox-refusal.ts'
import type { SandboxTransaction } from './transaction-facts.ts'
import { WaitingTransactions } from './waiting-transactions.ts'

// solidified: irreversible, `solidificationDepth` blocks behind the head.      truth: what the solidified blocks say was paid.
// waiting: taken, and in no block yet.      held: waiting, and not for the next block but for a later one.
// slot: the time for one block; a missed one leaves a gap in time.      skip: the chain's clock is set forward.
// facts: a transaction as it is given, with its id; the sandbox makes the others itself, and knows what they pay.

export interface SandboxChainOptions {
  /** Determines the genesis id, and with it the chain. Default: random. */
  genesisSeed?: string | undefined
  /** How many blocks the solidified head is behind the head. */
  solidificationDepth?: number | undefined
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

/**
 * A chain in memory: a head that can fork, and behind it a solidified part that cannot. Block ids are real (the hash of the
 * header), and the genesis id names the chain as on any network. A new chain starts with one block more than its
 * solidification depth, with times in the past, so that its solidified head is not the genesis.
 */
export class SandboxChain {
  readonly solidificationDepth: number
  readonly #seed: string
  readonly #clock: ChainClock
  readonly #blocks: KeptBlocks
  readonly #waiting = new WaitingTransactions()
  #head: SandboxBlock
  #solidHeight = 0
  #branch = 0

  constructor(options: SandboxChainOptions = {}) {
    this.#seed = options.genesisSeed ?? randomUUID()
    const intervalMs = options.blockIntervalMs ?? blockIntervalDefaultMs
    this.#clock = new ChainClock(options.clock ?? systemClock, intervalMs)
    this.solidificationDepth = options.solidificationDepth ?? solidificationDepthDefault
    this.#head = genesisBlock(this.#seed)
    this.#blocks = new KeptBlocks(this.#head)
    const nowMs = this.#clock.nowMs()
    for (let ago = this.solidificationDepth + 1; ago > 0; ago--) this.#append(nowMs - ago * intervalMs, [])
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
  stamp(): { refBlock: SandboxBlock; timeMs: number } {
    return { refBlock: this.#head, timeMs: this.#clock.stampMs() }
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
      const transactions = this.#waiting.take(height, transactionsPerBlock, i === 0 ? first : [])
      return this.#append(this.#clock.slotMs(this.#head.timeMs, i === 0 ? missedSlots : 0), transactions)
    })
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
    this.#branch++
    // Blocks of other producers for the same slots: the times stay, the ids differ.
    for (const [i, { timeMs }] of orphans.entries()) this.#append(timeMs, branch[i]!)
    this.mine()
    return orphans
  }

  #append(timeMs: number, transactions: readonly SandboxTransaction[]): SandboxBlock {
    const producer = `${this.#seed} ${this.#branch}`
    const block = childBlock(this.#head, { timeMs, producer, transactions })
    this.#blocks.add(block)
    this.#head = block
    this.#solidHeight = Math.max(this.#solidHeight, block.height - this.solidificationDepth)
    this.#blocks.dropOldest(block.height, this.#solidHeight)
    return block
  }
}
