import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Pool } from '../db/pool.ts'
import type { BlockRef } from '../tron/block.ts'
import { isNotOffered } from '../tron/node/node-error.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import { type ChainCursor, createCursor, readCursor } from './chain-store.ts'

/** The nodes, as far as opening a chain needs them. */
export type ChainOpener = Pick<NodePool, 'genesisId' | 'solidHead' | 'solidBlock'> &
  Partial<Pick<NodePool, 'newBlock'>>

interface ChainToOpen {
  pool: Pool
  nodes: ChainOpener
  /** `genesisId` null: a private or sandbox chain, whose genesis block is taken from the nodes at the first start. */
  chain: { network: string; genesisId: string | null; usdtContract: string }
  /** For the first start only: the first block to follow. undefined: the block after the solidified head. */
  startBlock: number | undefined
  log: Logger
}

/** How soon nodes and database are tried again when one of them cannot be reached. */
const openRetryMs = 2_000

/**
 * Opens the chain as `openChain` does, and waits for nodes or a database that cannot be reached.
 * @returns null when the signal aborts first.
 * @throws UsageError when nodes or database belong to another network or contract.
 */
export async function openChainWhenReachable(
  options: ChainToOpen & { nodes: { names: readonly string[] } },
  signal: AbortSignal,
): Promise<ChainCursor | null> {
  while (!signal.aborted) {
    try {
      return await openChain(options)
    } catch (err) {
      if (err instanceof UsageError) throw err
      options.log.warn({ err, nodes: options.nodes.names, retryInMs: openRetryMs }, 'chain.unreachable')
      await sleep(openRetryMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
    }
  }
  return null
}

/**
 * Checks the nodes and the database against the configured network. At the first start binds the database to that network
 * and places the cursor.
 * @throws UsageError when nodes or database belong to another network or contract. NodeError from the nodes.
 */
export async function openChain(options: ChainToOpen): Promise<ChainCursor> {
  const { pool, nodes, chain, startBlock, log } = options
  const genesisId = await nodes.genesisId()
  if (chain.genesisId !== null && genesisId !== chain.genesisId) {
    throw new UsageError(
      `TRON_NODES: their genesis block is ${genesisId}, but that of ${chain.network} is ${chain.genesisId}`,
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
  if (!cursor) throw new Error('chain_cursor is empty right after the cursor was written')
  for (const [what, pinned, given] of [
    ['TRON_NETWORK', cursor.network, chain.network],
    ['the genesis block', cursor.genesisId, genesisId],
    ['USDT_CONTRACT', cursor.usdtContract, chain.usdtContract],
  ]) {
    if (pinned !== given) {
      throw new UsageError(
        `this database is bound to one chain: ${what} is ${pinned} there, ${given} here. Use another database.`,
      )
    }
  }
  return cursor
}

/**
 * Reads the block at which the cursor is first placed. Every later block is checked against the one before it. This one has
 * none, and a wrong one would stop the gateway permanently. So it must link to its own parent, and a second node, if there is
 * one that can answer, must show the same block.
 */
async function confirmedBlock(nodes: ChainOpener, height: number, genesisId: string): Promise<BlockRef> {
  // The genesis block contains no transfer, and nodes give no transaction infos for it.
  if (height === 0) return { height: 0, hash: genesisId, time: new Date(0) }
  const block = await blockAt(nodes, height)
  if (!block) throw new Error(`no node has block ${height} yet`)
  const parentHash = height === 1 ? genesisId : (await blockAt(nodes, height - 1))?.hash
  if (block.parentHash !== parentHash) {
    throw new Error(
      `block ${height} names ${block.parentHash} as its parent, but block ${height - 1} is ${parentHash}`,
    )
  }
  const second = await blockAt(nodes, height, block.node).catch(() => null) // There may be no other node.
  if (second && second.hash !== block.hash) {
    throw new Error(`block ${height} is ${block.hash} on ${block.node}, but ${second.hash} on ${second.node}`)
  }
  return { height, hash: block.hash, time: block.time }
}

/** Reads a block of the solidified chain; at nodes that do not say what is solid, of the head's chain. */
async function blockAt(nodes: ChainOpener, height: number, not?: string) {
  const options = not === undefined ? {} : { not }
  try {
    return await nodes.solidBlock(height, options)
  } catch (error) {
    if (!nodes.newBlock || !isNotOffered(error)) throw error
    return await nodes.newBlock(height, options)
  }
}
