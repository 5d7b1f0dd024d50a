import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { TronAddress } from '../../tron/address.ts'
import { ChainClock } from './chain-clock.ts'
import { type SolidTruth, stateTruth } from './chain-truth.ts'
import { childBlock, genesisBlock, type SandboxBlock } from './sandbox-block.ts'
import { type ForkOptions, planFork } from './sandbox-fork.ts'
import { SandboxRefusal } from './sandbox-refusal.ts'
import type { SandboxTransaction } from './transaction-facts.ts'
import { TransferIndex } from './transfer-index.ts'
import { WaitingTransactions } from './waiting-transactions.ts'

export interface SandboxChainOptions {
  /** Decides the genesis id, and by it the chain; random when not given. */
  genesisSeed?: string | undefined
  /** How many blocks behind the head the solidified one is. */
  solidificationDepth?: number | undefined
  /** Between the blocks a new chain starts with; a missed slot is one of these. */
  blockIntervalMs?: number | undefined
  clock?: Clock | undefined
}

export interface MineOptions {
  /** Slots in which no producer made a block, before the first: a gap in time, none in height. */
  missedSlots?: number | undefined
  /** Waiting transactions that come first in the block, in this order. */
  first?: readonly string[] | undefined
}

export const solidificationDepthDefault = 19
export const blockIntervalDefaultMs = 3_000
/** Blocks kept: more than three days at a block every 3 seconds. Older ones are let go, save the genesis. */
export const blocksKept = 100_000
/** Transactions kept, about a kilobyte each; the oldest blocks are let go beyond. */
const transactionsKept = 500_000
/** What goes into one block; the others wait for the next. */
const transactionsPerBlock = 10_000
const pendingMax = 100_000

/**
 * A chain of our own, in memory: a head that can fork, and behind it a solidified part that cannot. Ids of blocks are
 * real (the hash of the header), and a chain is known by the id of its genesis as any other. A new chain has a history
 * of one block more than its solidification depth, dated back, so that its solidified head is not the genesis.
 */
export class SandboxChain {
  readonly solidificationDepth: number
  readonly #seed: string
  readonly #clock: ChainClock
  /** Heights without a gap from #oldest to the head, and 0. */
  readonly #blocks = new Map<number, SandboxBlock>()
  /** Where each transaction is that a block holds; null for one that waits. */
  readonly #places = new Map<string, SandboxBlock | null>()
  readonly #waiting = new WaitingTransactions()
  readonly #index = new TransferIndex()
  #head: SandboxBlock
  #solidHeight = 0
  #oldest = 1
  #branch = 0
  #transactionCount = 0

  constructor(options: SandboxChainOptions = {}) {
    this.#seed = options.genesisSeed ?? randomUUID()
    const intervalMs = options.blockIntervalMs ?? blockIntervalDefaultMs
    this.#clock = new ChainClock(options.clock ?? systemClock, intervalMs)
    this.solidificationDepth = options.solidificationDepth ?? solidificationDepthDefault
    this.#head = genesisBlock(this.#seed)
    this.#blocks.set(0, this.#head)
    const nowMs = this.#clock.nowMs()
    for (let ago = this.solidificationDepth + 1; ago > 0; ago--) this.#append(nowMs - ago * intervalMs, [])
  }

  get genesisId(): string {
    return this.#blocks.get(0)!.id
  }

  get head(): SandboxBlock {
    return this.#head
  }

  /** The newest irreversible block. Its height never falls. */
  get solid(): SandboxBlock {
    return this.#blocks.get(this.#solidHeight)!
  }

  get pendingCount(): number {
    return this.#waiting.count
  }

  block(height: number): SandboxBlock | undefined {
    return this.#blocks.get(height)
  }

  /** The block that holds a transaction; undefined while it waits, after it was dropped, and when it never was. */
  blockOf(txid: string): SandboxBlock | undefined {
    return this.#places.get(txid) ?? undefined
  }

  /** The blocks with token events from or to an address, oldest first. */
  blocksOf(address: TronAddress): SandboxBlock[] {
    return this.#index.blocksOf(address)
  }

