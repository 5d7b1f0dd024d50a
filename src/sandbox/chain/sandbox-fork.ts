import type { SandboxBlock } from './sandbox-block.ts'
import { SandboxRefusal } from './sandbox-refusal.ts'
import type { SandboxTransaction } from './transaction-facts.ts'

/** What happens to the transactions of orphaned blocks. By default all return in the block on top, in their order. */
export interface ForkOptions {
  /** These do not return, as if they had expired. */
  drop?: Iterable<string> | undefined
  /** These return so many blocks later than the others. */
  late?: { txids: Iterable<string>; blocks: number } | undefined
  /** `top`: in the block on top. `spread`: each in the block after the height it had. */
  returns?: 'top' | 'spread' | undefined
  /** Reverses their order, so that they return at other positions. */
  reversed?: boolean | undefined
}

/**
 * Distributes the transactions of orphaned blocks.
 * @returns the transactions of each block of the new branch, those that wait for the block on top, and those that return
 * later.
 * @throws SandboxRefusal when a transaction named in the options is not in these blocks.
 */
export function planFork(
  orphans: readonly SandboxBlock[],
  options: ForkOptions,
): { branch: SandboxTransaction[][]; onTop: SandboxTransaction[]; held: SandboxTransaction[] } {
  const orphaned = orphans.flatMap((block, from) =>
    block.transactions.map(transaction => ({ transaction, from })),
  )
  const ids = new Set(orphaned.map(({ transaction }) => transaction.id))
  const named = (txids: Iterable<string> = []) => {
    const set = new Set(txids)
    const unknown = [...set].find(txid => !ids.has(txid))
    if (unknown !== undefined) {
      throw new SandboxRefusal(`transaction ${unknown} is not in the ${orphans.length} blocks to be replaced`)
    }
    return set
  }
  const dropped = named(options.drop)
  const late = named(options.late?.txids)
  const staying = orphaned.filter(({ transaction: { id } }) => !dropped.has(id))
  const returning = staying.filter(({ transaction: { id } }) => !late.has(id))
  const held = staying.filter(({ transaction: { id } }) => late.has(id)).map(({ transaction }) => transaction)
  if (options.reversed) returning.reverse()
  const blocks: SandboxTransaction[][] = Array.from({ length: orphans.length + 1 }, () => [])
  for (const { transaction, from } of returning) {
    // The next block of the branch. After the last one comes the block on top.
    const into = options.returns === 'spread' ? from + 1 : orphans.length
    blocks[into]!.push(transaction)
  }
  return { branch: blocks.slice(0, -1), onTop: blocks.at(-1)!, held }
}
