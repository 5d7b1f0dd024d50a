// WebCrypto and not node:crypto, so that it runs in Node, Bun, Deno and workers alike. Hence everything is async.

/** How a merchant's key signs: `hmac-sha256`, or `sha1` for integrations that existed before. */
export type Scheme = 'hmac-sha256' | 'sha1'

const utf8 = new TextEncoder()

/**
 * Signs a message.
 * @param endpoint the last segment of the path; `callback` for a callback. Only hmac-sha256 covers it.
 * @param parameters decoded values as text; `sign` itself is never signed and may be left in.
 * @returns upper-case hex: 64 digits for hmac-sha256, 40 for sha1.
 */
export async function sign(
  endpoint: string,
  parameters: Readonly<Record<string, string>>,
  key: string,
  scheme: Scheme = 'hmac-sha256',
): Promise<string> {
  const names = Object.keys(parameters)
    .filter(name => name !== 'sign')
    .sort()
  if (scheme === 'sha1') {
    const text = names.map(name => name + parameters[name]).join('') + key
    return hex(await crypto.subtle.digest('SHA-1', utf8.encode(text)))
  }
  const pairs = names.map(name => `${percentEncode(name)}=${percentEncode(parameters[name]!)}`)
  return hex(await hmacSha256(utf8.encode(key), utf8.encode(`${endpoint}?${pairs.join('&')}`)))
}

/**
 * The `webhook-signature` of the Standard Webhooks specification: `v1,` and base64.
 * @param secret `whsec_` and base64.
 * @param body the exact bytes received.
 * @throws TypeError when the secret is none.
 */
export async function webhookSignature(
  secret: string,
  id: string,
  timestamp: string,
  body: Uint8Array,
): Promise<string> {
  const head = utf8.encode(`${id}.${timestamp}.`)
  const message = new Uint8Array(head.length + body.length)
  message.set(head)
  message.set(body, head.length)
  const digest = new Uint8Array(await hmacSha256(secretBytes(secret), message))
  return `v1,${btoa(String.fromCharCode(...digest))}`
}

/** Compares in a time that tells nothing but the length, which is no secret. */
export function sameText(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length
  for (let i = 0; i < expected.length; i++) difference |= given.charCodeAt(i) ^ expected.charCodeAt(i)
  return difference === 0
}

function secretBytes(secret: string): Uint8Array<ArrayBuffer> {
  if (!/^whsec_[A-Za-z0-9+/]{4,}={0,2}$/.test(secret)) {
    throw new TypeError('a webhook secret is whsec_ followed by base64')
  }
  return Uint8Array.from(atob(secret.slice('whsec_'.length)), character => character.charCodeAt(0))
}

async function hmacSha256(
  key: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<ArrayBuffer> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ])
  return crypto.subtle.sign('HMAC', imported, message)
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), byte => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase()
}

/** RFC 3986: encodeURIComponent leaves `!'()*` alone. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
