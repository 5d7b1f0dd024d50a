import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ErrorCode, errorCodes } from '../../src/base/errors.ts'
import { merchantEndpoints } from '../../src/http/app.ts'
import { readFormParameters } from '../../src/http/body/form-parameters.ts'
import { readJsonParameters } from '../../src/http/body/json-parameters.ts'
import { signParameters } from '../../src/merchants/signature.ts'
import { type Answer, form, json, openApiUnderTest } from '../support/api-under-test.ts'
import { formBody, signed, stamp } from '../support/signed-request.ts'

const api = await openApiUnderTest({ callbackAllowedNetworks: ['127.0.0.0/8'] })
const merchant = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
await api.ask(merchant, 'newAddress', { username: 'u', localusermark: '1' })
const endpoints = merchantEndpoints(api.options)

/** The least that must hold of any answer: the envelope, a code of the table, nothing of our insides. */
function soundRefusal({ status, code, httpStatus, text }: Answer): void {
  if (status === 1) return
  assert.equal(status, 0)
  assert.ok(Object.keys(errorCodes).includes(code!), text)
  assert.equal(errorCodes[code as ErrorCode].status, httpStatus, text)
  assert.ok(httpStatus < 500, text)
  assert.doesNotMatch(text, /node:|node_modules|\.ts\b|\bat \w+ \(|SELECT|select |syntax error|undefined/)
}

/** Names and values as a merchant's code may send them: odd, but text. */
const refusedNames = ['__proto__', 'constructor', 'prototype']
const parameterName = fc
  .stringMatching(/^[A-Za-z0-9_]{1,12}$/)
  .filter(name => name !== 'sign' && !refusedNames.includes(name))
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e3',
    '9'.repeat(400),
    '0.0000001',
    'null',
    'auto',
    '\u0000',
    "'; drop table",
    '%00',
  ),
)
const parameters = fc.dictionary(parameterName, anyText, { maxKeys: 8, noNullPrototype: true })

test('whatever bytes come as a body, they are refused in the envelope', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map(array => Buffer.from(array)),
    fc.json({ maxDepth: 6 }).map(text => Buffer.from(text)),
    fc
      .tuple(fc.json(), fc.nat(200), fc.constantFrom('{', '"', '\\u', '}', ',', '\u0000', '\ufeff', '1e999'))
      .map(([text, at, piece]) => Buffer.from(text.slice(0, at) + piece + text.slice(at))),
  )
  await fc.assert(
    fc.asyncProperty(bytes, fc.constantFrom(json, form), async (body, contentType) => {
      soundRefusal(await api.post('TraderRechargeorder', body, contentType))
    }),
    { numRuns: 300 },
  )
})

test('deep nesting, huge numbers and long names are refused as fast as anything', async () => {
  const bodies = [
    '['.repeat(8_000),
    '{"a":'.repeat(3_000),
    `{"a":${'['.repeat(8_000)}`,
    `{"a":${'9'.repeat(16_000)}}`,
    `{"a":1e${'9'.repeat(300)}}`,
    `{"a":-0.${'0'.repeat(9_000)}1}`,
    `{"${'a'.repeat(16_000)}":"1"}`,
    `{${'"a":"1",'.repeat(1_500)}"b":"1"}`,
    `{"a":"${'\\u0000'.repeat(2_000)}"}`,
    `{"a":"${'\\ud800'.repeat(2_000)}"}`,
  ]
  for (const body of bodies) {
    const answer = await api.post('TraderRechargeorder', body, json)
    soundRefusal(answer)
    assert.ok(['bad_request', 'bad_sign'].includes(answer.code!), answer.text)
  }
  for (const body of ['a=%zz', '%', 'a=1&a=2', `${'a=1&'.repeat(4_000)}`, '=&=&=', 'a[b]=1', 'a=%c3%28']) {
    const answer = await api.post('TraderRechargeorder', body, form)
    soundRefusal(answer)
    assert.equal(answer.status, 0)
  }
})

for (const endpoint of endpoints) {
  test(`${endpoint.name}: rightly signed, whatever its parameters hold, is answered or refused, never failed`, async () => {
    const own = Object.keys(endpoint.parameters.properties)
    const values = fc.record(
      Object.fromEntries(
        own.map(name => [name, fc.oneof(anyText, fc.constantFrom('1', '3', 'auto', 'sh-1'))]),
      ),
      { requiredKeys: [], noNullPrototype: true },
    )
    await fc.assert(
      fc.asyncProperty(values, parameters, fc.constantFrom('form', 'json'), async (some, others, as) => {
        // A URL among them would be called, by testcallback.
        const asked = { ...others, ...some, ...stamp(), notify_url: 'http://127.0.0.1:9/' }
        // What cannot be written as UTF-8 comes as something else, and is not what was signed.
        soundRefusal(await api.ask(merchant, endpoint.name, wellFormed(asked), as as 'form' | 'json'))
      }),
      { numRuns: 60 },
    )
  })
}

