import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { SentHeader } from './sent-block.ts'

/** The producers that are believed, each with the addresses of the keys that may sign for it: 42 hex digits, 41 in front. */
export type ProducerKeys = ReadonlyMap<string, readonly string[]>

/** Known producers, and their public keys as far as a signature has shown them: with its key one is verified faster. */
export interface Producers {
  readonly keys: ProducerKeys
  /** By signer, only those in `keys`. It changes no answer. */
  readonly publicKeys: Map<string, KeyObject>
}

/** @param before whose public keys are taken over where they are still somebody's. */
export function knownProducers(keys: ProducerKeys, before?: Producers): Producers {
  const signers = new Set([...keys.values()].flat())
  const shown = [...(before?.publicKeys ?? [])].filter(([signer]) => signers.has(signer))
  return { keys, publicKeys: new Map(shown) }
}

/** Says whether the signature of a header is by a key of its producer. It is false for a producer that is not known. */
export function isSignedByProducer(sent: SentHeader, producers: Producers): boolean {
  const signers = producers.keys.get(sent.producer) ?? []
  for (const signer of signers) {
    const key = producers.publicKeys.get(signer)
    if (key && isSignedWith(sent, key)) return true
  }
  if (signers.every(signer => producers.publicKeys.has(signer))) return false
  // v says which of four keys made the signature. All are tried, because v is not signed, and a remembered key is compared
  // without it: the answer must be the same.
  const said = recoveryOf(sent)
  for (const other of [0, 1, 2, 3]) {
    const point = recover(sent, said ^ other)
    const signer = point && addressOfPoint(point)
    if (!signer || !signers.includes(signer)) continue
    producers.publicKeys.set(signer, keyObject(point))
    return true
  }
  return false
}

/**
 * Returns the address of the key that signed a header, 42 hex digits, whether it is known or not. It says nothing by itself:
 * nearly every signature is somebody's.
 * @returns null when it is nobody's.
 */
export function signerOf(sent: SentHeader): string | null {
  const point = recover(sent, recoveryOf(sent))
  return point && addressOfPoint(point)
}

/** r and s of 32 bytes, and v. java-tron ignores what follows. */
const signatureBytes = 65

function isSignedWith({ bytes, signature }: SentHeader, key: KeyObject): boolean {
  if (signature.length < signatureBytes) return false
  return verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature.subarray(0, 64))
}

/** java-tron writes v as 0 or 1, and reads 27 and 28 as the same. */
function recoveryOf({ signature }: SentHeader): number {
  const v = signature[signatureBytes - 1] ?? 0
  return (v < 27 ? v : v - 27) & 3
}

/** Computes the public key that made a signature: 65 bytes, 04 in front. */
function recover({ bytes, signature }: SentHeader, recovery: number): Uint8Array | null {
  if (signature.length < signatureBytes) return null
  try {
    const rs = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact')
    const point = rs.addRecoveryBit(recovery).recoverPublicKey(hash('sha256', bytes, 'buffer'))
    return point.toBytes(false)
  } catch {
    // r or s is 0 or too large, or r is no point of the curve: no key made such a signature.
    return null
  }
}

/** @param point 65 bytes, 04 in front. */
function addressOfPoint(point: Uint8Array): string {
  return `41${Buffer.from(keccak_256(point.subarray(1)).subarray(-20)).toString('hex')}`
}

function keyObject(point: Uint8Array): KeyObject {
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(half =>
    Buffer.from(half).toString('base64url'),
  )
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'secp256k1', x: x!, y: y! } })
}
