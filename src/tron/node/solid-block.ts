import type { ContractAlarm, SolidBlock, UndecodableLog, Unverified, UsdtTransfer } from '../block.ts'
import { contractAlarmEvent } from '../contract-alarm.ts'
import { decodeTransferLog, type NodeLog } from '../transfer-log.ts'
import { type ComparedCalls, compareCalls } from '../verify/compare-calls.ts'
import { emptyRoot } from '../verify/merkle-root.ts'
import {
  createContractType,
  type SentHeader,
  type SentTransaction,
  triggerContractType,
} from '../verify/sent-block.ts'
import { checkContent, hasItsId } from '../verify/verify-block.ts'
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

/** A block as a node showed it, with the header that it is verified by; null where the node does not say all of it. */
export interface ReadBlock extends SolidBlock {
  header: SentHeader | null
}

/**
 * Joins a block with its transactions' infos, after checking that both are complete and belong together: the height asked
 * for, the same transactions in the same order, every info of that block. A node may answer `[]` for infos it does not have,
 * and nodes behind one address may be at different heights. Then the transactions are checked against the header, and the logs
 * against what the senders signed. Whose header it is, is not checked here.
 * @param usdtContract the token's contract, 20 bytes as 40 hex digits.
 * @throws NodeError saying what does not fit; for infos that are not the block's, with what could be read as `unfit`.
 */
export function joinSolidBlock(
  height: number,
  block: NodeBlock,
  infos: readonly NodeTransactionInfo[],
  usdtContract: string,
): Omit<ReadBlock, 'node'> {
  if (block.height !== height)
    throw new NodeError('failed', `block ${block.height} came in answer to ${height}`)
  const twice = firstTwice(block.txids)
  if (twice !== null) throw new NodeError('failed', `transaction ${twice} is in block ${height} twice`)
  const misfit = misfitOf(block, infos)
  const fitting = misfit === null ? infos : fittingInfos(block, infos)
  const logs: UsdtLogs = { transfers: [], undecodable: [], alarms: [], undone: [] }
  for (const [txIndex, info] of fitting.entries()) if (info) readUsdtLogs(info, txIndex, usdtContract, logs)
  const { hash, parentHash, time } = block
  const header = block.header && headerAlone(block.header)
  const joined = { height, hash, parentHash, time, transactionCount: block.txids.length, ...logs, header }
  if (misfit !== null) {
    throw new NodeError('failed', misfit, { unfit: { ...joined, unverified: 'infos' } })
  }
  return { ...joined, ...checked(block, logs) }
}

/**
 * Makes a block of its header and infos, for one that a node cannot print. Which transactions it has is not known then, so
 * nothing in it is signed, unless its root says that it has none.
 * @throws NodeError for infos of another block, and where there are none though the block has transactions.
 */
export function joinByInfos(
  height: number,
  { hash, parentHash, time, header }: NodeBlock,
  infos: readonly NodeTransactionInfo[],
  usdtContract: string,
): Omit<ReadBlock, 'node'> {
  const txids = infos.map(({ txid }) => txid)
  const misfit = misfitOf({ height, time, txids }, infos)
  if (misfit !== null) throw new NodeError('failed', misfit)
  const twice = firstTwice(txids)
  if (twice !== null) throw new NodeError('failed', `transaction ${twice} has two infos in block ${height}`)
  const isEmpty = header?.root === emptyRoot
  if (isEmpty !== (infos.length === 0)) {
    throw new NodeError(
      'failed',
      `it has ${infos.length} infos of block ${height}, whose root says otherwise`,
    )
  }
  const logs: UsdtLogs = { transfers: [], undecodable: [], alarms: [], undone: [] }
  for (const [txIndex, info] of infos.entries()) readUsdtLogs(info, txIndex, usdtContract, logs)
  const why = header && !hasItsId(header) ? 'id' : isEmpty ? null : 'header-only'
  const known = { height, hash, parentHash, time, transactionCount: infos.length, ...logs }
  return { ...known, header: header && headerAlone(header), unverified: why }
}

/** Leaves out the transactions that may be with it, and the whole answer that its bytes may be a part of: headers are kept for long. */
export function headerAlone({
  id,
  height,
  timeMs,
  root,
  parentHash,
  producer,
  bytes,
  signature,
}: SentHeader): SentHeader {
  return {
    ...{ id, height, timeMs, root, parentHash, producer },
    bytes: Buffer.from(bytes),
    signature: Buffer.from(signature),
  }
}

/** Says of a block's transfers whether they are signed, which of its transactions failed, and whether all of it fits together. */
function checked(
  { sent }: NodeBlock,
  { transfers, undone }: UsdtLogs,
): Pick<ReadBlock, 'transfers' | 'undone' | 'unverified'> {
  if (!sent) return { transfers, undone, unverified: 'leaf' }
  const calls = compareCalls(transfers, sent)
  for (const transfer of calls.signed) transfer.signed = true
  return {
    transfers,
    undone: sent.transactions.filter(isUndone).map(({ txid }) => txid),
    unverified: checkContent(sent) ?? checkLogs(calls),
  }
}

function isUndone({ contractType, contractRet }: SentTransaction): boolean {
  const ran = contractType === triggerContractType || contractType === createContractType
  return ran && contractRet !== 'SUCCESS' && contractRet !== null
}

function checkLogs({ contradicted, differing, unlogged }: ComparedCalls): Unverified | null {
  if (contradicted.length + differing.length > 0) return 'contradicted'
  return unlogged.length > 0 ? 'unlogged' : null
}

function firstTwice(txids: readonly string[]): string | null {
  const seen = new Set<string>()
  for (const txid of txids) {
    if (seen.has(txid)) return txid
    seen.add(txid)
  }
  return null
}

/** Says what does not fit between a block and infos. @returns null when each transaction has its own at its place. */
function misfitOf(
  block: Pick<NodeBlock, 'height' | 'time' | 'txids'>,
  infos: readonly NodeTransactionInfo[],
): string | null {
  const { height, txids } = block
  if (infos.length !== txids.length) {
    return `block ${height} has ${txids.length} transactions and ${infos.length} infos`
  }
  for (const [txIndex, txid] of txids.entries()) {
    const info = infos[txIndex]!
    if (info.txid !== txid) return `the info of ${info.txid} stands where block ${height} has ${txid}`
    if (info.height !== height) return `the info of ${txid} is of block ${info.height}, not ${height}`
    if (info.timeMs !== block.time.getTime()) {
      return `the info of ${txid} bears the time ${info.timeMs}, its block ${block.time.getTime()}`
    }
  }
  return null
}

/** Finds for each of a block's transactions an info that can be its own; null where there is none. */
function fittingInfos(
  block: NodeBlock,
  infos: readonly NodeTransactionInfo[],
): (NodeTransactionInfo | null)[] {
  const own = infos.filter(info => info.height === block.height && info.timeMs === block.time.getTime())
  const byId = new Map(own.map(info => [info.txid, info]))
  return block.txids.map(txid => byId.get(txid) ?? null)
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
      const { fromHex, toHex, amount } = decoded
      found.transfers.push({ txid, txIndex, logIndex, fromHex, toHex, amount, signed: false })
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
