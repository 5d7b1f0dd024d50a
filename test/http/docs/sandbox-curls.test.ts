import assert from 'node:assert/strict'
import { test } from 'node:test'
import { merchantEndpoints } from '../../../src/http/app.ts'
import { form, openApiUnderTest } from '../../support/api-under-test.ts'
import { startMerchantEndpoint } from '../../support/merchant-endpoint.ts'

test('on a sandbox, the curl commands of the page work as they are, from top to bottom', async () => {
  const { url: callbackUrl } = await startMerchantEndpoint()
  const api = await openApiUnderTest({ tronNetwork: 'sandbox', callbackAllowedNetworks: ['127.0.0.0/8'] })
  await api.addMerchant({ scheme: 'sha1' })
  const { appid } = await api.addMerchant({ callbackUrl })
  await api.addMerchant()
  const commands = await commandsOf(api)
  assert.equal(commands.length, merchantEndpoints(api.options).length)
  for (const { base, path, body } of commands) {
    assert.equal(base, 'http://sandbox.example:8080')
    assert.equal(new URLSearchParams(body).get('appid'), appid)
    const answer = await api.app.inject({
      method: 'POST',
      url: path,
      payload: body,
      headers: { 'content-type': form },
    })
    assert.equal(answer.json().status, 1, `${path}: ${answer.body}`)
  }
})

test('on a real network, they are signed with the published key, for nobody’s appid', async () => {
  const api = await openApiUnderTest({ tronNetwork: 'nile' })
  const { appid } = await api.addMerchant()
  const commands = await commandsOf(api)
  assert.equal(commands.length, merchantEndpoints(api.options).length)
  for (const { base, body } of commands) {
    assert.equal(base, '"$GATEWAY_URL"')
    assert.notEqual(new URLSearchParams(body).get('appid'), appid)
  }
})

test('a Host header that is none gets into no command', async () => {
  const api = await openApiUnderTest({ tronNetwork: 'sandbox' })
  await api.addMerchant()
  const { body } = await api.app.inject({ url: '/docs/json', headers: { host: 'a.example$(reboot)' } })
  assert.doesNotMatch(body, /reboot/)
})

test('the table of errors stands behind the endpoints', async () => {
  const api = await openApiUnderTest()
  const { info, tags } = (await api.app.inject('/docs/json')).json()
  assert.doesNotMatch(info.description, /\| `bad_sign` \|/)
  assert.equal(tags.at(-1).name, 'Errors')
  assert.match(tags.at(-1).description, /\| `bad_sign` \| 401 \|/)
})

async function commandsOf({ app }: Awaited<ReturnType<typeof openApiUnderTest>>) {
  const document = (await app.inject({ url: '/docs/json', headers: { host: 'sandbox.example:8080' } })).json()
  const operations = Object.values<{ post: { description: string } }>(document.paths)
  return operations.map(({ post }) => {
    const [, base, path, body] = /```sh\ncurl (\S+?)(\/api\/merchant\/\w+) -d '([^']+)'\n```/.exec(
      post.description,
    )!
    return { base, path, body }
  })
}
