import { addressToHex, type TronAddress } from '../../tron/address.ts'
import type { SandboxBlock } from './sandbox-block.ts'

/** Finds the blocks with events of any token that name an address as sender or recipient. */
export class TransferIndex {
  readonly #blocks = new Map<string, Set<SandboxBlock>>()

  add(block: SandboxBlock): void {
    for (const word of wordsOf(block)) {
      const blocks = this.#blocks.get(word)
      if (blocks) blocks.add(block)
      else this.#blocks.set(word, new Set([block]))
    }
  }

  remove(block: SandboxBlock): void {
    for (const word of wordsOf(block)) {
      const blocks = this.#blocks.get(word)
      if (blocks?.delete(block) && blocks.size === 0) this.#blocks.delete(word)
    }
  }

  /** Lists them, oldest first. */
  blocksOf(address: TronAddress): SandboxBlock[] {
    const word = addressToHex(address).padStart(64, '0')
    return [...(this.#blocks.get(word) ?? [])].sort((a, b) => a.height - b.height)
  }
}

function* wordsOf({ transactions }: SandboxBlock): Generator<string> {
  for (const { logs } of transactions) {
    for (const { topics } of logs) {
      if (topics?.length === 3) yield* topics.slice(1)
    }
  }
}
