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

/** Block 0 of a chain. As of real ones: it has no time and no parent, only bytes that make it this chain's. */
export function genesisBlock(seed: string): SandboxBlock {
  const header: BlockHeader = { parentHash: hash('sha256', `sandbox ${seed}`, 'hex') }
  return { height: 0, id: blockId(header), timeMs: 0, header, transactions: [] }
}

/**
 * A block on top of another.
 * @param block.timeMs taken if it is later than the parent's; else the block is a millisecond younger than that.
 * @param block.producer any text: another producer's block has another id.
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

/** The block with another header, and the id that this header has. */
export function withHeader(block: SandboxBlock, changes: Partial<BlockHeader>): SandboxBlock {
  const header = { ...block.header, ...changes }
  return { ...block, header, id: blockId(header) }
}

/** A producer's address as a header has it, 41 in front. */
export function producerAddress(name: string): string {
  return `41${hash('sha256', `producer ${name}`, 'hex').slice(24)}`
}

/** Depends on every transaction, as java-tron's Merkle root does; not computed its way, which takes bytes not at hand here. */
function transactionsRoot(transactions: readonly SandboxTransaction[]): string {
  if (transactions.length === 0) return noTransactions
  return hash('sha256', transactions.map(({ id }) => id).join(), 'hex')
}
