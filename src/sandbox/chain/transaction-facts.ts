import type { UsdtUnits } from '../../base/money.ts'
import { addressToHex, type TronAddress } from '../../tron/address.ts'
import { type NodeLog, transferTopic } from '../../tron/transfer-log.ts'

/** How a contract call can end, in java-tron's names. */
export const callResults = [
  'SUCCESS',
  'REVERT',
  'OUT_OF_ENERGY',
  'OUT_OF_TIME',
  'OUT_OF_MEMORY',
  'BAD_JUMP_DESTINATION',
  'STACK_TOO_SMALL',
  'STACK_TOO_LARGE',
  'STACK_OVERFLOW',
  'ILLEGAL_OPERATION',
  'INVALID_CODE',
  'TRANSFER_FAILED',
  'PRECOMPILED_CONTRACT',
  'JVM_STACK_OVER_FLOW',
  'UNKNOWN',
] as const

export type CallResult = (typeof callResults)[number]

/** What a block needs to know of a transaction. Its id is taken as given. */
export interface TransactionFacts {
  /** 64 hex digits. */
  id: string
  /** The contract that the transaction calls; absent when it calls none. */
  contract?: TronAddress
  /** Absent when it calls no contract. */
  result?: CallResult
  logs: readonly NodeLog[]
}

/** A USDT transfer that a transaction was made to do. Its amount is above 0. */
export interface MeantTransfer {
  logIndex: number
  from: TronAddress
  to: TronAddress
  amount: UsdtUnits
}

/**
 * A transaction of the sandbox. For those it made itself it also has the raw data that the id is the hash of, signatures, and
 * `meant`: the USDT transfers that happen by it, and the positions of logs that look like a transfer and cannot be decoded.
 */
export interface SandboxTransaction extends TransactionFacts {
  raw?: { data: object; hex: string }
  /** Hex, 65 bytes each, or 68. */
  signatures?: readonly string[]
  /** Bytes, as hex, in a field of the result that java-tron does not know. JSON does not show it. */
  unknownField?: string
  /** What the block says became of it, where a lie has the info say something else. */
  contractRet?: CallResult
  meant?: { transfers: readonly MeantTransfer[]; undecodable: readonly number[] }
}

/** Makes the log of a TRC-20 Transfer. @param amount in base units of the token. */
export function transferLog(token: TronAddress, from: TronAddress, to: TronAddress, amount: bigint): NodeLog {
  return {
    address: addressToHex(token),
    topics: [transferTopic, addressWord(from), addressWord(to)],
    data: amountWord(amount),
  }
}

/** Writes an address as a 32-byte word, 64 hex digits. */
export function addressWord(address: TronAddress): string {
  return addressToHex(address).padStart(64, '0')
}

/** Writes an amount as a 32-byte word, 64 hex digits. */
export function amountWord(amount: bigint): string {
  return amount.toString(16).padStart(64, '0')
}
