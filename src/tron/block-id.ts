import { hash } from 'node:crypto'
import { encodeProtobuf } from './protobuf.ts'

/** A block header's `raw_data` as nodes write it: hex without 0x, fields at their default left out. */
export interface BlockHeader {
  number?: number
  /** Milliseconds. */
  timestamp?: number
  txTrieRoot?: string
  parentHash?: string
  witness_id?: number
  witness_address?: string
  version?: number
  accountStateRoot?: string
}

/**
 * Computes the id of a block: 8 bytes of height, then the last 24 bytes of SHA-256 over the header's protobuf.
 * @returns 64 hex digits.
 * @see java-tron, protocol.BlockHeader.raw, for the field numbers.
 */
export function blockId(header: BlockHeader): string {
  return idOfHeaderBytes(header.number ?? 0, headerBytes(header))
}

/** Encodes a header's `raw_data` as java-tron does: what its id and its producer's signature are computed over. */
export function headerBytes(header: BlockHeader): Buffer {
  return encodeProtobuf([
    [1, header.timestamp ?? 0],
    [2, hex(header.txTrieRoot)],
    [3, hex(header.parentHash)],
    [7, header.number ?? 0],
    [8, header.witness_id ?? 0],
    [9, hex(header.witness_address)],
    [10, header.version ?? 0],
    [11, hex(header.accountStateRoot)],
  ])
}

/** Computes the id of a block from its height and the protobuf of its header's `raw_data`. @returns 64 hex digits. */
export function idOfHeaderBytes(height: number, bytes: Uint8Array): string {
  return heightHex(height) + hash('sha256', bytes, 'hex').slice(16)
}

/** Computes the id of a transaction: SHA-256 over the protobuf of its raw_data, 64 hex digits. */
export function transactionId(rawData: Uint8Array): string {
  return hash('sha256', rawData, 'hex')
}

/** Returns the first 16 digits of the id of any block at a height. */
export function heightHex(height: number): string {
  return height.toString(16).padStart(16, '0')
}

/** Returns the height that an id names. @param id of a block, 64 hex digits. */
export function heightOfBlockId(id: string): number {
  return Number.parseInt(id.slice(0, 16), 16)
}

function hex(digits: string | undefined): Buffer {
  return Buffer.from(digits ?? '', 'hex')
}
