import type { HeadBlock } from '../block.ts'
import type { NodeBlock, NodeTransactionInfo } from './node-answers.ts'
import { readUsdtLogs, type UsdtLogs } from './solid-block.ts'

/**
 * A block at the head with those of its transfers whose infos are there: they may come a moment after the block, and
 * belong to a block that was replaced meanwhile. What does not belong is left out; nothing is credited from here.
 * @param usdtContract 20 bytes as 40 hex digits.
 */
export function joinHeadBlock(
  block: NodeBlock,
  infos: readonly NodeTransactionInfo[],
  usdtContract: string,
): HeadBlock {
  const places = new Map(block.txids.map((txid, txIndex) => [txid, txIndex]))
  const logs: UsdtLogs = { transfers: [], undecodable: [], alarms: [], undone: [] }
  for (const info of infos) {
    const txIndex = places.get(info.txid)
    if (txIndex === undefined || info.height !== block.height) continue
    readUsdtLogs(info, txIndex, usdtContract, logs)
    // Once each.
    places.delete(info.txid)
  }
  const { height, hash, parentHash, time } = block
  return { height, hash, parentHash, time, transfers: logs.transfers }
}
