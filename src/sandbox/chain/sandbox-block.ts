import { hash } from 'node:crypto'
import { type BlockHeader, blockId, headerBytes } from '../../tron/block-id.ts'
import type { Producer } from './producers.ts'
import { type SigningKey, sign } from './signing-key.ts'
import { transactionsRoot } from './transaction-bytes.ts'
import type { SandboxTransaction } from './transaction-facts.ts'

/** A block as java-tron makes it. `headerBytes(header)` and `transactionBytes` give its bytes. */
export interface SandboxBlock {
  height: number
  id: string
  timeMs: number
  header: BlockHeader
  /**
   * The producer's signature of the header, 65 bytes as hex; empty for block 0. It is computed when it is first read. A copy of the
   * block with other fields keeps the signature of the original.
   */
  readonly signature: string
  transactions: readonly SandboxTransaction[]
  /** The producers whose turns it was made in, in the order of their turns. */
  elected: readonly Producer[]
}

const headerVersion = 36

/** Makes block 0 of a chain. As on real chains it has no time and no parent, and some bytes that are unique to the chain. */
export function genesisBlock(seed: string, elected: readonly Producer[]): SandboxBlock {
  const header: BlockHeader = { parentHash: hash('sha256', `sandbox ${seed}`, 'hex') }
  return { height: 0, id: blockId(header), timeMs: 0, header, signature: '', transactions: [], elected }
}

/**
 * Makes a block on top of another.
 * @param block.timeMs the block's time, unless it is not later than the parent's; then a millisecond after that.
 * @param block.producer its address goes into the header, and its key signs.
 */
export function childBlock(
  parent: SandboxBlock,
  block: {
    timeMs: number
    producer: Pick<Producer, 'address' | 'signer'>
    elected: readonly Producer[]
    transactions: readonly SandboxTransaction[]
  },
): SandboxBlock {
  const { producer, elected, transactions } = block
  const height = parent.height + 1
  const timeMs = Math.max(block.timeMs, parent.timeMs + 1)
  const header: BlockHeader = {
    number: height,
    timestamp: timeMs,
    txTrieRoot: transactionsRoot(transactions),
    parentHash: parent.id,
    witness_address: producer.address,
    version: headerVersion,
  }
  return signedBlock({ height, id: blockId(header), timeMs, header, transactions, elected }, producer.signer)
}

/** Changes a block's header, and its id accordingly. The signature stays, and does not fit any more. */
export function withHeader(block: SandboxBlock, changes: Partial<BlockHeader>): SandboxBlock {
  const header = { ...block.header, ...changes }
  return { ...block, header, id: blockId(header) }
}

/** Returns a block with a signature by a key. */
export function signedBlock(block: Omit<SandboxBlock, 'signature'>, key: SigningKey): SandboxBlock {
  const { header } = block
  let signature: string | undefined
  return {
    ...block,
    get signature() {
      signature ??= sign(key.secret, hash('sha256', headerBytes(header), 'buffer'))
      return signature
    },
  }
}

/** Makes an address that belongs to no producer, 41 in front. */
export function strangerAddress(name: string): string {
  return `41${hash('sha256', `producer ${name}`, 'hex').slice(24)}`
}
