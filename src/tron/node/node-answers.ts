import { heightHex } from '../block-id.ts'
import type { NodeLog } from '../transfer-log.ts'
import { createFieldReader } from './json-fields.ts'
import { NodeError } from './node-error.ts'

/** A block as a node shows it, as much of it as we use. */
export interface NodeBlock {
  height: number
  /** Block id, 64 hex digits. */
  hash: string
  parentHash: string
  time: Date
  /** In the order they have in the block. */
  txids: string[]
}

/** What became of one transaction, as much of it as we use. */
export interface NodeTransactionInfo {
  txid: string
  height: number
  timeMs: number
  /** SUCCESS and nothing else: its logs are of things that happened. */
  succeeded: boolean
  logs: readonly NodeLog[]
}

/**
 * Reads of a block's JSON what `readBlock` looks at, and a refusal: most of it are the transactions' bytes, which say
 * nothing their infos do not. Of the infos we use most, and JSON.parse is faster.
 */
export const readBlockFields = createFieldReader({
  Error: 'whole',
  blockID: 'whole',
  block_header: { raw_data: { number: 'whole', parentHash: 'whole', timestamp: 'whole' } },
  transactions: [{ txID: 'whole' }],
})

const id = /^[0-9a-f]{64}$/
const address = /^[0-9a-f]{40}$/
/** Heights are `integer` in the database: at a block every 3 seconds that is enough for two centuries. */
const heightMax = 2 ** 31 - 1
const timeMaxMs = 8.64e15

/**
 * Reads getblockbynum's or getnowblock's answer, whatever it is.
 * @returns null for `{}`: the node has no such block.
 * @throws NodeError saying what is wrong with it.
 */
export function readBlock(answer: unknown): NodeBlock | null {
  const block = object(answer, 'the block')
  if (Object.keys(block).length === 0) return null
  const header = object(object(block.block_header, 'block_header').raw_data, 'block_header.raw_data')
  const height = whole(header.number ?? 0, 'block_header.raw_data.number', heightMax)
  const hash = hex(block.blockID, id, 'blockID')
  if (!hash.startsWith(heightHex(height))) throw wrong('blockID', `the id of a block at ${height}`, hash)
  return {
    height,
    hash,
    parentHash: hex(header.parentHash, id, 'block_header.raw_data.parentHash'),
    time: new Date(whole(header.timestamp ?? 0, 'block_header.raw_data.timestamp', timeMaxMs)),
    txids: list(block.transactions ?? [], 'transactions').map(transaction =>
      hex(object(transaction, 'a transaction').txID, id, 'txID'),
    ),
  }
}

/**
 * Reads gettransactioninfobyblocknum's answer, whatever it is.
 * @returns the infos in the node's order; none may mean an empty block, or that the node has nothing (yet).
 * @throws NodeError saying what is wrong with it.
 */
export function readTransactionInfos(answer: unknown): NodeTransactionInfo[] {
  // `{}` is what nodes say at height 0, and some for a block they do not have.
  if (!Array.isArray(answer) && Object.keys(object(answer, 'the infos')).length === 0) return []
  return list(answer, 'the infos').map(readInfo)
}

function readInfo(answer: unknown): NodeTransactionInfo {
  const info = object(answer, 'an info')
  const receipt = object(info.receipt ?? {}, 'receipt')
  const logs = list(info.log ?? [], 'log')
  for (const log of logs) checkLog(log)
  return {
    txid: hex(info.id, id, 'id'),
    height: whole(info.blockNumber ?? 0, 'blockNumber', heightMax),
    timeMs: whole(info.blockTimeStamp ?? 0, 'blockTimeStamp', timeMaxMs),
    succeeded: receipt.result === 'SUCCESS' && info.result !== 'FAILED',
    logs: logs as NodeLog[],
  }
}

/**
 * Refuses a log of another form than java-tron's. An address in another spelling (base58, 41 in front, 0x, capitals)
 * would not be recognised as the token's, and its transfers would pass unseen: that fails the whole answer instead.
 */
function checkLog(value: unknown): void {
  const log = object(value, 'a log')
  hex(log.address, address, 'log.address')
  if (log.data !== undefined && typeof log.data !== 'string') throw wrong('log.data', 'hex', log.data)
  for (const topic of list(log.topics ?? [], 'log.topics')) {
    if (typeof topic !== 'string') throw wrong('a topic', 'hex', topic)
  }
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(name, 'an object', value)
  return value as Record<string, unknown>
}

function list(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(name, 'a list', value)
  return value
}

function hex(value: unknown, pattern: RegExp, name: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) {
    throw wrong(name, `${pattern === id ? 64 : 40} hex digits, small`, value)
  }
  return value
}

/** JSON numbers beyond 2^53 arrive rounded; none of those we read may be that large. */
function whole(value: unknown, name: string, max: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max) {
    throw wrong(name, `a whole number up to ${max}`, value)
  }
  return value as number
}

function wrong(name: string, expected: string, value: unknown): NodeError {
  const got = JSON.stringify(value)?.slice(0, 100) ?? 'nothing'
  return new NodeError('failed', `${name} should be ${expected}, got ${got}`)
}
