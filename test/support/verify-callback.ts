import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import type { Merchant } from '../../src/merchants/merchant.ts'
import { signParameters } from '../../src/merchants/signature.ts'
import type { ReceivedCallback } from './merchant-endpoint.ts'

/**
 * Verifies a callback as a merchant would: the body's sign under the promoted key, and webhook-signature, by our own
 * reading of the specification, under every live secret.
 * @returns the body's fields.
 */
export function verifyCallback(request: ReceivedCallback, merchant: Merchant): Record<string, string> {
  const isJson = request.headers['content-type'] === 'application/json'
  const fields: Record<string, string> = isJson
    ? JSON.parse(request.body)
    : Object.fromEntries(new URLSearchParams(request.body))
  for (const [name, value] of Object.entries(fields)) assert.equal(typeof value, 'string', name)
  const key = merchant.keys.find(one => one.promoted)!
  assert.equal(fields.sign, signParameters(key.scheme, 'callback', fields, key.key))
  const { headers } = request
  assert.equal(headers['webhook-id'], headers['idempotency-key'])
  assert.equal(headers['webhook-timestamp'], fields.t)
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${request.body}`
  const signatures = merchant.webhookSecrets.map(secret => {
    const bytes = Buffer.from(secret.slice('whsec_'.length), 'base64')
    return `v1,${createHmac('sha256', bytes).update(signed).digest('base64')}`
  })
  assert.equal(headers['webhook-signature'], signatures.join(' '))
  return fields
}
