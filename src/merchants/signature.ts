import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

export type SignatureScheme = 'hmac-sha256' | 'sha1'

/** Decoded parameters as text. `sign` itself is never signed and may be left in. */
export type SignedParameters = Readonly<Record<string, string>>

/**
 * Signs the parameters of a request or of a callback.
 * @param endpoint the last path segment for a request, `callback` for a callback. Only hmac-sha256 covers it: the name
 *   in front keeps a callback from passing for a request.
 * @returns upper-case hex: 64 digits for hmac-sha256, 40 for sha1.
 */
export function signParameters(
  scheme: SignatureScheme,
  endpoint: string,
  parameters: SignedParameters,
  key: string,
): string {
  const text = signedText(scheme, endpoint, parameters)
  const digest =
    scheme === 'sha1'
      ? createHash('sha1').update(text + key, 'utf8')
      : createHmac('sha256', Buffer.from(key, 'utf8')).update(text, 'utf8')
  return digest.digest('hex').toUpperCase()
}

/**
 * Builds the text that is hashed, without the key.
 * hmac-sha256: `endpoint?name=value&...`, RFC 3986 percent-encoded; sha1: names and values run together.
 * Names are in byte order, which for our names (ASCII letters, digits, `_`) is the order of their code units.
 */
export function signedText(scheme: SignatureScheme, endpoint: string, parameters: SignedParameters): string {
  const names = Object.keys(parameters)
    .filter(name => name !== 'sign')
    .sort()
  if (scheme === 'sha1') return names.map(name => name + parameters[name]).join('')
  const pairs = names.map(name => `${percentEncode(name)}=${percentEncode(parameters[name]!)}`)
  return `${endpoint}?${pairs.join('&')}`
}

/** Writes the signed text for people, with `<key>` where sha1 has the key. hmac-sha256 has it outside of the text. */
export function shownText(scheme: SignatureScheme, endpoint: string, parameters: SignedParameters): string {
  return signedText(scheme, endpoint, parameters) + (scheme === 'sha1' ? '<key>' : '')
}

/** Compares two signatures in constant time, hex in either case. A wrong length or alphabet is unequal, not an error. */
export function signaturesEqual(given: string, expected: string): boolean {
  // Below, other letters would become hex digits: in upper case the ligature of two f is FF, in latin1 U+0141 is an A.
  if (!/^[\dA-F]*$/i.test(given)) return false
  const a = Buffer.from(given.toUpperCase(), 'latin1')
  const b = Buffer.from(expected, 'latin1')
  return a.length === b.length && timingSafeEqual(a, b)
}

/** encodeURIComponent leaves `!'()*` alone, RFC 3986 does not. */
function percentEncode(text: string): string {
  // The fast path: most values are ids and numbers.
  if (/^[\w.~-]*$/.test(text)) return text
  return encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
