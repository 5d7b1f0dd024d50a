import { addressFromBytes } from '../tron/address.ts'
import type { SolidBlock } from '../tron/block.ts'
import type { HeldTransfer } from './held-store.ts'
import type { Confirmation } from './release-held.ts'

/**
 * Asks a second node about a held transfer. It agrees when it has the same block at that height, and in it a log with the
 * same transaction, position, sender, recipient and amount.
 * @throws NodeError when no other node can be asked now.
 */
export async function confirmHeld(
  nodes: { solidBlock(height: number, options: { not: string }): Promise<SolidBlock | null> },
  held: HeldTransfer,
): Promise<Confirmation> {
  const block = await nodes.solidBlock(held.height, { not: held.node })
  if (!block) return { kind: 'unknown', note: `no other node has solidified block ${held.height} yet` }
  // The node that served the block is not a second one.
  if (block.node === held.node) return { kind: 'unknown', note: `only ${held.node} could be asked` }
  if (block.hash !== held.hash) {
    return {
      kind: 'disagreed',
      note: `${block.node} has ${block.hash} at ${held.height}, ${held.node} showed ${held.hash}`,
    }
  }
  const difference = differenceOf(block, held)
  return difference === null ? { kind: 'agreed' } : { kind: 'disagreed', note: difference }
}

function differenceOf({ node, transfers }: SolidBlock, held: HeldTransfer): string | null {
  const log = transfers.find(({ txid, logIndex }) => txid === held.txid && logIndex === held.logIndex)
  if (!log) return `${node} has the block without this transfer`
  const shown = {
    from: addressFromBytes(log.fromBytes),
    to: addressFromBytes(log.toBytes),
    amount: log.amount,
  }
  for (const what of ['from', 'to', 'amount'] as const) {
    if (shown[what] !== held[what]) return `${node} shows ${what} ${shown[what]}, ${held.node} ${held[what]}`
  }
  return null
}
