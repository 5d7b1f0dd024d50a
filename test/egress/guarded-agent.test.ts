import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Agent } from 'undici'
import { createGuardedAgent } from '../../src/egress/guarded-agent.ts'
import { startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { countConnections } from './counted-connections.ts'
import { privateHosts } from './refused-urls.ts'

// A listener on all addresses of this machine counts the connections that get through.
const counted = await countConnections()
const { port } = counted

test('no spelling of a private host gets a connection, whatever a name resolves to', async () => {
  const agent = guard([], async () => ['127.0.0.1'])
  for (const host of privateHosts) {
    for (const scheme of ['http', 'https']) {
      const target = `${scheme}://${host}:${port}`
      if (!URL.canParse(target)) continue
      await assert.rejects(post(agent, new URL(target).origin), { code: 'EGRESS_REFUSED' }, target)
    }
  }
  assert.equal(counted.connections, 0)
})

test('a name is resolved once per dial: the address that was checked is the address that is dialled', async () => {
  const endpoint = await startMerchantEndpoint()
  const asked: string[] = []
  const agent = guard(['127.0.0.0/8'], async hostname => {
    asked.push(hostname)
    return ['127.0.0.1']
  })
  const { statusCode } = await post(agent, `http://shop.example:${endpoint.port}`)
  assert.equal(statusCode, 200)
  assert.deepEqual(asked, ['shop.example'])
  assert.equal(endpoint.requests[0]!.headers.host, `shop.example:${endpoint.port}`)
})

test('a name that resolves to a private address after it was checked is refused at the next dial', async () => {
  const endpoint = await startMerchantEndpoint({ status: 200, headers: { connection: 'close' } })
  const answers = [['127.0.0.1'], ['10.0.0.1']]
  const agent = guard(['127.0.0.1/32'], async () => answers.shift()!)
  const target = `http://shop.example:${endpoint.port}`
  assert.equal((await post(agent, target)).statusCode, 200)
  await assert.rejects(post(agent, target), { code: 'EGRESS_REFUSED', message: /10\.0\.0\.1: private/ })
})

test('one private address among public ones refuses the dial', async () => {
  for (const mixed of [
    ['8.8.8.8', '127.0.0.1'],
    ['127.0.0.1', '8.8.8.8'],
    ['2606:4700:4700::1111', '::1'],
    ['8.8.8.8', '::ffff:10.0.0.1'],
    ['8.8.8.8', '64:ff9b::7f00:1'],
    ['8.8.8.8', 'not an address'],
  ]) {
    const agent = guard([], async () => mixed)
    await assert.rejects(post(agent, `https://shop.example:${port}`), { code: 'EGRESS_REFUSED' }, `${mixed}`)
  }
  assert.equal(counted.connections, 0)
})

test('http stays within the allowed networks, also by name', async () => {
  const agent = guard(['10.0.0.0/8'], async () => ['8.8.8.8'])
  await assert.rejects(post(agent, `http://shop.example:${port}`), {
    code: 'EGRESS_REFUSED',
    message: /https/,
  })
})

test('a port of another protocol is not dialled', async () => {
  const agent = guard(['127.0.0.0/8'], async () => ['127.0.0.1'])
  await assert.rejects(post(agent, 'http://127.0.0.1:6379'), { message: 'must not use port 6379' })
})

test('a literal address is not resolved, and is checked all the same', async () => {
  const agent = guard([], async () => assert.fail('resolved a literal'))
  await assert.rejects(post(agent, `https://127.0.0.1:${port}`), { code: 'EGRESS_REFUSED' })
  await assert.rejects(post(agent, `https://[::1]:${port}`), { code: 'EGRESS_REFUSED' })
})

test('a name without addresses, or that cannot be resolved, fails with its own error', async () => {
  await assert.rejects(
    post(
      guard([], async () => []),
      'https://shop.example',
    ),
    { code: 'ENOTFOUND' },
  )
  const agent = guard([], async () => {
    throw Object.assign(new Error('queryA ESERVFAIL shop.example'), { code: 'ESERVFAIL', syscall: 'queryA' })
  })
  await assert.rejects(post(agent, 'https://shop.example'), { code: 'ESERVFAIL' })
})

test('proxies of the environment are not used', async () => {
  const proxy = await startMerchantEndpoint()
  const endpoint = await startMerchantEndpoint()
  const before = { ...process.env }
  process.env.HTTP_PROXY = process.env.http_proxy = process.env.ALL_PROXY = `http://127.0.0.1:${proxy.port}`
  try {
    await post(
      guard(['127.0.0.0/8'], async () => []),
      `http://127.0.0.1:${endpoint.port}`,
    )
  } finally {
    for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY']) delete process.env[name]
    Object.assign(process.env, before)
  }
  assert.equal(proxy.requests.length, 0)
  assert.equal(endpoint.requests.length, 1)
})

function guard(allowedNetworks: string[], resolve: (hostname: string) => Promise<string[]>): Agent {
  const agent = createGuardedAgent({ allowedNetworks, connectTimeoutMs: 1_000, resolve })
  after(() => agent.destroy())
  return agent
}

async function post(agent: Agent, origin: string) {
  const response = await agent.request({ origin, path: '/callback', method: 'POST', body: 'x' })
  await response.body.dump()
  return response
}
