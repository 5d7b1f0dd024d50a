import type { TronAddress } from '../../tron/address.ts'
import type { SandboxBlock } from './sandbox-block.ts'
import { TransferIndex } from './transfer-index.ts'

/** More than three days at a block every 3 seconds. */
export const blocksKept = 100_000
/** About a kilobyte each. */
const transactionsKept = 500_000

/** The blocks of a chain, by height, transaction and address. Memory is bounded: the oldest are dropped, except the genesis. */
export class KeptBlocks {
  /** The genesis, and every height from #oldest to the newest. */
  readonly #byHeight = new Map<number, SandboxBlock>()
  readonly #byTransaction = new Map<string, SandboxBlock>()
  readonly #index = new TransferIndex()
  #oldest = 1
  #transactionCount = 0

  constructor(genesis: SandboxBlock) {
    this.#byHeight.set(0, genesis)
  }

  at(height: number): SandboxBlock | undefined {
    return this.#byHeight.get(height)
  }

  withTransaction(txid: string): SandboxBlock | undefined {
    return this.#byTransaction.get(txid)
  }

  /** The blocks with token events from or to an address, oldest first. */
  withAddress(address: TronAddress): SandboxBlock[] {
    return this.#index.blocksOf(address)
  }

  /** The blocks from one height to another, both included, as far as they are kept. */
  between(from: number, to: number): SandboxBlock[] {
    const first = Math.max(from, this.#oldest)
    return Array.from({ length: Math.max(0, to - first + 1) }, (_, i) => this.#byHeight.get(first + i)!)
  }

  add(block: SandboxBlock): void {
    this.#byHeight.set(block.height, block)
    for (const { id } of block.transactions) this.#byTransaction.set(id, block)
    this.#index.add(block)
    this.#transactionCount += block.transactions.length
  }

  remove(block: SandboxBlock): void {
    this.#byHeight.delete(block.height)
    for (const { id } of block.transactions) this.#byTransaction.delete(id)
    this.#index.remove(block)
    this.#transactionCount -= block.transactions.length
  }

  /** Drops the oldest blocks beyond the bounds; none at `solidHeight` or above. */
  dropOldest(headHeight: number, solidHeight: number): void {
    while (
      this.#oldest < solidHeight &&
      (headHeight - this.#oldest >= blocksKept || this.#transactionCount > transactionsKept)
    ) {
      this.remove(this.#byHeight.get(this.#oldest)!)
      this.#oldest++
    }
  }
}
