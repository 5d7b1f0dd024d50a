import type { SolidBlock, UndecodableLog, UsdtTransfer } from './block.ts'
import type { NodeBlock, NodeTransactionInfo } from './node-answers.ts'
import { NodeError } from './node-error.ts'
import { decodeTransferLog } from './transfer-log.ts'

/**
 * Puts a block and its transactions' infos together, when they are whole and belong together: the height asked for, the
 * same transactions in the same order in both, every info of that block. Infos may be missing without an error from the
 * node (`[]` says nothing by itself), and nodes behind one address may be out of step.
 * @param usdtContract the token's contract, 20 bytes as 40 hex digits.
 * @throws NodeError naming what does not fit.
 */
export function joinSolidBlock(
  height: number,
  block: NodeBlock,
  infos: readonly NodeTransactionInfo[],
  usdtContract: string,
): SolidBlock {
  if (block.height !== height) throw misfit(`block ${block.height} came in answer to ${height}`)
  if (infos.length !== block.txids.length) {
    throw misfit(`block ${height} has ${block.txids.length} transactions and ${infos.length} infos`)
  }
  const seen = new Set<string>()
  const transfers: UsdtTransfer[] = []
  const undecodable: UndecodableLog[] = []
  for (const [txIndex, txid] of block.txids.entries()) {
    if (seen.has(txid)) throw misfit(`transaction ${txid} is in block ${height} twice`)
    seen.add(txid)
    const info = infos[txIndex]!
    checkInfo(block, txid, info)
    // A failed transaction can keep logs (OUT_OF_TIME does), of things that were undone.
    if (info.succeeded) readLogs(info, txIndex, usdtContract, transfers, undecodable)
  }
  const { hash, parentHash, time } = block
  return { height, hash, parentHash, time, transactionCount: block.txids.length, transfers, undecodable }
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

function readLogs(
  info: NodeTransactionInfo,
  txIndex: number,
  usdtContract: string,
  transfers: UsdtTransfer[],
  undecodable: UndecodableLog[],
): void {
  for (const [logIndex, log] of info.logs.entries()) {
    const decoded = decodeTransferLog(log, usdtContract)
    if (decoded === null) continue
    const place = { txid: info.txid, txIndex, logIndex }
    if (decoded.kind === 'undecodable') undecodable.push({ ...place, reason: decoded.reason, log })
    else if (decoded.amount > 0n) {
      const { fromBytes, toBytes, amount } = decoded
      transfers.push({ ...place, fromBytes, toBytes, amount })
    }
  }
}

function misfit(message: string): NodeError {
  return new NodeError('failed', message)
}
