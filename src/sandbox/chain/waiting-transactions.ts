import { SandboxRefusal } from './sandbox-refusal.ts'
import type { SandboxTransaction } from './transaction-facts.ts'

/** Transactions that wait for a block, in the order they came. Held ones wait for a certain height. */
export class WaitingTransactions {
  readonly #ids = new Set<string>()
  #ready: SandboxTransaction[] = []
  #held: { transaction: SandboxTransaction; fromHeight: number }[] = []

  get count(): number {
    return this.#ids.size
  }

  has(txid: string): boolean {
    return this.#ids.has(txid)
  }

  add(transactions: readonly SandboxTransaction[]): void {
    for (const { id } of transactions) this.#ids.add(id)
    this.#ready.push(...transactions)
  }

  /** Adds transactions ahead of those that wait already. */
  addFirst(transactions: readonly SandboxTransaction[]): void {
    for (const { id } of transactions) this.#ids.add(id)
    this.#ready = [...transactions, ...this.#ready]
  }

  /** Adds transactions that wait until a block of that height is made. */
  hold(transactions: readonly SandboxTransaction[], fromHeight: number): void {
    for (const transaction of transactions) {
      this.#ids.add(transaction.id)
      this.#held.push({ transaction, fromHeight })
    }
  }

  /**
   * Takes the transactions of the block at a height: at most `max`, those named in `first` before the others.
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
    const taken = ordered.slice(0, max)
    for (const { id } of taken) this.#ids.delete(id)
    return taken
  }
}
