import type { SandboxBlock } from './sandbox-block.ts'
import { SandboxRefusal } from './sandbox-refusal.ts'
import type { SandboxTransaction } from './transaction-facts.ts'

/** What becomes of the transactions of orphaned blocks. Without options: all return in the block on top, in their order. */
export interface ForkOptions {
  /** Gone, as if they had expired. */
  drop?: Iterable<string> | undefined
  /** Return that many blocks later than the others. */
  late?: { txids: Iterable<string>; blocks: number } | undefined
  /** `top`: in the block on top. `spread`: over all blocks of the new branch, each in another than it was in. */
  returns?: 'top' | 'spread' | undefined
  /** Turns their order round, so that they return at other positions. */
  reversed?: boolean | undefined
}

/**
 * Distributes the transactions of orphaned blocks.
 * @returns for each orphaned block what its successor holds, what waits for the block on top, and what returns later.
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
    // The next block of the branch; the last one's is the block on top.
    const into = options.returns === 'spread' ? from + 1 : orphans.length
    blocks[into]!.push(transaction)
  }
  return { branch: blocks.slice(0, -1), onTop: blocks.at(-1)!, held }
}
