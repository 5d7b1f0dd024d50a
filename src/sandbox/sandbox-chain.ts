import { hash, randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../base/clock.ts'
import { type BlockHeader, blockId } from '../tron/block-id.ts'
import { SandboxRefusal } from './sandbox-refusal.ts'
import type { SandboxTransaction } from './transaction-facts.ts'

export interface SandboxBlock {
  height: number
  id: string
  timeMs: number
  header: BlockHeader
  transactions: readonly SandboxTransaction[]
}

export interface SandboxChainOptions {
  /** Decides the genesis id, and by it the chain; random when not given. */
  genesisSeed?: string | undefined
  /** How many blocks behind the head the solidified one is. */
  solidificationDepth?: number | undefined
  /** Between the blocks a new chain starts with. */
  blockIntervalMs?: number | undefined
  clock?: Clock | undefined
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
const headerVersion = 36
const noTransactions = '0'.repeat(64)

/**
 * A chain of our own, in memory: a head that can fork, and behind it a solidified part that cannot. Ids of blocks are
 * real (the hash of the header), and a chain is known by the id of its genesis as any other. A new chain has a history
 * of one block more than its solidification depth, dated back, so that its solidified head is not the genesis.
 */
export class SandboxChain {
  readonly solidificationDepth: number
  readonly #seed: string
  readonly #clock: Clock
  /** Heights without a gap from #oldest to the head, and 0. */
  readonly #blocks = new Map<number, SandboxBlock>()
  /** Where each transaction is that a block holds; null for one that waits. */
  readonly #places = new Map<string, SandboxBlock | null>()
  #pending: SandboxTransaction[] = []
  #head: SandboxBlock
  #solidHeight = 0
  #oldest = 1
  #branch = 0
  #stampMs = 0
  #transactionCount = 0

  constructor(options: SandboxChainOptions = {}) {
    this.#seed = options.genesisSeed ?? randomUUID()
    this.#clock = options.clock ?? systemClock
    this.solidificationDepth = options.solidificationDepth ?? solidificationDepthDefault
    // As of real chains: block 0 has no time and no parent, only bytes that make it this chain's.
    const header: BlockHeader = { parentHash: hash('sha256', `sandbox ${this.#seed}`, 'hex') }
    this.#head = { height: 0, id: blockId(header), timeMs: 0, header, transactions: [] }
    this.#blocks.set(0, this.#head)
    const history = this.solidificationDepth + 1
    const intervalMs = options.blockIntervalMs ?? blockIntervalDefaultMs
    const nowMs = this.#clock.now().getTime()
    for (let ago = history; ago > 0; ago--) this.#append(nowMs - ago * intervalMs, [])
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
    return this.#pending.length
  }

  block(height: number): SandboxBlock | undefined {
    return this.#blocks.get(height)
  }

  /** The block that holds a transaction; undefined while it waits, after it was dropped, and when it never was. */
  blockOf(txid: string): SandboxBlock | undefined {
    return this.#places.get(txid) ?? undefined
  }

  /** What a new transaction refers to: the head, and a time no other transaction has, which makes its id its own. */
  stamp(): { refBlock: SandboxBlock; timeMs: number } {
    this.#stampMs = Math.max(this.#clock.now().getTime(), this.#stampMs + 1)
    return { refBlock: this.#head, timeMs: this.#stampMs }
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
    if (this.#pending.length + transactions.length > pendingMax) {
      throw new SandboxRefusal(`at most ${pendingMax} transactions can wait for a block: mine some first`)
    }
    this.#pending.push(...transactions)
    for (const id of ids) this.#places.set(id, null)
  }

  /** Makes blocks; the waiting transactions go into the first, in the order they came. */
  mine(blocks = 1): SandboxBlock[] {
    return Array.from({ length: blocks }, () =>
      this.#append(this.#clock.now().getTime(), this.#pending.splice(0, transactionsPerBlock)),
    )
  }

  /**
   * The network turns to another branch, as it does when two producers disagree: the newest `depth` blocks are replaced
   * by as many others, empty ones, and by one more on top, since only a longer branch wins. Their transactions return in
   * that one, before those that were waiting, save the dropped, which are gone as if they had expired.
   * @returns the orphaned blocks, oldest first.
   * @throws SandboxRefusal when that would touch the solidified chain, or when what is to be dropped is not in it.
   */
  fork(depth: number, drop: ReadonlySet<string> = new Set()): SandboxBlock[] {
    const depthMax = this.#head.height - this.#solidHeight
    if (depth < 1 || depth > depthMax) {
      throw new SandboxRefusal(
        `a fork can be 1 to ${depthMax} deep here: block ${this.#solidHeight} is solidified, the head is ${this.#head.height}`,
      )
    }
    const forkHeight = this.#head.height - depth
    const orphans = Array.from({ length: depth }, (_, i) => this.#blocks.get(forkHeight + 1 + i)!)
    const orphaned = orphans.flatMap(block => block.transactions)
    const orphanedIds = new Set(orphaned.map(({ id }) => id))
    const unknown = [...drop].find(txid => !orphanedIds.has(txid))
    if (unknown !== undefined) {
      throw new SandboxRefusal(`transaction ${unknown} is not in the ${depth} blocks to be replaced`)
    }
    for (const block of orphans) this.#forget(block)
    const returning = orphaned.filter(({ id }) => !drop.has(id))
    for (const { id } of returning) this.#places.set(id, null)
    this.#pending = [...returning, ...this.#pending]
    this.#head = this.#blocks.get(forkHeight)!
    this.#branch++
    // Other producers' blocks for the same slots: the times stay, the ids differ.
    for (const block of orphans) this.#append(block.timeMs, [])
    this.mine()
    return orphans
  }

  #append(timeMs: number, transactions: readonly SandboxTransaction[]): SandboxBlock {
    const parent = this.#head
    const header: BlockHeader = {
      number: parent.height + 1,
      timestamp: Math.max(timeMs, parent.timeMs + 1),
      txTrieRoot: transactionsRoot(transactions),
      parentHash: parent.id,
      witness_address: `41${hash('sha256', `${this.#seed} producer ${this.#branch}`, 'hex').slice(24)}`,
      version: headerVersion,
    }
    const block = {
      height: header.number!,
      id: blockId(header),
      timeMs: header.timestamp!,
      header,
      transactions,
    }
    this.#blocks.set(block.height, block)
    for (const { id } of transactions) this.#places.set(id, block)
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
    this.#transactionCount -= block.transactions.length
  }
}

/** Depends on every transaction, as java-tron's Merkle root does; not computed its way, which takes bytes not at hand here. */
function transactionsRoot(transactions: readonly SandboxTransaction[]): string {
  if (transactions.length === 0) return noTransactions
  return hash('sha256', transactions.map(({ id }) => id).join(), 'hex')
}
