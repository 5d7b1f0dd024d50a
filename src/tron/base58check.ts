import { hash } from 'node:crypto'
import { createBase58check } from '@scure/base'

/**
 * Base58 with a checksum of four bytes, the encoding of addresses and extended keys. Decoding throws on a character
 * outside the alphabet and on a wrong checksum. It uses Node's SHA-256: the usual one, in JavaScript, is ten times slower.
 */
export const base58check = createBase58check(
  (bytes: Uint8Array) => hash('sha256', bytes, 'buffer') as Uint8Array<ArrayBuffer>,
)
