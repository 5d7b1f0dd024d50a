import { CallbackError } from './errors.ts'
import { sameText, webhookSignature } from './signature.ts'

/** A Request's headers, or an object of them (node:http's, say), names in either case. */
export type CallbackHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

/** How far a callback's time may be from ours, either way. */
const toleranceS = 300

/**
 * Verifies webhook-signature, of which one has to fit under one of the secrets, and webhook-timestamp.
 * @returns webhook-id.
 * @throws CallbackError missing_header, bad_signature, stale_timestamp; TypeError when a secret is none.
 */
export async function verifyHeaders(
  body: Uint8Array,
  headers: CallbackHeaders,
  secrets: readonly string[],
  nowS: number,
): Promise<string> {
  const id = headerOf(headers, 'webhook-id')
  const timestamp = headerOf(headers, 'webhook-timestamp')
  const given = headerOf(headers, 'webhook-signature').split(' ')
  let fits = false
  for (const secret of secrets) {
    const expected = await webhookSignature(secret, id, timestamp, body)
    for (const one of given) fits = sameText(one, expected) || fits
  }
  if (!fits) throw new CallbackError('bad_signature', 'webhook-signature does not fit')
  checkTime(timestamp, nowS)
  return id
}

function headerOf(headers: CallbackHeaders, name: string): string {
  const value = isHeaders(headers)
    ? headers.get(name)
    : Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1]
  const text = Array.isArray(value) ? value[0] : value
  if (typeof text !== 'string' || text === '')
    throw new CallbackError('missing_header', `${name} is not there`)
  return text
}

/** Not instanceof: a framework may have a Headers of its own. */
function isHeaders(headers: CallbackHeaders): headers is Headers {
  return typeof headers.get === 'function'
}

/** @throws CallbackError stale_timestamp. */
export function checkTime(seconds: string, nowS: number): void {
  if (/^\d{1,12}$/.test(seconds) && Math.abs(Number(seconds) - nowS) <= toleranceS) return
  throw new CallbackError('stale_timestamp', `signed more than ${toleranceS} s from now`)
}
