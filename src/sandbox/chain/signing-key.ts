import { hash } from 'node:crypto'
import { normalizeZ } from '@noble/curves/abstract/curve.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'

// Keys of the sandbox. They are made from a text that everybody may know, and protect nothing.

const { BASE, Fn } = secp256k1.Point

/** A secp256k1 key that signs blocks or transactions. */
export interface SigningKey {
  /** The address of its public key: 42 hex digits, 41 in front. */
  address: string
  secret: bigint
}

/** Computes the secret key that a text stands for. */
export function secretOf(text: string): bigint {
  return Fn.create(BigInt(`0x${hash('sha256', text, 'hex')}`))
}

/**
 * Makes keys from a text. Their secrets are consecutive numbers, so each public key is the one before plus the base point:
 * a thirtieth of the cost of computing each alone, and a test makes hundreds of chains.
 */
export function signingKeys(text: string, count: number): SigningKey[] {
  const first = secretOf(text)
  const points = [BASE.multiply(first)]
  while (points.length < count) points.push(points.at(-1)!.add(BASE))
  return normalizeZ(secp256k1.Point, points).map((point, n) => {
    const publicKey = point.toBytes(false).subarray(1)
    return {
      address: `41${Buffer.from(keccak_256(publicKey).subarray(-20)).toString('hex')}`,
      secret: Fn.create(first + BigInt(n)),
    }
  })
}

/**
 * The nonce of every signature. Never do this with a key that is worth anything: two signatures with one nonce reveal the key.
 * Here it makes a signature two multiplications instead of one on the curve, 7 µs instead of 1 ms, and every signature is as
 * valid as any other. So blocks and transactions need no cache of signatures.
 */
const nonce = secretOf('the nonce of every sandbox signature')
const point = BASE.multiply(nonce).toAffine()
const inverse = Fn.inv(nonce)
const r = Fn.create(point.x)
const rHex = r.toString(16).padStart(64, '0')
const half = Fn.ORDER / 2n

/**
 * Signs a digest.
 * @param digest 32 bytes.
 * @param offset what v counts from: 0, or 27 as wallets used to.
 * @returns r, s and v: 65 bytes as hex.
 */
export function sign(secret: bigint, digest: Uint8Array, offset: 0 | 27 = 0): string {
  const z = BigInt(`0x${Buffer.from(digest).toString('hex')}`)
  const s = Fn.mul(inverse, Fn.create(z + r * secret))
  // java-tron writes the lower of the two values of s that are valid; with the other one the point's parity is inverted.
  const isLow = s <= half
  const parity = Number(point.y & 1n) ^ (isLow ? 0 : 1)
  const low = isLow ? s : Fn.ORDER - s
  return rHex + low.toString(16).padStart(64, '0') + (offset + parity).toString(16).padStart(2, '0')
}
