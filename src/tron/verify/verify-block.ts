import type { Unverified } from '../block.ts'
import { idOfHeaderBytes } from '../block-id.ts'
import { isSignedByProducer, type Producers } from './block-producer.ts'
import { emptyRoot, merkleRoot } from './merkle-root.ts'
import type { SentBlock, SentHeader } from './sent-block.ts'

export type Verified = { kind: 'verified'; producer: string } | { kind: 'unverified'; why: Unverified }

/** Verifies a block: its id, that these are its transactions, all of them and with these results, and who signed it. */
export function verifyBlock(sent: SentBlock, producers: Producers): Verified {
  const why = checkContent(sent)
  return why ? { kind: 'unverified', why } : verifyHeader(sent, producers)
}

/** Verifies a header: its id and who signed it. Says nothing about transactions. */
export function verifyHeader(sent: SentHeader, producers: Producers): Verified {
  if (!hasItsId(sent)) return unverified('id')
  if (!producers.keys.has(sent.producer)) return unverified('stranger')
  return isSignedByProducer(sent, producers)
    ? { kind: 'verified', producer: sent.producer }
    : unverified('signature')
}

/**
 * Checks that a block's header and transactions belong to its id. A block whose id a verified later one names as its ancestor
 * needs no more than that, whoever signed it.
 * @returns null when they do.
 */
export function checkContent(sent: SentBlock): Unverified | null {
  if (!hasItsId(sent)) return 'id'
  if (sent.transactions.length === 0) return sent.root === emptyRoot ? null : 'empty-under-root'
  const leaves: string[] = []
  for (const { leaf } of sent.transactions) {
    if (leaf === null) return 'leaf'
    leaves.push(leaf)
  }
  return merkleRoot(leaves) === sent.root ? null : 'root'
}

/** Says whether a header is the one that its id is computed of. */
export function hasItsId({ id, height, bytes }: SentHeader): boolean {
  return idOfHeaderBytes(height, bytes) === id
}

function unverified(why: Unverified): Verified {
  return { kind: 'unverified', why }
}
