import { MessageFields } from '../message-fields.ts'
import type { NodeLog } from '../transfer-log.ts'
import { sentBlockOfMessage } from '../verify/block-message.ts'
import type { SentBlock } from '../verify/sent-block.ts'
import {
  heightMax,
  idAt,
  type NodeBlock,
  type NodeTransactionInfo,
  timeMaxMs,
  whole,
} from './node-answers.ts'
import { NodeError } from './node-error.ts'

// The messages of java-tron's gRPC that we read, by the numbers of their fields. What is not named is passed over.
// A field that java-tron writes once and that comes twice is an error: readers differ in which of the two they take.

const idBytes = 32
const addressBytes = 20
/** Transaction.Result.contractResult */
const resultSuccess = 1
/** TransactionInfo.code */
const codeFailed = 1

/**
 * Reads a BlockExtention, the answer of GetNowBlock2, GetBlockByNum2 and GetBlock.
 * @param usdtContract the token's contract, 20 bytes as 40 hex digits.
 * @returns null for an empty message: the node has no such block.
 * @throws NodeError naming the field that is wrong; MessageError when the bytes are no such message.
 */
export function readBlockMessage(message: Buffer, usdtContract: string): NodeBlock | null {
  const sent = sentBlockOfMessage(message, usdtContract)
  return sent && blockOf(sent)
}

/**
 * Reads a BlockListExtention, the answer of GetBlockByLimitNext2. @param max the number that was asked for.
 * @returns the blocks in the node's order; fewer than were asked for when it lacks the others.
 * @throws as `readBlockMessage`.
 */
export function readBlocksMessage(message: Buffer, usdtContract: string, max: number): NodeBlock[] {
  const blocks: NodeBlock[] = []
  const fields = new MessageFields(message)
  while (fields.next()) {
    if (fields.number !== 1) continue
    if (blocks.length === max) throw new NodeError('failed', `more than ${max} blocks came`)
    const block = readBlockMessage(fields.bytes(), usdtContract)
    // Passed over, it would be a gap that nothing shows.
    if (!block) throw new NodeError('failed', 'block_header is missing')
    blocks.push(block)
  }
  return blocks
}

function blockOf(sent: SentBlock): NodeBlock {
  if (sent.parentHash === '') throw new NodeError('failed', 'parentHash is missing')
  const height = whole(sent.height, 'number', heightMax)
  return {
    height,
    hash: idAt(height, sent.id),
    parentHash: sent.parentHash,
    time: new Date(whole(sent.timeMs, 'timestamp', timeMaxMs)),
    txids: sent.transactions.map(({ txid }) => txid),
    header: sent,
    sent,
  }
}

/**
 * Reads a TransactionInfoList, the answer of GetTransactionInfoByBlockNum.
 * @returns the infos in the node's order. An empty list means an empty block, or that the node does not have the infos yet.
 * @throws as `readBlockMessage`.
 */
export function readInfosMessage(message: Buffer): NodeTransactionInfo[] {
  const infos: NodeTransactionInfo[] = []
  const fields = new MessageFields(message)
  while (fields.next()) if (fields.number === 1) infos.push(readInfo(fields.nested()))
  return infos
}

/**
 * Reads a TransactionInfo, the answer of GetTransactionInfoById.
 * @returns null for an empty message: it is in no block that the node has.
 * @throws as `readBlockMessage`.
 */
export function readInfoMessage(message: Buffer): NodeTransactionInfo | null {
  return message.length === 0 ? null : readInfo(new MessageFields(message))
}

/** TransactionInfo: 1 id, 3 blockNumber, 4 blockTimeStamp, 7 ResourceReceipt, 8 repeated Log, 9 result. */
function readInfo(fields: MessageFields): NodeTransactionInfo {
  let txid: string | undefined
  let height: number | undefined
  let timeMs: number | undefined
  let result: number | undefined
  let code: number | undefined
  const logs: NodeLog[] = []
  while (fields.next()) {
    switch (fields.number) {
      case 1:
        txid = once(txid, 'id', hexOf(fields.bytes(), 'id', idBytes))
        break
      case 3:
        height = once(height, 'blockNumber', whole(fields.integer(), 'blockNumber', heightMax))
        break
      case 4:
        timeMs = once(timeMs, 'blockTimeStamp', whole(fields.integer(), 'blockTimeStamp', timeMaxMs))
        break
      case 7:
        result = once(result, 'receipt', readResult(fields.nested()))
        break
      case 8:
        logs.push(readLog(fields.nested()))
        break
      case 9:
        code = once(code, 'result', whole(fields.integer(), 'result', codeFailed))
    }
  }
  return {
    ...{ txid: present(txid, 'id'), height: height ?? 0, timeMs: timeMs ?? 0, logs },
    succeeded: result === resultSuccess && code !== codeFailed,
    failed: code === codeFailed || (result !== undefined && result !== 0 && result !== resultSuccess),
  }
}

/** ResourceReceipt: 7 result. */
function readResult(fields: MessageFields): number {
  let result: number | undefined
  while (fields.next()) if (fields.number === 7) result = once(result, 'receipt.result', fields.integer())
  return result ?? 0
}

/** TransactionInfo.Log: 1 address, 2 repeated topics, 3 data. */
function readLog(fields: MessageFields): NodeLog {
  let address: string | undefined
  let data: string | undefined
  const topics: string[] = []
  while (fields.next()) {
    if (fields.number === 1)
      address = once(address, 'log.address', hexOf(fields.bytes(), 'log.address', addressBytes))
    else if (fields.number === 2) topics.push(fields.bytes().toString('hex'))
    else if (fields.number === 3) data = once(data, 'log.data', fields.bytes().toString('hex'))
  }
  // As JSON has it: what is empty is left out.
  const log: NodeLog = { address: present(address, 'log.address') }
  if (topics.length > 0) log.topics = topics
  if (data) log.data = data
  return log
}

function hexOf(bytes: Buffer, name: string, length: number): string {
  if (bytes.length === length) return bytes.toString('hex')
  throw new NodeError('failed', `${name} should be ${length} bytes, got ${bytes.length}`)
}

function once<T>(before: T | undefined, name: string, value: T): T {
  if (before === undefined) return value
  throw new NodeError('failed', `${name} came twice`)
}

function present<T>(value: T | undefined, name: string): T {
  if (value !== undefined) return value
  throw new NodeError('failed', `${name} is missing`)
}
