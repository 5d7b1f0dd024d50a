import { CallbackError } from './errors.ts'

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

/** Which of a body's fields have to be there, and what they are. */
export interface FieldNames {
  required: readonly string[]
  /** Whole numbers: amounts in 1/10000 USDT, a place in a list. */
  whole: readonly string[]
}

/**
 * Reads a body: a form, or a JSON object of strings. What it is shows: a form begins with a name.
 * @throws CallbackError bad_body.
 */
export function readFields(body: Uint8Array): Record<string, string> {
  const text = decode(body)
  return /^\s*\{/.test(text) ? readJson(text) : readForm(text)
}

/** @throws CallbackError bad_body. */
export function checkFields(fields: Readonly<Record<string, string>>, names: FieldNames): void {
  for (const name of [...names.required, ...names.whole, 'appid', 't']) {
    if (!fields[name]) throw new CallbackError('bad_body', `${name} is not there`)
  }
  for (const name of names.whole) {
    if (!/^(0|[1-9]\d{0,17})$/.test(fields[name]!))
      throw new CallbackError('bad_body', `${name} is no whole number`)
  }
  if (!/^\d{1,12}$/.test(fields.t!)) throw new CallbackError('bad_body', 't is no Unix time')
}

/** @param amount 1/10000 USDT. @returns decimal USDT in its shortest form: '3.0001'. */
export function decimalUsdt(amount: bigint): string {
  const fraction = (amount % 10_000n).toString().padStart(4, '0').replace(/0+$/, '')
  return fraction === '' ? `${amount / 10_000n}` : `${amount / 10_000n}.${fraction}`
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