  /** What the solidified chain says, of the blocks that are kept. @param fromHeight the first block looked at. */
  truth(fromHeight = 1): SolidTruth {
    const blocks: SandboxBlock[] = []
    for (let height = Math.max(fromHeight, this.#oldest); height <= this.#solidHeight; height++) {
      blocks.push(this.#blocks.get(height)!)
    }
    return stateTruth(this.solid, blocks)
  }

  /** What a new transaction refers to: the head, and a time no other transaction has, which makes its id its own. */
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
      if (this.#places.has(id) || ids.has(id))
        throw new SandboxRefusal(`transaction ${id} is on this chain already`)
      ids.add(id)
    }
    if (this.#waiting.count + transactions.length > pendingMax) {
      throw new SandboxRefusal(`at most ${pendingMax} transactions can wait for a block: mine some first`)
    }
    this.#waiting.add(transactions)
    for (const id of ids) this.#places.set(id, null)
  }

  /**
   * Makes blocks; the waiting transactions go into the first, in the order they came.
   * @throws SandboxRefusal when one of `first` is not waiting; nothing is made then.
   */
  mine(blocks = 1, { missedSlots = 0, first = [] }: MineOptions = {}): SandboxBlock[] {
    return Array.from({ length: blocks }, (_, i) => {
      const height = this.#head.height + 1
      const transactions = this.#waiting.take(height, transactionsPerBlock, i === 0 ? first : [])
      return this.#append(this.#clock.slotMs(this.#head.timeMs, i === 0 ? missedSlots : 0), transactions)
    })
  }

  /**
   * Moves the chain's time: the next block is dated this much later than it would be. Block times never go back, so the
   * blocks after it are a millisecond apart until the clock has caught up with them.
   * @returns the earliest time of the next block.
   */
  skip(seconds: number): Date {
    return new Date(this.#clock.skip(this.#head.timeMs, seconds * 1000))
  }

  /**
   * The network turns to another branch, as it does when two producers disagree: the newest `depth` blocks are replaced
   * by as many others, and by one more on top, since only a longer branch wins. Their transactions return as the options
   * say, before those that were waiting; the dropped are gone as if they had expired.
   * @returns the orphaned blocks, oldest first.
   * @throws SandboxRefusal when that would touch the solidified chain, or names a transaction that is not in it.
   */
  fork(depth: number, options: ForkOptions = {}): SandboxBlock[] {
    const depthMax = this.#head.height - this.#solidHeight
    if (depth < 1 || depth > depthMax) {
      throw new SandboxRefusal(
        `a fork can be 1 to ${depthMax} deep here: block ${this.#solidHeight} is solidified, the head is ${this.#head.height}`,
      )
    }
    const forkHeight = this.#head.height - depth
    const orphans = Array.from({ length: depth }, (_, i) => this.#blocks.get(forkHeight + 1 + i)!)
    const { branch, onTop, held } = planFork(orphans, options)
    for (const block of orphans) this.#forget(block)
    for (const { id } of [...onTop, ...held]) this.#places.set(id, null)
    this.#waiting.addFirst(onTop)
    this.#waiting.hold(held, forkHeight + depth + 1 + (options.late?.blocks ?? 0))
    this.#head = this.#blocks.get(forkHeight)!
    this.#branch++
    // Other producers' blocks for the same slots: the times stay, the ids differ.
    for (const [i, { timeMs }] of orphans.entries()) this.#append(timeMs, branch[i]!)
    this.mine()
    return orphans
  }

  #append(timeMs: number, transactions: readonly SandboxTransaction[]): SandboxBlock {
    const producer = `${this.#seed} ${this.#branch}`
    const block = childBlock(this.#head, { timeMs, producer, transactions })
    this.#blocks.set(block.height, block)
    for (const { id } of transactions) this.#places.set(id, block)
    this.#index.add(block)
    this.#transactionCount += transactions.length
    this.#head = block
    this.#solidHeight = Math.max(this.#solidHeight, block.height - this.solidificationDepth)
    this.#letGo()
    return block
  }

  #letGo(): void {
    while (
      this.#oldest < this.#solidHeight &&
      (this.#head.height - this.#oldest >= blocksKept || this.#transactionCount > transactionsKept)
    ) {
      this.#forget(this.#blocks.get(this.#oldest)!)
      this.#oldest++
    }
  }

  #forget(block: SandboxBlock): void {
    this.#blocks.delete(block.height)
    for (const { id } of block.transactions) this.#places.delete(id)
    this.#index.remove(block)
    this.#transactionCount -= block.transactions.length
  }
}
