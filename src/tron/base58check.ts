import { hash } from 'node:crypto'
import { createBase58check } from '@scure/base'

/**
 * Base58 with a checksum of four bytes: how addresses and extended keys are written. Decoding throws on a foreign
 * character and on a wrong checksum. With Node's own SHA-256: the usual one, in JavaScript, would make it ten times slower.
 */
export const base58check = createBase58check(
  (bytes: Uint8Array) => hash('sha256', bytes, 'buffer') as Uint8Array<ArrayBuffer>,
)
