import { UsageError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Pool } from '../db/pool.ts'
import type { BlockRef } from '../tron/block.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import { type ChainCursor, createCursor, readCursor } from './chain-store.ts'

/** What a chain is opened with. */
export type ChainOpener = Pick<NodePool, 'genesisId' | 'solidHead' | 'solidBlock'>

/**
 * Checks the nodes and the database against the network that is configured, and at the first start pins the database
 * to it and places the cursor.
 * @param chain `genesisId` null: a private or sandbox chain, whose own is taken at the first start.
 * @param startBlock first start only: the first block to follow; else what comes after the node's solidified head.
 * @throws UsageError when node or database belong to another network or contract. NodeError as the node gives it.
 */
export async function openChain(options: {
  pool: Pool
  nodes: ChainOpener
  chain: { network: string; genesisId: string | null; usdtContract: string }
  startBlock: number | undefined
  log: Logger
}): Promise<ChainCursor> {
  const { pool, nodes, chain, startBlock, log } = options
  const genesisId = await nodes.genesisId()
  if (chain.genesisId !== null && genesisId !== chain.genesisId) {
    throw new UsageError(
      `TRON_NODES: they serve the chain with genesis ${genesisId}, ${chain.network} has ${chain.genesisId}`,
    )
  }
  if (!(await readCursor(pool))) {
    const head = (await nodes.solidHead()).height
    const height = startBlock === undefined ? head : startBlock - 1
    if (height > head)
      throw new UsageError(`START_BLOCK: block ${height} is not solidified yet, the newest is ${head}`)
    const at = await confirmedBlock(nodes, height, genesisId)
    await createCursor(pool, { ...chain, genesisId }, at)
    log.info({ network: chain.network, height: at.height, hash: at.hash }, 'chain.pinned')
  }
  const cursor = await readCursor(pool)
  if (!cursor) throw new Error('the cursor is gone right after it was written')
  for (const [what, pinned, given] of [
    ['TRON_NETWORK', cursor.network, chain.network],
    ['the genesis block', cursor.genesisId, genesisId],
    ['USDT_CONTRACT', cursor.usdtContract, chain.usdtContract],
  ]) {
    if (pinned !== given) {
      throw new UsageError(
        `this database is pinned: ${what} is ${pinned} there, ${given} here. Use another database.`,
      )
    }
  }
  return cursor
}

/**
 * The block the cursor is first placed at. Every later block is held against the one before it; this one has none, and a
 * wrong one would stop the gateway for ever. So it has to link to its own parent, and another node, where there is one
 * that can answer, has to show the same.
 */
async function confirmedBlock(nodes: ChainOpener, height: number, genesisId: string): Promise<BlockRef> {
  // The genesis block has no transaction infos and needs none: it holds no transfer.
  if (height === 0) return { height: 0, hash: genesisId, time: new Date(0) }
  const block = await nodes.solidBlock(height)
  if (!block) throw new Error(`block ${height} is not there yet`)
  const parentHash = height === 1 ? genesisId : (await nodes.solidBlock(height - 1))?.hash
  if (block.parentHash !== parentHash) {
    throw new Error(
      `block ${height} names ${block.parentHash} as its parent, block ${height - 1} is ${parentHash}`,
    )
  }
  const second = await nodes.solidBlock(height, { not: block.node }).catch(() => null) // There may be no other.
  if (second && second.hash !== block.hash) {
    throw new Error(`block ${height} is ${block.hash} for ${block.node}, ${second.hash} for ${second.node}`)
  }
  return { height, hash: block.hash, time: block.time }
}
