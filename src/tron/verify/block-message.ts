import { hash } from 'node:crypto'
import { MessageError, MessageFields, wireBytes } from '../message-fields.ts'
import {
  type ContractRet,
  contractRets,
  type SentBlock,
  type SentHeader,
  type SentTransaction,
} from './sent-block.ts'
import { readContract } from './token-call.ts'

/** A block is at most 2 MB, and a transaction above 100 bytes. */
export const transactionsMax = 20_000
const idBytes = 32
/**
 * The length of two hashes, that is of a node of the tree. Such a "transaction" would have that node's hash as its leaf: with it,
 * a liar could leave out the two transactions below under the true root. Real ones are longer: the type's URL is 40 bytes, the
 * signature 65.
 */
export const treeNodeBytes = 64

/**
 * Reads a `BlockExtention`, the answer of `GetBlockByNum2` and `GetNowBlock2`.
 * @param usdtContract the token's contract, 20 bytes as 40 hex digits.
 * @returns null for an empty message: the node has no such block. Buffers in it are slices of the message.
 * @throws MessageError when it is not as java-tron writes blocks. No content that a sender gives a transaction causes this.
 */
export function sentBlockOfMessage(message: Buffer, usdtContract: string): SentBlock | null {
  const token = Buffer.from(usdtContract, 'hex')
  const transactions: SentTransaction[] = []
  const fields = new MessageFields(message)
  let header: MessageFields | null = null
  let id: string | null = null
  while (fields.next()) {
    if (fields.number === 1) {
      if (transactions.length === transactionsMax) {
        throw tooManyTransactions()
      }
      transactions.push(readExtention(fields.nested(), token))
    } else if (fields.number === 2) header = once(header, fields.nested(), 'block_header')
    else if (fields.number === 3) id = once(id, hexOf(fields, idBytes), 'blockid')
  }
  if (!header) {
    if (message.length > 0) throw new MessageError('a block without its header')
    return null
  }
  if (id === null) throw new MessageError('a block without its id')
  return { id, ...readHeader(header), transactions }
}

export function tooManyTransactions(): MessageError {
  return new MessageError(`a block of more than ${transactionsMax} transactions`)
}

/** Reads a `TransactionExtention`. The id it also has is not read, since it is computed. */
function readExtention(extention: MessageFields, token: Buffer): SentTransaction {
  let found: SentTransaction | null = null
  while (extention.next()) {
    if (extention.number !== 1) continue
    found = once(found, readTransaction(extention, token), 'transaction')
  }
  if (!found) throw new MessageError('a transaction without its bytes')
  return found
}

/** @param field moved to the transaction: the hash of these bytes, as they are, is the leaf. */
function readTransaction(field: MessageFields, token: Buffer): SentTransaction {
  const bytes = field.bytes()
  if (bytes.length === treeNodeBytes) throw new MessageError('a transaction of the length of a tree node')
  const fields = field.nested()
  let txid: string | null = null
  let contract: ReturnType<typeof readContract> | null = null
  let contractRet: ContractRet | null | undefined
  while (fields.next()) {
    // Of another type it is an unknown field to java-tron, which keeps it, and anybody can put it there.
    if (fields.number === 1 && fields.wireType === wireBytes) {
      txid = once(txid, hash('sha256', fields.bytes(), 'hex'), 'raw_data')
      contract = readContract(fields.nested(), token)
    } else if (fields.number === 5 && contractRet === undefined) contractRet = readContractRet(fields)
  }
  if (txid === null) throw new MessageError('a transaction without raw_data')
  const { contractType, call } = contract!
  return { txid, leaf: hash('sha256', bytes, 'hex'), contractType, contractRet: contractRet ?? null, call }
}

/** Reads the first result's `contractRet`. @returns null when it cannot be read: senders can write into results. */
function readContractRet(field: MessageFields): ContractRet | null {
  try {
    const result = field.nested()
    let number: number | null = null
    while (result.next()) {
      if (result.number === 3) number = once(number, result.integer(), 'contractRet')
    }
    return contractRets[number ?? 0] ?? null
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
    return null
  }
}

function readHeader(message: MessageFields): Omit<SentHeader, 'id'> {
  let raw: ReturnType<typeof readHeaderRaw> | null = null
  let signature: Buffer | null = null
  while (message.next()) {
    if (message.number === 1) raw = once(raw, readHeaderRaw(message), 'raw_data')
    else if (message.number === 2) signature = once(signature, message.bytes(), 'witness_signature')
  }
  if (!raw) throw new MessageError('a header without raw_data')
  return { ...raw, signature: signature ?? Buffer.alloc(0) }
}

/** Reads what we use. The rest stays in the bytes, so the header of a newer java-tron has its right id all the same. */
function readHeaderRaw(field: MessageFields): Omit<SentHeader, 'id' | 'signature'> {
  const raw = field.nested()
  let height: number | null = null
  let timeMs: number | null = null
  let root: string | null = null
  let parentHash: string | null = null
  let producer: string | null = null
  while (raw.next()) {
    if (raw.number === 1) timeMs = once(timeMs, raw.integer(), 'timestamp')
    else if (raw.number === 2) root = once(root, hexOf(raw, idBytes), 'txTrieRoot')
    else if (raw.number === 3) parentHash = once(parentHash, hexOf(raw, idBytes), 'parentHash')
    else if (raw.number === 7) height = once(height, raw.integer(), 'number')
    else if (raw.number === 9) producer = once(producer, raw.bytes().toString('hex'), 'witness_address')
  }
  return {
    height: height ?? 0,
    timeMs: timeMs ?? 0,
    root: root ?? '',
    parentHash: parentHash ?? '',
    producer: producer ?? '',
    bytes: field.bytes(),
  }
}

function hexOf(field: MessageFields, length: number): string {
  const bytes = field.bytes()
  if (bytes.length !== length) throw new MessageError(`field ${field.number} is of ${bytes.length} bytes`)
  return bytes.toString('hex')
}

function once<T>(before: T | null, value: T, name: string): T {
  if (before !== null) throw new MessageError(`${name} comes twice`)
  return value
}
