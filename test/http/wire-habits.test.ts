import assert from 'node:assert/strict'
import { test } from 'node:test'
import { form, json, openApiUnderTest } from '../support/api-under-test.ts'
import { formBody, signed } from '../support/signed-request.ts'

// What clients do out of habit, and what is clear all the same.
const api = await openApiUnderTest()
const merchant = await api.addMerchant()
const user = { username: 'u', localusermark: '1' }
const request = signed(merchant, 'newAddress', user)
const { address } = (await api.ask(merchant, 'newAddress', user)).data

const paths = [
  '/api/merchant/newAddress/',
  '//api/merchant/newAddress',
  '/api//merchant///newAddress//',
  '/api/merchant/newAddress/?a=1',
]
for (const url of paths) {
  test(`${url} is the endpoint, signed by its name alone`, async () => {
    assert.equal(await addressAt(api, url, formBody(request)), address)
  })
}

for (const [what, contentType, body] of [
  ['a byte order mark before JSON', json, `\ufeff${JSON.stringify(request)}`],
  ['a byte order mark before a form', form, `\ufeff${formBody(request)}`],
  ['a line break behind JSON', json, `${JSON.stringify(request)}\n`],
  ['a line break behind a form', form, `${formBody(request)}\n`],
  ['two line breaks of Windows behind a form', form, `${formBody(request)}\r\n\r\n`],
  ['a line break behind a form that ends with &', form, `${formBody(request)}&\n`],
] as const) {
  test(`${what} is passed over`, async () => {
    assert.equal(await addressAt(api, '/api/merchant/newAddress', body, contentType), address)
  })
}

test('a line break within a form is part of a value, and so is an encoded one at its end', async () => {
  for (const body of [`${formBody({ ...request, username: 'u\n' })}`, `username=u\nx&${formBody(request)}`]) {
    const { code } = await api.post('newAddress', body, form)
    assert(code === 'bad_sign' || code === 'bad_request', code)
  }
})

test('however a path is written, it counts against the same limits', async () => {
  for (const limits of [{ ipRateLimitPerMinute: 3 }, { rateLimitPerMinute: 3 }]) {
    const limited = await openApiUnderTest(limits)
    const body = formBody(signed(await limited.addMerchant(), 'newAddress', user))
    const urls = ['/api/merchant/newAddress', ...paths.slice(0, 3)]
    const codes = []
    for (const url of urls) codes.push((await limited.app.inject(posted(url, body))).statusCode)
    assert.deepEqual(codes, [200, 200, 200, 429])
  }
})

test('GET / leads to the documentation', async () => {
  const { statusCode, headers } = await api.app.inject('/')
  assert.equal(statusCode, 302)
  assert.equal(new URL(`${headers.location}`, 'http://h/').pathname, '/docs')
  assert.equal((await api.app.inject('/docs')).statusCode, 200)
})

function posted(url: string, payload: string, contentType: string = form) {
  return { method: 'POST' as const, url, payload, headers: { 'content-type': contentType } }
}

async function addressAt(
  { app }: typeof api,
  url: string,
  body: string,
  contentType?: string,
): Promise<string> {
  const answer = (await app.inject(posted(url, body, contentType))).json()
  assert.equal(answer.status, 1, JSON.stringify(answer))
  return answer.data.address
}
