import { heightHex } from '../block-id.ts'
import { MessageError } from '../message-fields.ts'
import type { NodeLog } from '../transfer-log.ts'
import { sentBlockOfJson, sentHeaderOfJson } from '../verify/block-json.ts'
import type { SentBlock, SentHeader } from '../verify/sent-block.ts'
import { asList, asObject, wrongField } from './answer-fields.ts'
import { createFieldReader } from './json-fields.ts'

/** The part of a node's block that we use. */
export interface NodeBlock {
  height: number
  /** Block id, 64 hex digits. */
  hash: string
  parentHash: string
  time: Date
  /** In the order of the block. */
  txids: string[]
  /** What its id and its producer's signature are computed over; null where the node does not say all of it. */
  header: SentHeader | null
  /** The same with the bytes of its transactions; null also for a block that was read without them. */
  sent: SentBlock | null
}

/** The part of a transaction's info that we use: what became of it. */
export interface NodeTransactionInfo {
  txid: string
  height: number
  timeMs: number
  /** True for SUCCESS alone. Only then did what its logs say happen. */
  succeeded: boolean
  /** The node says that it failed. Of what calls no contract, it mostly says neither. */
  failed: boolean
  logs: readonly NodeLog[]
}

const blockFields = {
  blockID: 'whole',
  block_header: 'whole',
  transactions: [{ txID: 'whole', raw_data_hex: 'whole', signature: ['whole'], ret: 'whole' }],
} as const

/**
 * Reads from a block's JSON the fields of `readBlock`, and a refusal. The rest repeats what the transactions' bytes say. Infos are
 * read by JSON.parse: we use most of them, and it is faster there.
 */
export const readBlockFields = createFieldReader({ Error: 'whole', ...blockFields })

/** The same of each block of a list. */
export const readBlockListFields = createFieldReader({ Error: 'whole', block: [blockFields] })

const id = /^[0-9a-f]{64}$/
const address = /^[0-9a-f]{40}$/
/** Heights are `integer` in the database. At a block every 3 seconds they last two centuries. */
export const heightMax = 2 ** 31 - 1
/** The end of the year 9999. Beyond it dates are written in another form, which the database does not read. */
export const timeMaxMs = Date.UTC(10_000, 0) - 1

/**
 * Reads the answer of getblockbynum, getblock or getnowblock.
 * @param usdtContract the token's contract, 20 bytes as 40 hex digits; null: the block was asked for without its transactions.
 * @returns null for `{}`: the node has no such block.
 * @throws NodeError naming the field that is wrong.
 */
export function readBlock(answer: unknown, usdtContract: string | null): NodeBlock | null {
  const block = asObject(answer, 'the block')
  if (Object.keys(block).length === 0) return null
  const sent = usdtContract === null ? null : sentOrNull(() => sentBlockOfJson(answer, usdtContract))
  const header = asObject(asObject(block.block_header, 'block_header').raw_data, 'block_header.raw_data')
  const height = whole(header.number ?? 0, 'block_header.raw_data.number', heightMax)
  return {
    height,
    hash: idAt(height, hex(block.blockID, id, 'blockID')),
    parentHash: hex(header.parentHash, id, 'block_header.raw_data.parentHash'),
    time: new Date(whole(header.timestamp ?? 0, 'block_header.raw_data.timestamp', timeMaxMs)),
    txids:
      sent?.transactions.map(({ txid }) => txid) ??
      asList(block.transactions ?? [], 'transactions').map(transaction =>
        hex(asObject(transaction, 'a transaction').txID, id, 'txID'),
      ),
    header: sent ?? sentOrNull(() => sentHeaderOfJson(answer)),
    sent,
  }
}

/** A node may not say all that a block is verified by. Then it is read by what the node says, and is not verified. */
function sentOrNull<T>(read: () => T | null): T | null {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
    return null
  }
}

/** Checks that an id names a height. @throws NodeError */
export function idAt(height: number, hash: string): string {
  if (hash.startsWith(heightHex(height))) return hash
  throw wrongField('blockID', `the id of a block at ${height}`, hash)
}

/**
 * Reads the answer of gettransactioninfobyblocknum.
 * @returns the infos in the node's order. An empty list means an empty block, or that the node does not have the infos yet.
 * @throws NodeError naming the field that is wrong.
 */
export function readTransactionInfos(answer: unknown): NodeTransactionInfo[] {
  // Nodes answer `{}` at height 0, and some do so for a block they do not have.
  if (!Array.isArray(answer) && Object.keys(asObject(answer, 'the infos')).length === 0) return []
  return asList(answer, 'the infos').map(readInfo)
}

/** Reads the answer of gettransactioninfobyid. @returns null for `{}`: it is in no block that the node has. @throws NodeError */
export function readTransactionInfo(answer: unknown): NodeTransactionInfo | null {
  return Object.keys(asObject(answer, 'the info')).length === 0 ? null : readInfo(answer)
}

function readInfo(answer: unknown): NodeTransactionInfo {
  const info = asObject(answer, 'an info')
  const receipt = asObject(info.receipt ?? {}, 'receipt')
  const logs = asList(info.log ?? [], 'log')
  for (const log of logs) checkLog(log)
  return {
    txid: hex(info.id, id, 'id'),
    height: whole(info.blockNumber ?? 0, 'blockNumber', heightMax),
    timeMs: whole(info.blockTimeStamp ?? 0, 'blockTimeStamp', timeMaxMs),
    succeeded: receipt.result === 'SUCCESS' && info.result !== 'FAILED',
    failed: info.result === 'FAILED' || (receipt.result !== undefined && receipt.result !== 'SUCCESS'),
    logs: logs as NodeLog[],
  }
}

/**
 * Refuses a log that is not written as java-tron writes it. An address in another spelling (base58, 41 in front, 0x,
 * capitals) would not be recognized as the token's and its transfers would be missed, so it fails the whole answer. Topics
 * and data are only text here: `readUsdtLogs` checks those of the token, which are the only ones that are kept.
 */
function checkLog(value: unknown): void {
  const log = asObject(value, 'a log')
  hex(log.address, address, 'log.address')
  if (log.data !== undefined && typeof log.data !== 'string') throw wrongField('log.data', 'hex', log.data)
  for (const topic of asList(log.topics ?? [], 'log.topics')) {
    if (typeof topic !== 'string') throw wrongField('a topic', 'hex', topic)
  }
}

function hex(value: unknown, pattern: RegExp, name: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) {
    throw wrongField(name, `${pattern === id ? 64 : 40} lower-case hex digits`, value)
  }
  return value
}

/** Checks a number. JSON's beyond 2^53 arrive rounded, so none that we read may be that large. @throws NodeError */
export function whole(value: unknown, name: string, max: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max) {
    throw wrongField(name, `a whole number up to ${max}`, value)
  }
  return value as number
}
