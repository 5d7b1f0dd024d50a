import { hash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { heightHex, idOfHeaderBytes } from '../../../src/tron/block-id.ts'
import { MessageFields } from '../../../src/tron/message-fields.ts'
import { encodeElement, encodeProtobuf } from '../../../src/tron/protobuf.ts'
import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'
import { merkleRoot } from '../../../src/tron/verify/merkle-root.ts'
import { type ContractRet, contractRets, type SentHeader } from '../../../src/tron/verify/sent-block.ts'

// Blocks as java-tron would send them, made and signed here: of the shapes that the recorded ones have, and of others.

export const token = 'a614f803b6fd780986a42c78ec9c7f77e6ded13c'
export const alice = Buffer.alloc(20, 0xa1)
export const bob = Buffer.alloc(20, 0xb0)

/** A producer's key, the same at every run. */
export function producerKey(name: string): { secret: Buffer; address: string } {
  const secret = hash('sha256', `producer ${name}`, 'buffer')
  const point = secp256k1.getPublicKey(secret, false)
  return { secret, address: `41${Buffer.from(keccak_256(point.subarray(1)).subarray(-20)).toString('hex')}` }
}

/** Calldata of transfer(to, amount); `word` replaces the address word. */
export function transferData(to: Buffer, amount: bigint, word?: string): string {
  return `a9059cbb${word ?? to.toString('hex').padStart(64, '0')}${amount.toString(16).padStart(64, '0')}`
}

export function transferFromData(from: Buffer, to: Buffer, amount: bigint): string {
  return `23b872dd${from.toString('hex').padStart(64, '0')}${transferData(to, amount).slice(8)}`
}

/** Protobuf of a TriggerSmartContract. */
export function triggerMessage(data: string, contract = token, owner: Buffer = alice): Buffer {
  return encodeProtobuf([
    [1, address(owner)],
    [2, Buffer.from(`41${contract}`, 'hex')],
    [4, Buffer.from(data, 'hex')],
  ])
}

/** Protobuf of a transaction's `raw_data` with one contract. */
export function rawData(message: Buffer, type = 31, name = 'TriggerSmartContract'): Buffer {
  return Buffer.concat([
    encodeProtobuf([
      [1, Buffer.from('5721', 'hex')],
      [4, Buffer.from('d8f6f955c2b56b40', 'hex')],
      [8, 1_768_000_000_000],
    ]),
    encodeElement(11, contractMessage(message, type, name)),
    encodeProtobuf([
      [14, 1_767_999_940_000],
      [18, 100_000_000],
    ]),
  ])
}

/** Protobuf of the `raw_data` of a transfer of TRX, which runs no contract. */
export function trxRawData(from: Buffer, to: Buffer, sun: number): Buffer {
  const message = encodeProtobuf([
    [1, address(from)],
    [2, address(to)],
    [3, sun],
  ])
  return rawData(message, 1, 'TransferContract')
}

export function contractMessage(message: Buffer, type = 31, name = 'TriggerSmartContract'): Buffer {
  const parameter = encodeProtobuf([
    [1, `type.googleapis.com/protocol.${name}`],
    [2, message],
  ])
  return Buffer.concat([encodeProtobuf([[1, type]]), encodeElement(2, parameter)])
}

export const success = resultMessage('SUCCESS')

/** Protobuf of a transaction's result. */
export function resultMessage(contractRet: ContractRet): Buffer {
  return encodeProtobuf([[3, contractRets.indexOf(contractRet)]])
}

/** Protobuf of a Transaction. @param results each as protobuf; one that succeeded by default. */
export function transaction(raw: Buffer, signatures = [Buffer.alloc(65, 7)], results = [success]): Buffer {
  return Buffer.concat([
    encodeElement(1, raw),
    ...signatures.map(signature => encodeElement(2, signature)),
    ...results.map(result => encodeElement(5, result)),
  ])
}

/** Transactions of every shape: two signatures, a long one, unknown fields and a group in a result, no result, no token. */
export function variedTransactions(): Buffer[] {
  const transfer = (amount: bigint) => rawData(triggerMessage(transferData(bob, amount)))
  return [
    transaction(transfer(1n)),
    transaction(transfer(2n), [Buffer.alloc(65, 1), Buffer.alloc(65, 2)]),
    transaction(
      transfer(3n),
      [Buffer.alloc(68, 3)],
      [Buffer.concat([success, encodeProtobuf([[1002, 'twelve bytes']])])],
    ),
    transaction(transfer(4n), undefined, [Buffer.concat([success, Buffer.from('a306080fa406', 'hex')])]),
    transaction(rawData(triggerMessage(transferFromData(alice, bob, 5n))), undefined, [
      encodeProtobuf([[3, 2]]),
    ]),
    transaction(trxRawData(alice, bob, 8), undefined, []),
    transaction(rawData(triggerMessage('aa0dae60', 'f132c7459e891c0b63a847d3088c9e762d42c5f5'))),
  ]
}

export interface BlockParts {
  height: number
  parentHash: string
  /** In the header; by default that of the key. */
  producer?: string
  transactions: readonly Buffer[]
  key: Buffer
  /** In place of the true root. */
  root?: string
  timeMs?: number
}

/** Makes and signs a `BlockExtention`. */
export function blockMessage(parts: BlockParts & { producer: string }): Buffer {
  const raw = headerRaw(parts)
  const header = Buffer.concat([encodeElement(1, raw), encodeElement(2, sign(raw, parts.key))])
  const id = idOfHeaderBytes(parts.height, raw)
  return Buffer.concat([
    ...parts.transactions.map(bytes => encodeElement(1, extention(bytes))),
    encodeElement(2, header),
    encodeElement(3, Buffer.from(id, 'hex')),
  ])
}

/** Protobuf of a header's `raw_data`. */
export function headerRaw(parts: Omit<BlockParts, 'key'> & { producer: string }): Buffer {
  const { height, parentHash, producer, transactions } = parts
  const leaves = transactions.map(bytes => hash('sha256', bytes, 'hex'))
  return encodeProtobuf([
    [1, parts.timeMs ?? 1_768_000_000_000 + height * 3_000],
    [2, Buffer.from(parts.root ?? merkleRoot(leaves), 'hex')],
    [3, Buffer.from(parentHash, 'hex')],
    [7, height],
    [9, Buffer.from(producer, 'hex')],
    [10, 36],
  ])
}

/** The header of a `BlockExtention`. */
export function headerOfBlock(message: Buffer): SentHeader {
  const { transactions: _, ...header } = sentBlockOfMessage(message, token)!
  return header
}

/** The same block with other transactions under its header and its id, which then do not fit. */
export function withTransactions(message: Buffer, transactions: readonly Buffer[]): Buffer {
  const kept: Buffer[] = transactions.map(bytes => encodeElement(1, extention(bytes)))
  const fields = new MessageFields(message)
  while (fields.next()) if (fields.number !== 1) kept.push(encodeElement(fields.number, fields.bytes()))
  return Buffer.concat(kept)
}

/** The transactions of a `BlockExtention`, each as protobuf. */
export function transactionsOf(message: Buffer): Buffer[] {
  const transactions: Buffer[] = []
  const fields = new MessageFields(message)
  while (fields.next()) {
    if (fields.number !== 1) continue
    const inner = fields.nested()
    while (inner.next()) if (inner.number === 1) transactions.push(Buffer.from(inner.bytes()))
  }
  return transactions
}

/** The id of a transaction. */
export function txidOf(transaction: Buffer): string {
  const fields = new MessageFields(transaction)
  fields.next()
  return hash('sha256', fields.bytes(), 'hex')
}

/** Some id of the block at a height. */
export function someId(height: number, of = 'x'): string {
  return heightHex(height) + hash('sha256', `${of} ${height}`, 'hex').slice(16)
}

/** Signs a header as java-tron does: r, s and v, which is 0 or 1. */
export function sign(raw: Buffer, key: Buffer): Buffer {
  const recovered = secp256k1.sign(raw, key, { format: 'recovered' })
  return Buffer.concat([recovered.subarray(1), recovered.subarray(0, 1)])
}

/** The same block as HTTP sends it, as far as JSON can say it. */
export function jsonOfMessage(message: Buffer): Record<string, unknown> {
  const block = sentBlockOfMessage(message, token)!
  const transactions = transactionsOf(message).map(bytes => transactionJson(new MessageFields(bytes)))
  return {
    blockID: block.id,
    block_header: {
      raw_data: {
        number: block.height,
        txTrieRoot: block.root,
        witness_address: block.producer,
        parentHash: block.parentHash,
        version: 36,
        timestamp: block.timeMs,
      },
      witness_signature: block.signature.toString('hex'),
    },
    ...(transactions.length > 0 && { transactions }),
  }
}

/** Reads a header. @param bytes a `BlockHeader`; or its `raw_data`, with the signature beside it. Its id is computed. */
export function headerOfMessage(bytes: Buffer, signature?: Buffer): SentHeader {
  const header = signature ? Buffer.concat([encodeElement(1, bytes), encodeElement(2, signature)]) : bytes
  const raw = new MessageFields(header)
  raw.next()
  const inner = raw.nested()
  let height = 0
  while (inner.next()) if (inner.number === 7) height = inner.integer()
  const id = idOfHeaderBytes(height, raw.bytes())
  return sentBlockOfMessage(
    Buffer.concat([encodeElement(2, header), encodeElement(3, Buffer.from(id, 'hex'))]),
    token,
  )!
}

function transactionJson(fields: MessageFields): unknown {
  const signature: string[] = []
  const ret: unknown[] = []
  let raw = Buffer.alloc(0)
  while (fields.next()) {
    const bytes = fields.bytes()
    if (fields.number === 1) raw = Buffer.from(bytes)
    else if (fields.number === 2) signature.push(bytes.toString('hex'))
    else ret.push({ contractRet: contractRets[bytes[1]!] })
  }
  return {
    txID: hash('sha256', raw, 'hex'),
    raw_data_hex: raw.toString('hex'),
    signature,
    ...(ret.length > 0 && { ret }),
  }
}

/** What java-tron puts around a transaction: its id, constant_result, and `result`, {1 true}. */
export function extention(bytes: Buffer): Buffer {
  return Buffer.concat([
    encodeElement(1, bytes),
    encodeElement(2, Buffer.from(txidOf(bytes), 'hex')),
    encodeElement(4, Buffer.from('0801', 'hex')),
  ])
}

function address(bytes20: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x41]), bytes20])
}
