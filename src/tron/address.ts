import assert from 'node:assert/strict'
import { base58check } from './base58check.ts'

/** A TRON address in base58check: 34 characters, the first a T. */
export type TronAddress = string & { readonly writtenAs: 'tron-base58check' }

const prefix = 0x41

/**
 * Reads an address strictly: alphabet, length, prefix byte and checksum. Case matters.
 * @returns null for any other text, a hex address included.
 */
export function parseTronAddress(text: string): TronAddress | null {
  if (text.length !== 34 || text[0] !== 'T') return null
  try {
    const bytes = base58check.decode(text)
    return bytes.length === 21 && bytes[0] === prefix ? (text as TronAddress) : null
  } catch {
    // A character outside the alphabet or a wrong checksum.
    return null
  }
}

/** Writes an address in base58check. @param bytes20 its 20 bytes as in a log, without the prefix 0x41. */
export function addressFromBytes(bytes20: Uint8Array): TronAddress {
  assert(bytes20.length === 20, `an address is 20 bytes, got ${bytes20.length}`)
  const bytes = new Uint8Array(21)
  bytes[0] = prefix
  bytes.set(bytes20, 1)
  return base58check.encode(bytes) as TronAddress
}

/** Returns the 20 bytes of an address as in a log's topic, without the prefix 0x41. */
export function addressToBytes(address: TronAddress): Buffer {
  return Buffer.from(base58check.decode(address).subarray(1))
}

/** Writes an address in base58check. @param hex20 its 20 bytes as 40 hex digits, without the prefix 41: as a log has them. */
export function addressFromHex(hex20: string): TronAddress {
  return addressFromBytes(Buffer.from(hex20, 'hex'))
}

/** Returns the 20 bytes of an address as 40 hex digits. */
export function addressToHex(address: TronAddress): string {
  return addressToBytes(address).toString('hex')
}
