import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { MerchantId } from '../base/ids.ts'

/** What a secret is bound to: it opens with the same facts only. */
export interface SecretRow {
  table: 'merchant_key' | 'webhook_secret' | 'console_user'
  /** The row's own id. Version 1 does not bind a secret to it. */
  id: bigint
  /** null: it is no merchant's. */
  merchantId: MerchantId | null
  /** What the secret is for: a key's scheme. Changed in the row, the secret no longer opens. */
  purpose: string
}

/** How a secret is sealed. 1: bound to table, merchant and purpose. 2: to its row's id too. */
export type Sealing = 1 | 2

// version (1) | iv (12) | tag (16) | ciphertext
const ivBytes = 12
const tagBytes = 16
const cipher = 'aes-256-gcm'

/** Seals a secret under the master key (32 bytes), bound to its row as the version says. */
export function sealSecret(masterKey: Buffer, row: SecretRow, secret: string, version: Sealing): Buffer {
  const iv = randomBytes(ivBytes)
  const sealing = createCipheriv(cipher, masterKey, iv, { authTagLength: tagBytes })
  sealing.setAAD(rowName(row, version))
  const ciphertext = Buffer.concat([sealing.update(secret, 'utf8'), sealing.final()])
  return Buffer.concat([Buffer.of(version), iv, sealing.getAuthTag(), ciphertext])
}

/**
 * Opens a sealed secret.
 * @throws Error when it was sealed under another master key or for another row, or was changed.
 *   The message contains neither the secret nor the key.
 */
export function openSecret(masterKey: Buffer, row: SecretRow, sealed: Buffer): string {
  const version = sealingOf(sealed)
  if (version === null || sealed.length < 1 + ivBytes + tagBytes) {
    throw new Error('sealed secret of an unknown version')
  }
  const iv = sealed.subarray(1, 1 + ivBytes)
  const opening = createDecipheriv(cipher, masterKey, iv, { authTagLength: tagBytes })
  opening.setAAD(rowName(row, version))
  opening.setAuthTag(sealed.subarray(1 + ivBytes, 1 + ivBytes + tagBytes))
  return opening.update(sealed.subarray(1 + ivBytes + tagBytes), undefined, 'utf8') + opening.final('utf8')
}

/** Reads how a secret is sealed; null: as no version that we know. */
function sealingOf(sealed: Buffer): Sealing | null {
  return sealed[0] === 1 || sealed[0] === 2 ? sealed[0] : null
}

/** Encodes the associated data. JSON keeps the parts from running into each other, and the versions apart. */
function rowName({ table, id, merchantId, purpose }: SecretRow, version: Sealing): Buffer {
  const parts = [table, `${merchantId ?? 'none'}`, purpose]
  return Buffer.from(JSON.stringify(version === 1 ? parts : [...parts, id.toString()]), 'utf8')
}

/** What a webhook secret is for. */
export const webhookPurpose = 'standard-webhooks'
