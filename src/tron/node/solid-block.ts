import type { ContractAlarm, SolidBlock, UndecodableLog, UsdtTransfer } from '../block.ts'
import { contractAlarmEvent } from '../contract-alarm.ts'
import { decodeTransferLog, type NodeLog } from '../transfer-log.ts'
import { wrongField } from './answer-fields.ts'
import type { NodeBlock, NodeTransactionInfo } from './node-answers.ts'
import { NodeError } from './node-error.ts'

/** The USDT contract's logs of a block, decoded. */
export interface UsdtLogs {
  transfers: UsdtTransfer[]
  undecodable: UndecodableLog[]
  alarms: ContractAlarm[]
  undone: string[]
}

/**
 * Joins a block with its transactions' infos, after checking that both are complete and belong together: the height asked
 * for, the same transactions in the same order, every info of that block. A node may answer `[]` for infos it does not have,
 * and nodes behind one address may be at different heights.
 * @param usdtContract the token's contract, 20 bytes as 40 hex digits.
 * @throws NodeError saying what does not fit.
 */
export function joinSolidBlock(
  height: number,
  block: NodeBlock,
  infos: readonly NodeTransactionInfo[],
  usdtContract: string,
): Omit<SolidBlock, 'node'> {
  if (block.height !== height) throw misfit(`block ${block.height} came in answer to ${height}`)
  if (infos.length !== block.txids.length) {
    throw misfit(`block ${height} has ${block.txids.length} transactions and ${infos.length} infos`)
  }
  const seen = new Set<string>()
  const logs: UsdtLogs = { transfers: [], undecodable: [], alarms: [], undone: [] }
  for (const [txIndex, txid] of block.txids.entries()) {
    if (seen.has(txid)) throw misfit(`transaction ${txid} is in block ${height} twice`)
    seen.add(txid)
    const info = infos[txIndex]!
    checkInfo(block, txid, info)
    readUsdtLogs(info, txIndex, usdtContract, logs)
  }
  const { hash, parentHash, time } = block
  return { height, hash, parentHash, time, transactionCount: block.txids.length, ...logs, unverified: null }
}

function checkInfo(block: NodeBlock, txid: string, info: NodeTransactionInfo): void {
  if (info.txid !== txid)
    throw misfit(`the info of ${info.txid} stands where block ${block.height} has ${txid}`)
  if (info.height !== block.height)
    throw misfit(`the info of ${txid} is of block ${info.height}, not ${block.height}`)
  if (info.timeMs !== block.time.getTime()) {
    throw misfit(`the info of ${txid} bears the time ${info.timeMs}, its block ${block.time.getTime()}`)
  }
}

/**
 * Adds the USDT contract's logs of one transaction to `found`. A transaction that failed may have kept its logs (OUT_OF_TIME
 * does), although its effects are undone: it is listed in `undone` and its logs do not count.
 * @throws NodeError for a log whose topics or data are not hex. No contract can emit such a log, so the node's answer is
 * damaged, and another node may have it whole.
 */
export function readUsdtLogs(
  info: NodeTransactionInfo,
  txIndex: number,
  usdtContract: string,
  found: UsdtLogs,
): void {
  const { txid } = info
  if (!info.succeeded) {
    if (info.logs.some(log => log.address === usdtContract)) found.undone.push(txid)
    return
  }
  for (const [logIndex, log] of info.logs.entries()) {
    // Most logs of a block are of other contracts.
    if (log.address !== usdtContract) continue
    const decoded = decodeTransferLog(log, usdtContract)
    // Decoding a transfer has checked every digit.
    if (decoded?.kind !== 'transfer') checkHex(log)
    if (decoded === null) {
      const event = contractAlarmEvent(log)
      if (event) found.alarms.push({ txid, logIndex, event })
    } else if (decoded.kind === 'undecodable') {
      found.undecodable.push({ txid, txIndex, logIndex, reason: decoded.reason, log: bare(log) })
    } else if (decoded.amount > 0n) {
      const { fromBytes, toBytes, amount } = decoded
      found.transfers.push({ txid, txIndex, logIndex, fromBytes, toBytes, amount, signed: true })
    }
  }
}

const word = /^[0-9a-f]{64}$/
const bytes = /^(?:[0-9a-f]{2})*$/

function checkHex({ topics = [], data = '' }: NodeLog): void {
  for (const topic of topics)
    if (!word.test(topic)) throw wrongField('a topic', '64 lower-case hex digits', topic)
  if (!bytes.test(data)) throw wrongField('log.data', 'lower-case hex', data)
}

/** Leaves out members that were not checked, since the log is kept. */
function bare({ address, topics, data }: NodeLog): NodeLog {
  return { address, ...(topics && { topics }), ...(data !== undefined && { data }) }
}

function misfit(message: string): NodeError {
  return new NodeError('failed', message)
}
