import assert from 'node:assert/strict'
import { ECDH } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { HDKey } from '@scure/bip32'
import { UsageError } from '../base/errors.ts'
import { pastedKey } from '../base/pasted-key.ts'
import { addressFromBytes, type TronAddress } from './address.ts'
import { base58check } from './base58check.ts'

/** An account-level extended public key, m/44'/195'/account'. It derives addresses and cannot spend from them. */
export interface AccountKey {
  readonly xpub: string
  /** 33 bytes, compressed. */
  readonly publicKey: Buffer
  /** 32 bytes. */
  readonly chainCode: Buffer
  /** Branch 0 of the key, the parent of all addresses. Kept, so that an address costs one derivation and not two. */
  readonly receiving: HDKey
}

const publicVersion = 0x0488b21e
const accountDepth = 3

/**
 * Reads an extended public key of account level. Blanks and quotes that came along when it was copied are removed.
 * @throws UsageError saying which of these it is: unreadable, a private key, another kind of key, another depth, not a
 * point of the curve. The message never quotes the key, because it may be a private one.
 */
export function parseAccountKey(text: string): AccountKey {
  const xpub = pastedKey(text)
  const bytes = decode(xpub)
  // In every extended private key, with any prefix, the key begins with a zero byte.
  if (/^.prv/.test(xpub) || bytes?.[45] === 0) {
    throw new UsageError(
      'the extended key is a private key: give the extended public key of the account (xpub...). ' +
        'Consider the private key disclosed',
    )
  }
  if (!bytes) {
    throw new UsageError('the extended key cannot be read: its checksum does not match. Copy it again')
  }
  if (bytes.length !== 78 || Buffer.from(bytes).readUInt32BE(0) !== publicVersion) {
    throw new UsageError('the extended key is of another kind: TRON wallets export keys that begin with xpub')
  }
  if (bytes[4] !== accountDepth) {
    throw new UsageError(
      `the extended key is of depth ${bytes[4]}: export the account's key, m/44'/195'/0', which is of depth ${accountDepth}`,
    )
  }
  const key = readPoint(xpub)
  return {
    xpub,
    publicKey: Buffer.from(key.publicKey!),
    chainCode: Buffer.from(key.chainCode!),
    receiving: key.deriveChild(0),
  }
}

/**
 * Derives the address at 0/index under the account key.
 * @param index 0 to 2^31 - 1. Higher indexes are hardened; a public key cannot derive them.
 */
export function deriveAddress(key: AccountKey, index: number): TronAddress {
  assert(Number.isInteger(index) && index >= 0 && index < 0x80000000, `index ${index} is not derivable`)
  return addressOfPublicKey(key.receiving.deriveChild(index).publicKey!)
}

/** Reads which account a key is of: 0 in m/44'/195'/0'. It stands in the key's own bytes. */
export function accountNumberOf({ xpub }: AccountKey): number {
  return Buffer.from(base58check.decode(xpub)).readUInt32BE(9) & 0x7fffffff
}

/** Computes the address of a public key. @param publicKey on secp256k1: 33 bytes compressed or 65 uncompressed. */
export function addressOfPublicKey(publicKey: Uint8Array): TronAddress {
  const point = ECDH.convertKey(publicKey, 'secp256k1', undefined, undefined, 'uncompressed') as Buffer
  return addressFromBytes(keccak_256(point.subarray(1)).subarray(-20))
}

function decode(text: string): Uint8Array | null {
  try {
    return base58check.decode(text)
  } catch {
    // A character outside the alphabet or a wrong checksum. The caller reports it.
    return null
  }
}

function readPoint(xpub: string): HDKey {
  try {
    return HDKey.fromExtendedKey(xpub)
  } catch (cause) {
    throw Object.assign(
      new UsageError('the extended key holds no public key: its bytes are not a point of secp256k1'),
      {
        cause,
      },
    )
  }
}
