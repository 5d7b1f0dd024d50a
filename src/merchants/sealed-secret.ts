import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { MerchantId } from '../base/ids.ts'

/** What a secret is bound to: it opens with the same facts only. */
export interface SecretRow {
  table: 'merchant_key' | 'webhook_secret'
  merchantId: MerchantId
  /** What the secret is for: a key's scheme. Changed in the row, the secret no longer opens. */
  purpose: string
}

// version (1) | iv (12) | tag (16) | ciphertext
const version = 1
const ivBytes = 12
const tagBytes = 16
const cipher = 'aes-256-gcm'

/** Seals a secret under the master key (32 bytes), bound to its row. */
export function sealSecret(masterKey: Buffer, row: SecretRow, secret: string): Buffer {
  const iv = randomBytes(ivBytes)
  const sealing = createCipheriv(cipher, masterKey, iv, { authTagLength: tagBytes })
  sealing.setAAD(rowName(row))
  const ciphertext = Buffer.concat([sealing.update(secret, 'utf8'), sealing.final()])
  return Buffer.concat([Buffer.of(version), iv, sealing.getAuthTag(), ciphertext])
}

/**
 * Opens a sealed secret.
 * @throws Error when it was sealed under another master key or for another row, or was changed.
 *   The message contains neither the secret nor the key.
 */
export function openSecret(masterKey: Buffer, row: SecretRow, sealed: Buffer): string {
  if (sealed[0] !== version || sealed.length < 1 + ivBytes + tagBytes) {
    throw new Error('sealed secret of an unknown version')
  }
  const iv = sealed.subarray(1, 1 + ivBytes)
  const opening = createDecipheriv(cipher, masterKey, iv, { authTagLength: tagBytes })
  opening.setAAD(rowName(row))
  opening.setAuthTag(sealed.subarray(1 + ivBytes, 1 + ivBytes + tagBytes))
  return opening.update(sealed.subarray(1 + ivBytes + tagBytes), undefined, 'utf8') + opening.final('utf8')
}

/** Encodes the associated data. JSON keeps the parts from running into each other. */
function rowName(row: SecretRow): Buffer {
  return Buffer.from(JSON.stringify([row.table, row.merchantId.toString(), row.purpose]), 'utf8')
}
