import { hash } from 'node:crypto'
import { type BlockHeader, headerBytes } from '../block-id.ts'
import { MessageError, MessageFields } from '../message-fields.ts'
import { MessageWriter } from '../protobuf.ts'
import { tooManyTransactions, transactionsMax, treeNodeBytes } from './block-message.ts'
import {
  type ContractRet,
  contractRets,
  type SentBlock,
  type SentHeader,
  type SentTransaction,
} from './sent-block.ts'
import { readContract } from './token-call.ts'
import { encodeResult } from './transaction-result.ts'

/**
 * Reads the answer of getblockbynum, getblock or getnowblock: JSON with addresses in hex (`visible` false).
 *
 * JSON lacks what the node does not know. A transaction with a result that it does not say has no leaf, as far as that can be seen. A
 * field that the node left out cannot be seen: the root does not fit then.
 * @param answer parsed, with all of a block but `raw_data` of the transactions.
 * @param usdtContract the token's contract, 20 bytes as 40 hex digits.
 * @returns null for `{}`: the node has no such block.
 * @throws MessageError naming the field that is not as java-tron writes it.
 */
export function sentBlockOfJson(answer: unknown, usdtContract: string): SentBlock | null {
  const block = object(answer, 'the block')
  if (Object.keys(block).length === 0) return null
  const token = Buffer.from(usdtContract, 'hex')
  const transactions = list(block.transactions ?? [], 'transactions')
  if (transactions.length > transactionsMax) throw tooManyTransactions()
  return {
    ...readHeader(block),
    transactions: transactions.map(transaction => readTransaction(transaction, token)),
  }
}

/** Reads the header alone, as `sentBlockOfJson` does. The answer may have no transactions. */
export function sentHeaderOfJson(answer: unknown): SentHeader {
  return readHeader(object(answer, 'the block'))
}

function readHeader(block: Record<string, unknown>): SentHeader {
  const outer = object(block.block_header, 'block_header')
  const raw = object(outer.raw_data, 'block_header.raw_data')
  const header: BlockHeader = {
    number: whole(raw.number ?? 0, 'number'),
    timestamp: whole(raw.timestamp ?? 0, 'timestamp'),
    txTrieRoot: hex(raw.txTrieRoot ?? '', 'txTrieRoot'),
    parentHash: hex(raw.parentHash ?? '', 'parentHash'),
    witness_id: whole(raw.witness_id ?? 0, 'witness_id'),
    witness_address: hex(raw.witness_address ?? '', 'witness_address'),
    version: whole(raw.version ?? 0, 'version'),
    accountStateRoot: hex(raw.accountStateRoot ?? '', 'accountStateRoot'),
  }
  const { number, timestamp, txTrieRoot, parentHash, witness_address } = header
  return {
    id: hex(block.blockID, 'blockID'),
    height: number!,
    timeMs: timestamp!,
    root: txTrieRoot!,
    parentHash: parentHash!,
    producer: witness_address!,
    bytes: headerBytes(header),
    signature: decoded(outer.witness_signature ?? '', 'witness_signature'),
  }
}

/** Overwritten by each transaction: nothing keeps bytes of it. */
const message = new MessageWriter()

function readTransaction(answer: unknown, token: Buffer): SentTransaction {
  const transaction = object(answer, 'a transaction')
  const results = list(transaction.ret ?? [], 'ret')
  message.clear()
  const rawData = addHex(1, transaction.raw_data_hex, 'raw_data_hex')
  const txid = hash('sha256', rawData, 'hex')
  const { contractType, call } = contractOf(rawData, token)
  const contractRet = results.length === 0 ? null : contractRetOf(object(results[0], 'ret'))
  const leaf = leafWith(list(transaction.signature ?? [], 'signature'), results)
  return { txid, leaf, contractType, contractRet, call }
}

/** Adds what comes after `raw_data`. @returns null when a result has a field or a value that cannot be encoded. */
function leafWith(signatures: readonly unknown[], results: readonly unknown[]): string | null {
  for (const signature of signatures) addHex(2, signature, 'signature')
  for (const result of results) {
    const encoded = encodeResult(object(result, 'ret'))
    if (!encoded) return null
    message.add(5, encoded)
  }
  const bytes = message.bytes()
  if (bytes.length === treeNodeBytes) throw new MessageError('a transaction of the length of a tree node')
  return hash('sha256', bytes, 'hex')
}

function addHex(number: number, value: unknown, name: string): Buffer {
  const bytes = typeof value === 'string' ? message.addHex(number, value) : null
  if (!bytes) throw new MessageError(`${name} is not hex`)
  return bytes
}

/** `raw_data_hex` is the bytes that the sender signed; `raw_data` beside it is the node's reading of them. */
function contractOf(rawData: Buffer, token: Buffer): Pick<SentTransaction, 'contractType' | 'call'> {
  return readContract(new MessageFields(rawData), token)
}

function contractRetOf({ contractRet = 'DEFAULT' }: Record<string, unknown>): ContractRet | null {
  return contractRets.find(name => name === contractRet) ?? null
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new MessageError(`${name} is not an object`)
}

function list(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new MessageError(`${name} is not a list`)
  return value
}

const hexDigits = /^(?:[0-9a-f]{2})*$/

function hex(value: unknown, name: string): string {
  if (typeof value !== 'string' || !hexDigits.test(value))
    throw new MessageError(`${name} is not lower-case hex`)
  return value
}

/** Decodes hex. `Buffer.from` stops at what is not hex, and checking its length is faster than looking at every digit first. */
function decoded(value: unknown, name: string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'hex') : null
  if (!bytes || bytes.length * 2 !== (value as string).length) throw new MessageError(`${name} is not hex`)
  return bytes
}

/** Numbers beyond 2^53 arrive rounded. */
function whole(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new MessageError(`${name} is not a whole number`)
  return value as number
}
