import type { Callback as SixFields } from './api-types.ts'
import { CallbackError } from './errors.ts'

/** The body's fields as they came: six, or all of them where the merchant is set to `full`. */
export type CallbackFields = Readonly<Record<string, string> & Omit<SixFields, 'sign'>>

/**
 * A stranger decides by the content-type whether a framework parses the body, or gives none: so this is the stranger's
 * fault too, a 400 and not a 500.
 * @throws CallbackError bad_body for an object that a parser made, and for no body at all.
 */
export function bytesOf(rawBody: unknown): Uint8Array {
  if (typeof rawBody === 'string') return new TextEncoder().encode(rawBody)
  if (ArrayBuffer.isView(rawBody)) {
    return new Uint8Array(rawBody.buffer, rawBody.byteOffset, rawBody.byteLength)
  }
  if (rawBody instanceof ArrayBuffer) return new Uint8Array(rawBody)
  throw new CallbackError('bad_body', 'pass the raw body, bytes or text, before anything parses it')
}

/**
 * Reads a callback's body: a form, or a JSON object of strings. What it is shows: a form begins with a name.
 * @throws CallbackError bad_body.
 */
export function readFields(body: Uint8Array): CallbackFields {
  const text = decode(body)
  return checkFields(/^\s*\{/.test(text) ? readJson(text) : readForm(text))
}

/** @param amount 1/10000 USDT. @returns decimal USDT in its shortest form: '3.0001'. */
export function decimalUsdt(amount: bigint): string {
  const fraction = (amount % 10_000n).toString().padStart(4, '0').replace(/0+$/, '')
  return fraction === '' ? `${amount / 10_000n}` : `${amount / 10_000n}.${fraction}`
}

function checkFields(fields: Record<string, string>): CallbackFields {
  for (const name of ['orderid', 'localusermark', 'amount', 'appid', 't']) {
    if (!fields[name]) throw new CallbackError('bad_body', `${name} is not there`)
  }
  if (!/^(0|[1-9]\d{0,17})$/.test(fields.amount!)) {
    throw new CallbackError('bad_body', 'amount is no whole number of 1/10000 USDT')
  }
  if (!/^\d{1,12}$/.test(fields.t!)) throw new CallbackError('bad_body', 't is no Unix time')
  return fields as CallbackFields
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    throw new CallbackError('bad_body', 'not UTF-8')
  }
}

function readJson(text: string): Record<string, string> {
  const fields: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(parse(text))) {
    // The sentences do not repeat what a stranger wrote: they may end up on a page.
    if (typeof value !== 'string') throw new CallbackError('bad_body', 'a value is not a string')
    // Half a surrogate pair (\ud800) has no UTF-8, so nothing can be signed that has it.
    if (/\p{Surrogate}/u.test(`${name} ${value}`)) throw new CallbackError('bad_body', 'not Unicode')
    fields[name] = value
  }
  return fields
}

function parse(text: string): object {
  try {
    return JSON.parse(text)
  } catch {
    throw new CallbackError('bad_body', 'not JSON')
  }
}

function readForm(text: string): Record<string, string> {
  const fields: Record<string, string> = Object.create(null)
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=')
    const name = decodeText(equals < 0 ? pair : pair.slice(0, equals))
    if (fields[name] !== undefined) throw new CallbackError('bad_body', 'a name is there twice')
    fields[name] = equals < 0 ? '' : decodeText(pair.slice(equals + 1))
  }
  return fields
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new CallbackError('bad_body', 'a malformed percent escape')
  }
}
