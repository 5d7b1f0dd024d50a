import { addressFromHex } from '../tron/address.ts'
import type { SolidBlock } from '../tron/block.ts'
import type { HeldTransfer } from './held-store.ts'
import type { Confirmation } from './release-held.ts'

/** A source of blocks that can leave nodes out, for a second opinion. */
export interface SecondNodes {
  solidBlock(height: number, options: { not: string | readonly string[] }): Promise<SolidBlock | null>
  /** The nodes that are no second opinion beside one; without it, that one alone. */
  sameHost?(node: string): readonly string[]
}

/**
 * Asks a second node, of another host if there is one, about a held transfer. It agrees when it has the same block at that
 * height, and in it a log with the same transaction, position, sender, recipient and amount.
 * @throws NodeError when no other node can be asked now.
 */
export async function confirmHeld(nodes: SecondNodes, held: HeldTransfer): Promise<Confirmation> {
  const block = await nodes.solidBlock(held.height, { not: sameHost(nodes, held) })
  if (!block) return { kind: 'unknown', note: `no other node has solidified block ${held.height} yet` }
  return compareHeld(block, held)
}

/** More nodes than anybody configures. */
const nodesMax = 20

/**
 * Asks one second node after the other about a held transfer, until one agrees.
 * @returns `disagreed` when at least one node shows something else and none that can be asked agrees.
 * @throws NodeError when no other node can be asked now.
 */
export async function confirmByAny(nodes: SecondNodes, held: HeldTransfer): Promise<Confirmation> {
  const not = [...sameHost(nodes, held)]
  const notes: string[] = []
  while (not.length < nodesMax) {
    const block = await nodes.solidBlock(held.height, { not }).catch(error => {
      // After an answer, an error says that no further node can be asked.
      if (notes.length === 0) throw error
      return null
    })
    const answer = block && compareHeld(block, held)
    if (answer?.kind === 'agreed') return answer
    // A source that does not leave nodes out shows the same node again.
    if (!block || not.includes(block.node)) break
    if (answer?.kind === 'disagreed') notes.push(answer.note)
    not.push(block.node)
  }
  if (notes.length > 0) return { kind: 'disagreed', note: notes.join('; ') }
  return { kind: 'unknown', note: `no node but ${held.node} shows block ${held.height}` }
}

function sameHost(nodes: SecondNodes, { node }: HeldTransfer): readonly string[] {
  return nodes.sameHost?.(node) ?? [node]
}

/** Compares a block with a held transfer, as in `confirmHeld`. */
export function compareHeld(block: SolidBlock, held: HeldTransfer): Confirmation {
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
    from: addressFromHex(log.fromHex),
    to: addressFromHex(log.toHex),
    amount: log.amount,
  }
  for (const what of ['from', 'to', 'amount'] as const) {
    if (shown[what] !== held[what]) return `${node} shows ${what} ${shown[what]}, ${held.node} ${held[what]}`
  }
  return null
}
