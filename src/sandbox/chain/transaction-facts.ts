import { addressToBytes, type TronAddress } from '../../tron/address.ts'
import { type NodeLog, transferTopic } from '../../tron/transfer-log.ts'

/** How a contract's call can end, as java-tron names it. */
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

/** What is known of a transaction and enough to put it into a block. Its id is taken as given. */
export interface TransactionFacts {
  /** 64 hex digits. */
  id: string
  /** The contract called from outside; absent when the transaction is no contract's call. */
  contract?: TronAddress
  /** Absent when the transaction is no contract's call. */
  result?: CallResult
  logs: readonly NodeLog[]
}

/** A USDT transfer as the maker of a transaction meant it; its amount is above 0. */
export interface MeantTransfer {
  logIndex: number
  from: TronAddress
  to: TronAddress
  amount: bigint
}

/**
 * A transaction of the sandbox: facts, and for those it made itself the raw data their id is the hash of, and what they
 * do: the USDT transfers that happen by it, and the positions of logs that look like one and cannot be read.
 */
export interface SandboxTransaction extends TransactionFacts {
  raw?: { data: object; hex: string }
  meant?: { transfers: readonly MeantTransfer[]; undecodable: readonly number[] }
}

/** The log of a TRC-20 Transfer. @param amount in base units, written as 32 bytes. */
export function transferLog(token: TronAddress, from: TronAddress, to: TronAddress, amount: bigint): NodeLog {
  return {
    address: addressToBytes(token).toString('hex'),
    topics: [transferTopic, addressWord(from), addressWord(to)],
    data: amountWord(amount),
  }
}

/** An address as a 32-byte word, 64 hex digits. */
export function addressWord(address: TronAddress): string {
  return addressToBytes(address).toString('hex').padStart(64, '0')
}

/** An amount as a 32-byte word, 64 hex digits. */
export function amountWord(amount: bigint): string {
  return amount.toString(16).padStart(64, '0')
}
