import type { Merchant } from '../../merchants/merchant.ts'

/** The members of a JSON object in which the endpoints of public libraries say how it went. */
const sayingMembers = ['msg', 'message', 'status', 'result'] as const

/**
 * Tells whether an answer acknowledges: a 2xx, with the merchant's word if it wants one. Its body has to be the word, in any
 * case, between white space and a pair of quotes; or a JSON object that says it, in which nothing says otherwise.
 * @param body what was read of it.
 * @param wanted `acknowledgementAnywhere`: the word may stand anywhere, as it was spelled.
 */
export function isAcknowledgement(
  status: number,
  body: Buffer,
  { acknowledgement: word, acknowledgementAnywhere }: Wanted,
): boolean {
  if (status < 200 || status > 299) return false
  if (word === null) return true
  if (acknowledgementAnywhere) return body.includes(word)
  // TextDecoder leaves out a byte order mark.
  const text = new TextDecoder().decode(body).trim()
  return isWord(withoutQuotes(text), word) || isObjectWith(text, word)
}

/** The merchant's settings that it depends on. */
export type Wanted = Pick<Merchant, 'acknowledgement' | 'acknowledgementAnywhere'>

function isWord(value: unknown, word: string): boolean {
  return typeof value === 'string' && value.trim().toLowerCase() === word.trim().toLowerCase()
}

function withoutQuotes(text: string): string {
  return /^(["']).*\1$/su.test(text) && text.length > 1 ? text.slice(1, -1) : text
}

function isObjectWith(text: string, word: string): boolean {
  if (!text.startsWith('{')) return false
  let answer: Record<string, unknown>
  try {
    answer = JSON.parse(text)
  } catch {
    return false
  }
  const { success, code, error } = answer
  const isDenied = !isYes(success) || !isGoodCode(code, word) || !isNothing(error)
  return !isDenied && sayingMembers.some(name => isWord(answer[name], word))
}

function isYes(success: unknown): boolean {
  return isAbsentOr(/^(true|1|yes)$/i, success)
}

/** Public libraries answer 0, 1 or an HTTP status when it went well, and some of them the word. */
function isGoodCode(code: unknown, word: string): boolean {
  return isAbsentOr(/^(0|1|2\d\d)$/, code) || isWord(code, word)
}

function isNothing(error: unknown): boolean {
  if (Array.isArray(error)) return error.length === 0
  return isAbsentOr(/^(false|0|none|null|)$/i, error)
}

/** An object is never made text: what an endpoint answers may be one that cannot be. */
function isAbsentOr(pattern: RegExp, value: unknown): boolean {
  return value === undefined || value === null || (typeof value !== 'object' && pattern.test(`${value}`))
}
