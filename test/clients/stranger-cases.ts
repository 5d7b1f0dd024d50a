import fc from 'fast-check'
import { recordedCallbacks } from './callback-cases.ts'
import type { VerifyCase } from './drive.ts'
import { hugeBodies, nastyBodies, nastyHeaders, nastyNames, nastyValues } from './nasty-bytes.ts'

/** What a stranger posts to a merchant's callback URL, and the one answer besides a refusal that would be right. */
export interface StrangerCase {
  fact: string
  given: VerifyCase
  /** What the client says of the callback that the stranger has seen; null when nothing of it was posted. */
  believed: string | null
}

/** SEED=n makes other ones. */
export const seed = Number(process.env.SEED ?? 1)

/** @param count of the random ones; each corpus comes whole besides. */
export function strangerCases(count: number): StrangerCase[] {
  const random = fc.sample(fc.oneof(altered, { arbitrary: strange, weight: 2 }), { numRuns: count, seed })
  return [...everyNastyBody(), ...random]
}

const anyRecorded = fc.constantFrom(...recordedCallbacks)
const utf8 = (text: string) => Buffer.from(text, 'utf8')
const headerText = fc.oneof(
  fc.constantFrom(...nastyHeaders),
  fc.uint8Array({ maxLength: 40 }).map(bytes =>
    Buffer.from(bytes)
      .toString('latin1')
      .replace(/[\r\n\0]/g, ''),
  ),
)
const strangeHeaders = fc
  .tuple(
    fc.dictionary(fc.constantFrom('webhook-id', 'webhook-timestamp', 'webhook-signature'), headerText),
    fc.dictionary(fc.constantFrom(...nastyNames), headerText, { maxKeys: 3 }),
  )
  .map(([webhook, odd]) => ({ ...odd, ...webhook }))

/** A form or JSON with every field a callback has, one of them nasty, under no signature of ours. */
const almostRight = fc
  .record({
    fields: fc.record({ orderid: fc.string(), localusermark: fc.string(), amount: fc.nat(), t: fc.nat() }),
    changed: fc.constantFrom(
      'orderid',
      'localusermark',
      'amount',
      'appid',
      't',
      'sign',
      'callback_id',
      ...nastyNames,
    ),
    value: fc.oneof(fc.constantFrom(...nastyValues), fc.string({ unit: 'binary' })),
    json: fc.boolean(),
    at: fc.constantFrom(...recordedCallbacks.map(({ given }) => given.now)),
  })
  .map(({ fields, changed, value, json, at }) => {
    const all = { ...fields, t: at, appid: 'VunTq7Zk2Lm9h1l8', sign: 'AA', callback_id: 'cb_f' }
    const pairs = [...Object.entries(all), [changed, value] as const].map(
      ([name, it]) => [name, `${it}`] as const,
    )
    return utf8(json ? jsonOf(pairs) : pairs.map(([name, it]) => `${name}=${escaped(it)}`).join('&'))
  })

const strangeBody = fc.oneof(
  almostRight,
  fc.constantFrom(...nastyBodies.map(([, body]) => body)),
  fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
  fc.json({ maxDepth: 6 }).map(utf8),
  fc.dictionary(fc.string(), fc.string()).map(pairs => utf8(new URLSearchParams(pairs).toString())),
)

/** Nothing of what the gateway sent; or its headers over another body. */
const strange: fc.Arbitrary<StrangerCase> = fc
  .record({ recorded: anyRecorded, body: strangeBody, headers: strangeHeaders, replayed: fc.boolean() })
  .map(({ recorded: { given, fact }, body, headers, replayed }) => ({
    fact: `strange, to a merchant with ${fact}`,
    given: { ...given, body, headers: replayed ? { ...headers, ...given.headers } : headers },
    believed: null,
  }))

/** What the gateway sent, with something changed, left out, put in or said again. */
const altered: fc.Arbitrary<StrangerCase> = fc
  .record({
    recorded: anyRecorded,
    at: fc.nat(),
    length: fc.nat({ max: 6 }),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom(...nastyBodies.map(([, it]) => it.subarray(0, 200))),
    ),
    headers: strangeHeaders,
    part: fc.constantFrom('body', 'headers', 'both'),
  })
  .map(({ recorded: { given, fact, believed }, at, length, put, headers, part }) => {
    const body = Buffer.from(given.body)
    const from = at % (body.length + 1)
    const changed = Buffer.concat([body.subarray(0, from), put, body.subarray(from + length)])
    return {
      fact: `altered (${part}), to a merchant with ${fact}`,
      given: {
        ...given,
        body: part === 'headers' ? body : changed,
        headers: part === 'body' ? given.headers : { ...given.headers, ...headers },
      },
      believed,
    }
  })

/** Each nasty body under no headers and under those of a true callback, at each merchant; the huge ones at one each. */
function everyNastyBody(): StrangerCase[] {
  const rows = recordedCallbacks.flatMap(({ given, fact }) =>
    nastyBodies.flatMap(([what, body]) =>
      [{}, given.headers].map(headers => ({
        fact: `${what}, to a merchant with ${fact}`,
        given: { ...given, body, headers },
        believed: null,
      })),
    ),
  )
  // By the key alone: only there does a body of a stranger reach the parser.
  const byKey = recordedCallbacks.find(({ given }) => given.secrets.length === 0)!
  const huge = hugeBodies().flatMap(([what, body]) =>
    [byKey, recordedCallbacks[0]!].map(({ given, fact }) => ({
      fact: `${what}, to a merchant with ${fact}`,
      given: { ...given, body },
      believed: null,
    })),
  )
  return [...rows, ...huge]
}

function jsonOf(pairs: readonly (readonly [string, string])[]): string {
  return `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
}

/** Lone surrogates have no UTF-8: they are left to JSON, which can write them. */
function escaped(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString())
}
