import { SandboxRefusal } from './sandbox-refusal.ts'
import type { SandboxTransaction } from './transaction-facts.ts'

/** Transactions that wait for a block, in the order they came; some not before a certain height. */
export class WaitingTransactions {
  #ready: SandboxTransaction[] = []
  #held: { transaction: SandboxTransaction; fromHeight: number }[] = []

  get count(): number {
    return this.#ready.length + this.#held.length
  }

  add(transactions: readonly SandboxTransaction[]): void {
    this.#ready.push(...transactions)
  }

  /** Puts transactions before those that wait already. */
  addFirst(transactions: readonly SandboxTransaction[]): void {
    this.#ready = [...transactions, ...this.#ready]
  }

  /** Keeps transactions back until a block of that height is made. */
  hold(transactions: readonly SandboxTransaction[], fromHeight: number): void {
    for (const transaction of transactions) this.#held.push({ transaction, fromHeight })
  }

  /**
   * Takes what goes into the block of a height: at most `max`, those named in `first` before the others.
   * @throws SandboxRefusal when one of `first` does not wait for this height; nothing is taken then.
   */
  take(height: number, max: number, first: readonly string[] = []): SandboxTransaction[] {
    const due = this.#held.filter(({ fromHeight }) => fromHeight <= height)
    const ready = [...this.#ready, ...due.map(({ transaction }) => transaction)]
    const named = first.map(txid => {
      const transaction = ready.find(({ id }) => id === txid)
      if (!transaction) throw new SandboxRefusal(`transaction ${txid} does not wait for block ${height}`)
      return transaction
    })
    const ordered =
      named.length === 0
        ? ready
        : [...new Set(named), ...ready.filter(transaction => !named.includes(transaction))]
    this.#held = this.#held.filter(({ fromHeight }) => fromHeight > height)
    this.#ready = ordered.slice(max)
    return ordered.slice(0, max)
  }
}
