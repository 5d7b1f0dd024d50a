import type { Callback as SixFields } from './api-types.ts'
import { CallbackError } from './errors.ts'

/** The body's fields as they came: six, or all of them where the merchant is set to `full`. */
export type CallbackFields = Readonly<Record<string, string> & Omit<SixFields, 'sign'>>

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
    if (typeof value !== 'string') throw new CallbackError('bad_body', `${name} is not a string`)
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
    if (fields[name] !== undefined) throw new CallbackError('bad_body', `${name} is there twice`)
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
