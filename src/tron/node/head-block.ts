import type { HeadBlock } from '../block.ts'
import type { NodeBlock, NodeTransactionInfo } from './node-answers.ts'
import { readUsdtLogs, type UsdtLogs } from './solid-block.ts'

/**
 * Joins a block at the head with the infos that are there. Infos may come a moment after the block, or belong to a block
 * that was replaced meanwhile; those are left out. Nothing is credited from here.
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
    // Each transaction counts once.
    places.delete(info.txid)
  }
  const { height, hash, parentHash, time } = block
  return { height, hash, parentHash, time, transfers: logs.transfers }
}
