import { randomBytes } from 'node:crypto'

/** A merchant key as it is handed over: 32 hex digits, whose UTF-8 bytes are what signs. */
export function newKey(): string {
  return randomBytes(16).toString('hex')
}

/** A webhook secret as Standard Webhooks has it: whsec_ and 32 bytes in base64. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}
