import { hash } from 'node:crypto'
import { type BlockHeader, blockId } from '../../tron/block-id.ts'
import type { SandboxTransaction } from './transaction-facts.ts'

export interface SandboxBlock {
  height: number
  id: string
  timeMs: number
  header: BlockHeader
  transactions: readonly SandboxTransaction[]
}

const headerVersion = 36
const noTransactions = '0'.repeat(64)

/** Makes block 0 of a chain. As on real chains it has no time and no parent, and some bytes that are unique to the chain. */
export function genesisBlock(seed: string): SandboxBlock {
  const header: BlockHeader = { parentHash: hash('sha256', `sandbox ${seed}`, 'hex') }
  return { height: 0, id: blockId(header), timeMs: 0, header, transactions: [] }
}

/**
 * Makes a block on top of another.
 * @param block.timeMs the block's time, unless it is not later than the parent's; then a millisecond after that.
 * @param block.producer any text. Blocks of different producers have different ids.
 */
export function childBlock(
  parent: SandboxBlock,
  block: { timeMs: number; producer: string; transactions: readonly SandboxTransaction[] },
): SandboxBlock {
  const height = parent.height + 1
  const timeMs = Math.max(block.timeMs, parent.timeMs + 1)
  const header: BlockHeader = {
    number: height,
    timestamp: timeMs,
    txTrieRoot: transactionsRoot(block.transactions),
    parentHash: parent.id,
    witness_address: producerAddress(block.producer),
    version: headerVersion,
  }
  return { height, id: blockId(header), timeMs, header, transactions: block.transactions }
}

/** Changes a block's header, and its id accordingly. */
export function withHeader(block: SandboxBlock, changes: Partial<BlockHeader>): SandboxBlock {
  const header = { ...block.header, ...changes }
  return { ...block, header, id: blockId(header) }
}

/** Makes a producer's address as in a header, 41 in front. */
export function producerAddress(name: string): string {
  return `41${hash('sha256', `producer ${name}`, 'hex').slice(24)}`
}

/** A hash over all transactions. It is not java-tron's Merkle root, which needs bytes that the sandbox does not have. */
function transactionsRoot(transactions: readonly SandboxTransaction[]): string {
  if (transactions.length === 0) return noTransactions
  return hash('sha256', transactions.map(({ id }) => id).join(), 'hex')
}
