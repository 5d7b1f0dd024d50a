import assert from 'node:assert/strict'
import { syncBuiltinESMExports } from 'node:module'
import { createServer, isIP } from 'node:net'
import os from 'node:os'
import { after, mock, test } from 'node:test'
import { attemptCallback } from '../../src/callbacks/sending/attempt-callback.ts'
import { sendCallback } from '../../src/callbacks/sending/send-callback.ts'
import { literalAddress } from '../../src/egress/egress-guard.ts'
import { createGuardedAgent } from '../../src/egress/guarded-agent.ts'
import type { ResolveHost } from '../../src/egress/resolve-host.ts'
import type { Merchant } from '../../src/merchants/merchant.ts'
import { startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { countConnections } from './counted-connections.ts'
import { privateHosts, refusedUrls } from './refused-urls.ts'

// A URL that was allowed when the order was made is checked again at every dial. A listener on all addresses of this machine
// counts the connections that get through.
const counted = await countConnections()
const { port } = counted

test(`none of ${refusedUrls.length} refused URLs is called, even if an order has one`, async () => {
  const agent = guard([], async () => ['127.0.0.1'])
  for (const url of refusedUrls) {
    const { outcome } = await attempt(url, agent)
    assert(outcome.kind === 'failed', url)
    assert.equal(outcome.failure, url === '' ? 'no_url' : 'blocked', url)
  }
})

test('a refused URL whose text was not checked is refused at the dial', async () => {
  let asked = 0
  const agent = guard([], async () => {
    asked++
    return ['127.0.0.1']
  })
  for (const url of refusedUrls) {
    if (!URL.canParse(url)) continue
    const here = new URL(url)
    here.port = `${port}`
    const outcome = await send(here.href, agent)
    // undici does not dial other schemes.
    const wanted = /^https?:/.test(here.origin) ? 'blocked' : 'network'
    assert.deepEqual([outcome.kind, 'failure' in outcome && outcome.failure], ['failed', wanted], here.href)
  }
  assert(asked > 0)
  assert.equal(counted.connections, 0)
})

test('a name that resolves to any private address is refused, in every form of the address', async () => {
  const literals = privateHosts.flatMap(host => {
    const url = `https://${host}/`
    return URL.canParse(url) ? (literalAddress(new URL(url).hostname) ?? []) : []
  })
  assert(literals.length > 80)
  let answer: string[] = []
  const agent = guard([], async () => answer)
  for (const address of [
    ...literals,
    '::ffff:127.0.0.1',
    'fe80::1%lo',
    '::1%lo',
    '2606:4700:4700::1111%lo',
    '127.1',
    '0x7f000001',
    '',
  ]) {
    for (answer of [[address], ['8.8.8.8', address], [address, '2606:4700:4700::1111']]) {
      const outcome = await send(`https://shop.example:${port}/`, agent)
      assert.equal('failure' in outcome && outcome.failure, 'blocked', `${answer}`)
    }
  }
  assert.equal(counted.connections, 0)
})

test('a name with a trailing dot is resolved and checked like any other', async () => {
  for (const name of ['shop.example.', 'SHOP.EXAMPLE.', 'localhost.']) {
    const outcome = await send(
      `https://${name}:${port}/`,
      guard([], async () => ['127.0.0.1']),
    )
    assert.equal('failure' in outcome && outcome.failure, 'blocked', name)
  }
})

test('a name with only IPv6 addresses is dialled by IPv6', async t => {
  const server = createServer(socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nv6'))
  const failed = await new Promise<Error | null>(resolve => {
    server.once('error', resolve).listen(0, '::1', () => resolve(null))
  })
  if (failed) return t.skip('this machine has no IPv6')
  t.after(() => server.close())
  const url = `http://shop.example:${(server.address() as { port: number }).port}/`
  const reached = await send(
    url,
    guard(['::1/128'], async () => ['::1']),
  )
  assert.equal(reached.kind === 'acknowledged' && reached.answer, 'v6')
  const refused = await send(
    url,
    guard(['127.0.0.0/8'], async () => ['::1']),
  )
  assert.equal('failure' in refused && refused.failure, 'blocked')
})

test('a connection kept alive for one name is not used for another with the same address and port', async () => {
  const endpoint = await startMerchantEndpoint()
  const answers: Record<string, string[]> = { 'a.example': ['127.0.0.1'], 'b.example': ['10.0.0.1'] }
  const agent = guard(['127.0.0.1/32'], async name => answers[name]!)
  const to = (name: string) => send(`http://${name}:${endpoint.port}/`, agent)
  assert.equal((await to('a.example')).kind, 'acknowledged')
  const other = await to('b.example')
  assert.equal('failure' in other && other.failure, 'blocked')
  assert.equal((await to('a.example')).kind, 'acknowledged')
  assert.deepEqual(
    endpoint.requests.map(({ headers }) => headers.host),
    [`a.example:${endpoint.port}`, `a.example:${endpoint.port}`],
  )
})

test('a redirect to a denied address is an answer like any other', async () => {
  const endpoint = await startMerchantEndpoint()
  const asked: string[] = []
  const agent = guard(['127.0.0.1/32'], async name => {
    asked.push(name)
    return ['127.0.0.1']
  })
  for (const location of [
    'http://169.254.169.254/latest/meta-data/',
    `http://metadata.google.internal:${port}/`,
    `http://127.0.0.1:${port}/`,
    `//127.0.0.1:${port}/`,
    'file:///etc/passwd',
  ]) {
    for (const status of [301, 302, 303, 307, 308]) {
      const headers = { location, refresh: `0; url=${location}`, 'alt-svc': `h2=":${port}"` }
      endpoint.answer = { status, headers }
      assert.deepEqual(
        [(await send(`http://shop.example:${endpoint.port}/`, agent)).kind],
        ['refused'],
        location,
      )
    }
  }
  assert.deepEqual(new Set(asked), new Set(['shop.example']))
  assert.equal(counted.connections, 0)
})

test("this machine's own public addresses are refused, unless they are allowed", async () => {
  // Addresses to which nothing is routed, in case the guard lets one through.
  const own = [face('198.41.0.4', 'IPv4'), face('2001:503:ba3e::2:30', 'IPv6')]
  mock.method(os, 'networkInterfaces', () => ({ eth0: own }))
  syncBuiltinESMExports()
  try {
    for (const host of ['198.41.0.4', '[::ffff:198.41.0.4]', '[2001:503:ba3e::2:30]']) {
      const outcome = await send(
        `https://${host}:${port}/`,
        guard([], async () => assert.fail('resolved')),
      )
      assert.match('reason' in outcome ? outcome.reason : '', /this machine$/, host)
    }
    for (const { address } of own) {
      const outcome = await send(
        `https://shop.example:${port}/`,
        guard([], async () => [address]),
      )
      assert.match('reason' in outcome ? outcome.reason : '', /this machine$/, address)
    }
  } finally {
    mock.restoreAll()
    syncBuiltinESMExports()
  }
})

function guard(allowedNetworks: string[], resolve: ResolveHost) {
  const agent = createGuardedAgent({ allowedNetworks, connectTimeoutMs: 1_000, resolve })
  after(() => agent.destroy())
  return agent
}

function send(url: string, agent: ReturnType<typeof guard>) {
  const callback = {
    contentType: 'text/plain',
    body: 'x',
    key: 'cb_1',
    webhookHeaders: {},
    wanted: { acknowledgement: null, acknowledgementAnywhere: false },
  }
  return sendCallback(agent, { ...callback, url }, 20_000)
}

function attempt(url: string, agent: ReturnType<typeof guard>) {
  const merchant = { callbackUrl: url, keys: [{ id: 1n, scheme: 'sha1', key: 'k', promoted: true }] }
  const callback = { notifyUrl: null, facts: {} as never, now: new Date() }
  return attemptCallback(callback, merchant as unknown as Merchant, {
    agent,
    allowedNetworks: [],
    deadlineMs: 20_000,
  })
}

function face(address: string, family: 'IPv4' | 'IPv6'): os.NetworkInterfaceInfo {
  assert(isIP(address))
  const rest = { netmask: '', mac: '', internal: false, cidr: null }
  return family === 'IPv4' ? { address, family, ...rest } : { address, family, scopeid: 0, ...rest }
}
