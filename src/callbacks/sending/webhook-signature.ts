import { createHmac } from 'node:crypto'

/**
 * Makes the three headers of the Standard Webhooks specification, which sign the exact bytes of the body.
 * @param secrets the merchant's live ones, `whsec_` + base64. Each gives one `v1,...` in the signature header, separated by
 *   spaces, so that a secret can be replaced with an overlap. Without any there is no signature header.
 * @param timestamp Unix seconds of this attempt.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhookHeaders(
  secrets: readonly string[],
  id: string,
  timestamp: number,
  body: string,
): Record<string, string> {
  const headers: Record<string, string> = { 'webhook-id': id, 'webhook-timestamp': `${timestamp}` }
  if (secrets.length === 0) return headers
  const signed = `${id}.${timestamp}.${body}`
  headers['webhook-signature'] = secrets.map(secret => `v1,${sign(secret, signed)}`).join(' ')
  return headers
}

function sign(secret: string, text: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return createHmac('sha256', key).update(text, 'utf8').digest('base64')
}
