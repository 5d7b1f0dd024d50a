import { randomBytes } from 'node:crypto'

/** Generates a merchant key: 32 hex digits, whose UTF-8 bytes are the key of the signature. */
export function newKey(): string {
  return randomBytes(16).toString('hex')
}

/** Generates a webhook secret in the format of Standard Webhooks: whsec_ and 32 bytes in base64. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}
