import { hash } from 'node:crypto'
import { encodeProtobuf } from '../../tron/protobuf.ts'
import type { CallResult, SandboxTransaction } from './transaction-facts.ts'

// The bytes of a transaction, and what blocks commit to. Independent of the gateway's code on purpose, as in token-event.ts.

/** java-tron's numbers of `contractRet`. */
export const resultNumbers: Record<CallResult, number> = {
  SUCCESS: 1,
  REVERT: 2,
  BAD_JUMP_DESTINATION: 3,
  OUT_OF_MEMORY: 4,
  PRECOMPILED_CONTRACT: 5,
  STACK_TOO_SMALL: 6,
  STACK_TOO_LARGE: 7,
  ILLEGAL_OPERATION: 8,
  STACK_OVERFLOW: 9,
  OUT_OF_ENERGY: 10,
  OUT_OF_TIME: 11,
  JVM_STACK_OVER_FLOW: 12,
  UNKNOWN: 13,
  TRANSFER_FAILED: 14,
  INVALID_CODE: 15,
}

/** A field that senders put into results on the main network (block 79072107). java-tron keeps it, and does not show it in JSON. */
const unknownResultField = 1002
/** `data` of raw_data: a memo. */
const memoField = 10

/**
 * Encodes a whole transaction: raw_data, signatures and result. This is what the sandbox serves over gRPC. SHA-256 of raw_data is
 * its id, and SHA-256 of all of it is its leaf.
 *
 * A transaction that was given by its facts, such as those recorded from the main network, keeps its real id, but its bytes
 * are not known. Its raw_data here is a memo with that id, and it has no signature. So a block's root holds for the bytes that
 * come over gRPC, while the id that a reader computes from them is not the one that infos name, and from JSON, which shows no
 * raw_data for it, its leaf cannot be computed. So such a transaction can be confirmed by another node only.
 */
export function transactionBytes({
  id,
  raw,
  signatures = [],
  unknownField,
  ...facts
}: SandboxTransaction): Buffer {
  const result = encodeProtobuf([
    [3, resultNumbers[contractRet(facts)]],
    [unknownResultField, bytes(unknownField ?? '')],
  ])
  return encodeProtobuf([
    [1, raw ? bytes(raw.hex) : encodeProtobuf([[memoField, bytes(id)]])],
    ...signatures.map((signature): [number, Buffer] => [2, bytes(signature)]),
    [5, result],
  ])
}

/** Returns what the block says of a transaction. One that calls no contract is in a block because it succeeded. */
export function contractRet({
  contractRet,
  result,
}: Pick<SandboxTransaction, 'contractRet' | 'result'>): CallResult {
  return contractRet ?? result ?? 'SUCCESS'
}

/** Computes the root that a header has: over the hashes of whole transactions, an odd last one moving up unchanged. */
export function transactionsRoot(transactions: readonly SandboxTransaction[]): string {
  if (transactions.length === 0) return noTransactions
  let level: Buffer[] = transactions.map(transaction =>
    hash('sha256', transactionBytes(transaction), 'buffer'),
  )
  while (level.length > 1) {
    const above: Buffer[] = []
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i]!, level[i + 1]]
      above.push(right ? hash('sha256', Buffer.concat([left, right]), 'buffer') : left)
    }
    level = above
  }
  return level[0]!.toString('hex')
}

const noTransactions = '0'.repeat(64)

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}
