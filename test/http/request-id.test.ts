import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { requestIds } from '../../src/http/request-context.ts'
import { form, openApiUnderTest, readAnswer } from '../support/api-under-test.ts'
import { formBody, signed } from '../support/signed-request.ts'

// every-refusal.test.ts compares the id of each refusal with its line in the log, keep-requests.test.ts with api_request.
const api = await openApiUnderTest()
const merchant = await api.addMerchant()
const user = { username: 'u', localusermark: '1' }

test('every answer has an id of its own: successes, pages, probes and refusals', async () => {
  const answers = [
    ...(await Promise.all(Array.from({ length: 20 }, () => api.ask(merchant, 'newAddress', user)))),
    await api.post('newAddress', 'a=1'),
    ...(await Promise.all(['/docs', '/docs/json', '/healthz', '/nothing'].map(url => api.app.inject(url)))),
  ]
  const ids = answers.map(({ headers }) => String(headers['x-request-id']))
  for (const id of ids) assert.match(id, /^[0-9a-f]{20}$/)
  assert.equal(new Set(ids).size, ids.length)
})

test('an x-request-id that the client sends is neither taken, returned nor logged', async () => {
  const logged = api.logged().length
  for (const sent of ['00000000000000000000', 'x'.repeat(4_000), '<script>', '{"code":"forged"}']) {
    for (const key of [merchant.key, 'another key']) {
      const response = await api.app.inject({
        method: 'POST',
        url: '/api/merchant/newAddress',
        headers: { 'content-type': form, 'x-request-id': sent, 'request-id': sent },
        payload: formBody(signed({ ...merchant, key }, 'newAddress', user)),
      })
      const { headers, text } = readAnswer(response)
      assert.match(String(headers['x-request-id']), /^[0-9a-f]{20}$/)
      assert.notEqual(headers['x-request-id'], sent)
      assert.ok(!text.includes(sent))
    }
    assert.ok(!api.logged().slice(logged).includes(sent))
  }
})

test('bytes that never became a request have an id too, the one in the log', async () => {
  const { port } = new URL(await api.app.listen({ host: '127.0.0.1', port: 0 }))
  const logged = api.logged().length
  const socket = connect(Number(port), '127.0.0.1').end('not http\r\n\r\n')
  let said = ''
  for await (const chunk of socket) said += chunk
  const [, id] = /^x-request-id: ([0-9a-f]{20})\r$/m.exec(said)!
  assert.equal(JSON.parse(api.logged().slice(logged)).requestId, id)
})

test('ids do not repeat, in one process or in two', () => {
  const [one, two] = [requestIds(), requestIds()]
  const ids = new Set(Array.from({ length: 5_000 }, () => [one(), two()]).flat())
  assert.equal(ids.size, 10_000)
})
