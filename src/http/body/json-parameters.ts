import { GatewayError } from '../../base/errors.ts'
import { noParameters, type Parameters, setParameter } from './parameters.ts'

// JSON.parse cannot be used: of two equal names it silently takes the last one, and it silently rounds large numbers.
const blank = /[ \t\n\r]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them inside a string.
const string = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y
const integer = /-?(?:0|[1-9][0-9]{0,15})(?![0-9.eE+-])/y

/**
 * Reads a body of JSON: one object whose values are strings or safe integers. Integers become their decimal text.
 * @throws GatewayError bad_request for everything else: nested values, other numbers, true, false, null, names given
 *   twice, lone surrogates, anything before or after the object.
 */
export function readJsonParameters(text: string): Parameters {
  const parameters = noParameters()
  const reader = { text, at: 0 }
  take(reader, blank)
  expect(reader, '{')
  take(reader, blank)
  if (text[reader.at] === '}') {
    reader.at++
  } else {
    do readMember(reader, parameters)
    while (reads(reader, ','))
    expect(reader, '}')
  }
  take(reader, blank)
  if (reader.at !== text.length) throw notJson(reader)
  return parameters
}

interface Reader {
  text: string
  at: number
}

function readMember(reader: Reader, parameters: Parameters): void {
  take(reader, blank)
  const name = readString(reader)
  take(reader, blank)
  expect(reader, ':')
  take(reader, blank)
  setParameter(
    parameters,
    name,
    reader.text[reader.at] === '"' ? readString(reader) : readInteger(reader, name),
  )
  take(reader, blank)
}

function readString(reader: Reader): string {
  const quoted = take(reader, string)
  if (!quoted) throw notJson(reader)
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  const unquoted: string = JSON.parse(quoted)
  // An escape can name half of a surrogate pair. Plain UTF-8 cannot.
  if (/\p{Surrogate}/u.test(unquoted))
    throw new GatewayError('bad_request', 'body: a lone surrogate in a string')
  return unquoted
}

function readInteger(reader: Reader, name: string): string {
  const digits = take(reader, integer)
  if (digits && digits !== '-0' && Number.isSafeInteger(Number(digits))) return digits
  throw new GatewayError(
    'bad_request',
    `body: the value of ${nameOf(name)} must be a string or a whole number up to 2^53`,
  )
}

/** The name as a message may show it: it is not checked yet. */
function nameOf(name: string): string {
  return /^\w{1,64}$/.test(name) ? name : 'a parameter'
}

function take(reader: Reader, token: RegExp): string | undefined {
  token.lastIndex = reader.at
  const match = token.exec(reader.text)?.[0]
  reader.at += match?.length ?? 0
  return match
}

function reads(reader: Reader, character: string): boolean {
  if (reader.text[reader.at] !== character) return false
  reader.at++
  return true
}

function expect(reader: Reader, character: string): void {
  if (!reads(reader, character)) throw notJson(reader)
}

function notJson(reader: Reader): GatewayError {
  return new GatewayError('bad_request', `body: not a JSON object, at character ${reader.at + 1}`)
}