test('what is signed verifies, by form and by JSON alike; one thing changed does not', async () => {
  await fc.assert(
    fc.asyncProperty(parameters, fc.nat(), async (some, pick) => {
      const asked = wellFormed({ ...some, localusermark: 'nobody' })
      const whole = signed(merchant, 'finduseraddress', asked)
      for (const [body, contentType] of [
        [formBody(whole), form],
        [JSON.stringify(whole), json],
      ] as const) {
        assert.notEqual((await api.post('finduseraddress', body, contentType)).code, 'bad_sign')
      }
      const names = Object.keys(whole).filter(name => name !== 'sign')
      const name = names[pick % names.length]!
      const changed = { ...whole, [name]: `${whole[name]}x` }
      assert.equal((await api.post('finduseraddress', formBody(changed))).code, 'bad_sign')
    }),
    { numRuns: 100 },
  )
})

test('both ways of writing a body are read as the same parameters, in any order of names', () => {
  fc.assert(
    fc.property(parameters, fc.nat(), (some, turn) => {
      const written = wellFormed(some)
      const entries = Object.entries(written)
      const turned = Object.fromEntries([
        ...entries.slice(turn % (entries.length + 1)),
        ...entries.slice(0, turn % (entries.length + 1)),
      ])
      const read = readJsonParameters(JSON.stringify(turned))
      assert.deepEqual({ ...read }, written)
      assert.deepEqual({ ...readFormParameters(formBody(turned)) }, written)
      assert.equal(
        signParameters('hmac-sha256', 'orders', read, 'k'),
        signParameters('hmac-sha256', 'orders', written, 'k'),
      )
    }),
  )
})

test('a name that stands twice is refused, however it is spelled', async () => {
  await fc.assert(
    fc.asyncProperty(parameterName, anyText, anyText, async (name, first, second) => {
      const escaped = [...name].map(c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
      const [one, two] = [JSON.stringify(first), JSON.stringify(second)]
      for (const twin of [name, escaped]) {
        const { code } = await api.post('newAddress', `{"${name}":${one},"x1":"","${twin}":${two}}`, json)
        assert.equal(code, 'bad_request')
      }
      const percent = [...name].map(c => `%${c.charCodeAt(0).toString(16)}`).join('')
      assert.equal((await api.post('newAddress', `${name}=1&${percent}=2`)).code, 'bad_request')
    }),
    { numRuns: 50 },
  )
})

test('bytes that are no HTTP, cut anywhere, neither fail nor hang the door, and it goes on serving', async () => {
  const url = new URL(await api.app.listen({ host: '127.0.0.1', port: 0 }))
  const request = (body: string) =>
    `POST /api/merchant/newAddress HTTP/1.1\r\nHost: h\r\nContent-Type: ${form}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const noise = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map(array => Buffer.from(array)),
    fc
      .tuple(fc.nat(120), fc.uint8Array({ maxLength: 20 }))
      .map(([at, bytes]) =>
        Buffer.concat([
          Buffer.from(request('a=1').slice(0, at)),
          Buffer.from(bytes),
          Buffer.from(request('a=1').slice(at)),
        ]),
      ),
  )
  await fc.assert(
    fc.asyncProperty(noise, async bytes => {
      const answer = await exchange(Number(url.port), bytes)
      for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm))
        assert.ok(Number(status) < 500, answer)
      assert.doesNotMatch(answer, /node:|node_modules|\bat \w+ \(/)
    }),
    { numRuns: 150 },
  )
  const sent = { method: 'POST', headers: { 'content-type': form }, body: 'a=1' }
  const answer = await fetch(new URL('/api/merchant/newAddress', url), sent)
  assert.equal(answer.status, 401)
  assert.match(await answer.text(), /bad_sign/)
})

/** Sends, says that nothing more comes, and reads until the other side has finished too. */
function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes))
    // Far above what an answer takes, and only there so that a hang is a failure.
    socket.setTimeout(30_000, () => socket.destroy(new Error('nothing came back')))
    socket.on('data', chunk => chunks.push(chunk))
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.on('error', error => {
      // Reset: it was told to go away, which is an answer.
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') resolve('')
      else reject(error)
    })
  })
}

/** Without lone surrogates: they have no bytes in UTF-8, so nobody can send them. */
function wellFormed(all: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [name, Buffer.from(value, 'utf8').toString('utf8')]),
  )
}
