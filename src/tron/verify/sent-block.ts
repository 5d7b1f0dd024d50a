import type { UsdtUnits } from '../../base/money.ts'

// Sent: as a node sent it, over gRPC or HTTP, and not verified. Ids of transactions and leaves are computed from the bytes that
// came with them; what a node says they are is not used.
// producer: who made a block, by the address in its header.   signer: the address of the key that signed it. On the main network
// a quarter of the producers sign with another key than their address.
// leaf: what a header's root commits to of one transaction, its result included.

/** A header as a node sent it. Bytes in hex without 0x. */
export interface SentHeader {
  /** The block's id as the node says: 64 hex digits. */
  id: string
  height: number
  timeMs: number
  /** The root of its transactions: 64 hex digits, or none in a block 0. */
  root: string
  /** 64 hex digits, or none in a block 0. */
  parentHash: string
  /** The producer's address as headers have it: 42 hex digits, 41 in front. Block 0 has any text there. */
  producer: string
  /** The header's `raw_data` as protobuf: what the id and the signature are computed over. */
  bytes: Buffer
  /** The producer's: r, s and v. Empty in block 0. Not part of the id, so two nodes may have different ones. */
  signature: Buffer
}

export interface SentBlock extends SentHeader {
  transactions: readonly SentTransaction[]
}

export interface SentTransaction {
  /** Computed from its bytes: 64 hex digits. */
  txid: string
  /** SHA-256 of the transaction with its signatures and results: 64 hex digits. Null where JSON cannot say all of its bytes. */
  leaf: string | null
  /** Type of its contract; null unless it has exactly one that can be read. */
  contractType: number | null
  /** What became of it, as its block says: part of the leaf, so the producer signed it. Null where there is none. */
  contractRet: ContractRet | null
  /** The token's transfer that its sender signed, when it calls the token's contract itself; null for every other one. */
  call: TokenCall | null
}

/** A call of `transfer` or `transferFrom`. Whether it succeeded is the transaction's `contractRet`. */
export interface TokenCall {
  /** 20 bytes each, as 40 hex digits. */
  fromHex: string
  toHex: string
  /** 0 to 2^63 - 1. */
  amount: UsdtUnits
}

/** In the order of their numbers. @see java-tron, protocol.Transaction.Result.contractResult */
export const contractRets = [
  'DEFAULT',
  'SUCCESS',
  'REVERT',
  'BAD_JUMP_DESTINATION',
  'OUT_OF_MEMORY',
  'PRECOMPILED_CONTRACT',
  'STACK_TOO_SMALL',
  'STACK_TOO_LARGE',
  'ILLEGAL_OPERATION',
  'STACK_OVERFLOW',
  'OUT_OF_ENERGY',
  'OUT_OF_TIME',
  'JVM_STACK_OVER_FLOW',
  'UNKNOWN',
  'TRANSFER_FAILED',
  'INVALID_CODE',
] as const

export type ContractRet = (typeof contractRets)[number]

/** The types of transactions that run a contract: no other has logs. @see protocol.Transaction.Contract.ContractType */
export const createContractType = 30
export const triggerContractType = 31
