import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { Agent } from 'undici'
import { sendCallback } from '../../../src/callbacks/sending/send-callback.ts'
import { createGuardedAgent } from '../../../src/egress/guarded-agent.ts'
import type { ResolveHost } from '../../../src/egress/resolve-host.ts'
import { startBreakableProxy } from '../../support/breakable-proxy.ts'
import { type Answer, type MerchantEndpoint, startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { waitUntil } from '../../support/wait-until.ts'

test('a callback is one POST with its key, its signatures and its exact body', async () => {
  const endpoint = await startMerchantEndpoint({ status: 201, body: 'success' })
  const outcome = await send(`${endpoint.url}?a=1&b=two words#part`)
  assert.deepEqual(
    { ...outcome, durationMs: 0 },
    {
      kind: 'acknowledged',
      status: 201,
      durationMs: 0,
      answer: 'success',
    },
  )
  const [request] = endpoint.requests
  assert.equal(request!.method, 'POST')
  assert.equal(request!.path, '/callback?a=1&b=two%20words')
  assert.equal(request!.body, 'orderid=sh-1&sign=X')
  const { headers } = request!
  assert.equal(headers['content-type'], 'application/x-www-form-urlencoded')
  assert.equal(headers['idempotency-key'], 'cb_1')
  assert.equal(headers['webhook-id'], 'cb_1')
  assert.equal(headers['user-agent'], 'recharge-gateway')
  assert.equal(headers.accept, '*/*', 'without it, the OWASP core rules answer 403')
})

test('any 2xx acknowledges, and nothing else', async () => {
  const endpoint = await startMerchantEndpoint()
  for (const status of [200, 201, 202, 204, 299]) {
    endpoint.answer = { status }
    assert.equal((await send(endpoint.url)).kind, 'acknowledged', `${status}`)
  }
  for (const status of [300, 304, 400, 401, 404, 410, 429, 500, 503]) {
    endpoint.answer = { status, body: 'no' }
    const outcome = await send(endpoint.url)
    assert.deepEqual(
      { ...outcome, durationMs: 0 },
      { kind: 'refused', status, durationMs: 0, answer: status === 304 ? '' : 'no' },
    )
  }
})

test('a redirect is not followed', async () => {
  const elsewhere = await startMerchantEndpoint()
  const endpoint = await startMerchantEndpoint()
  for (const status of [301, 302, 303, 307, 308]) {
    endpoint.answer = { status, headers: { location: elsewhere.url } }
    assert.equal((await send(endpoint.url)).kind, 'refused', `${status}`)
  }
  assert.equal(elsewhere.requests.length, 0)
})

test('when the merchant wants a word, a 2xx without it does not acknowledge', async () => {
  const endpoint = await startMerchantEndpoint()
  const cases: [body: string, status: number, kind: string][] = [
    ['success', 200, 'acknowledged'],
    ['{"result":"success"}', 200, 'acknowledged'],
    ['unsuccessful', 200, 'refused'],
    ['', 200, 'refused'],
    ['success', 500, 'refused'],
    [`${' '.repeat(60_000)}success`, 200, 'acknowledged'],
    [`${' '.repeat(70_000)}success`, 200, 'refused'],
  ]
  for (const [body, status, kind] of cases) {
    endpoint.answer = { status, body }
    assert.equal((await send(endpoint.url, { acknowledgement: 'success' })).kind, kind, body.slice(-20))
  }
})

test('Retry-After comes back in milliseconds', async () => {
  const endpoint = await startMerchantEndpoint({ status: 503, headers: { 'retry-after': '120' } })
  const outcome = await send(endpoint.url)
  assert.equal(outcome.kind === 'refused' && outcome.retryAfterMs, 120_000)
})

test('an endless answer is read up to 64 KiB, and its status counts', async () => {
  const endpoint = await startMerchantEndpoint({ endless: true, status: 200 })
  const outcome = await send(endpoint.url)
  assert(outcome.kind === 'acknowledged')
  assert.equal(outcome.answer, 'x'.repeat(2048))
  assert.equal((await send(endpoint.url, { acknowledgement: 'success' })).kind, 'refused')
})

test('the deadline ends an attempt in every phase', async () => {
  const endpoint = await startMerchantEndpoint()
  const silent = createServer(socket => socket.on('error', () => undefined))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  after(() => silent.close())
  const never: ResolveHost = () => new Promise(() => undefined)
  const phases: [phase: string, url: string, answer: Answer, resolve?: ResolveHost][] = [
    ['DNS', 'http://shop.example/', { status: 200 }, never],
    ['TLS', `https://127.0.0.1:${(silent.address() as { port: number }).port}/`, { status: 200 }],
    ['headers', endpoint.url, { hang: true }],
    ['body', endpoint.url, { hang: true, status: 200 }],
    ['a drip', endpoint.url, { drip: true, status: 200, everyMs: 20 }],
    ['a late answer', endpoint.url, { status: 200, delayMs: 5_000 }],
  ]
  for (const [phase, url, answer, resolve] of phases) {
    endpoint.answer = answer
    const outcome = await send(url, { resolve, deadlineMs: 300 })
    assert(outcome.kind === 'failed', phase)
    assert.equal(outcome.failure, 'timeout', phase)
  }
})

test('an answer that goes silent in the middle is none, and the next attempt has a connection of its own', async () => {
  const body = `success${' '.repeat(30_000)}`
  const endpoint = await startMerchantEndpoint({ status: 200, body, delayMs: 100 })
  const proxy = await startBreakableProxy(endpoint.url)
  const agent = createGuardedAgent({ allowedNetworks: ['127.0.0.0/8'], connectTimeoutMs: 5_000 })
  after(() => agent.destroy())
  const options = { acknowledgement: 'success', deadlineMs: 1_000, agent }
  const sending = send(proxy.url, options)
  await waitUntil('it has come', () => endpoint.requests.length === 1)
  proxy.forget(20_000)
  const cut = await sending
  assert(cut.kind === 'failed', JSON.stringify(cut))
  assert.deepEqual([cut.failure, cut.status], ['timeout', 200])
  assert.equal((await send(proxy.url, options)).kind, 'acknowledged')
  assert.equal(endpoint.requests.length, 2)
  assert(proxy.dialled > 1)
})

test('an answer that breaks off or is not HTTP is a failure of its kind', async () => {
  const endpoint = await startMerchantEndpoint()
  const cases: [answer: Answer, failure: string, status?: number][] = [
    [{ reset: true }, 'reset'],
    [{ reset: true, status: 200 }, 'reset', 200],
    [{ raw: 'SSH-2.0-OpenSSH_9.6\r\n' }, 'bad_answer'],
    [{ raw: '' }, 'reset'],
    [{ raw: `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(1_000_000)}\r\n\r\n` }, 'bad_answer'],
    [{ raw: 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n' }, 'bad_answer'],
    [{ raw: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n' }, 'bad_answer', 200],
    [{ raw: Buffer.from([0, 1, 2, 3, 255]) }, 'bad_answer'],
    // Shorter than its length; two lengths; a length with chunks; no such status; the answer of another protocol.
    [{ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok' }, 'reset', 200],
    [{ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok' }, 'bad_answer'],
    [
      { raw: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n' },
      'bad_answer',
    ],
    [
      { raw: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n' },
      'bad_answer',
      200,
    ],
    [{ raw: 'HTTP/1.1 20 OK\r\n\r\n' }, 'bad_answer'],
    [{ raw: 'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n' }, 'reset'],
    [{ raw: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' }, 'bad_answer'],
  ]
  for (const [answer, failure, status] of cases) {
    endpoint.answer = answer
    const outcome = await send(endpoint.url)
    assert(outcome.kind === 'failed', JSON.stringify(outcome))
    assert.equal(outcome.failure, failure, `${JSON.stringify(answer).slice(0, 60)} ${outcome.reason}`)
    assert.equal(outcome.status, status)
  }
})

test('an endpoint that cannot be reached is a failure of its kind', async () => {
  const endpoint = await startMerchantEndpoint()
  await endpoint.close()
  const open = await startMerchantEndpoint()
  const unknown = async () => {
    throw Object.assign(new Error('queryA ENOTFOUND shop.example'), { code: 'ENOTFOUND', syscall: 'queryA' })
  }
  const nameServerDown = async () => {
    throw Object.assign(new Error('queryA ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'queryA' })
  }
  const cases: [url: string, failure: string, resolve?: ResolveHost][] = [
    [endpoint.url, 'connect'],
    [`https://127.0.0.1:${open.port}/`, 'tls'],
    ['https://shop.example/', 'dns', unknown],
    ['https://shop.example/', 'dns', nameServerDown],
    ['https://shop.example/', 'blocked', async () => ['10.0.0.1']],
    ['https://10.0.0.1/', 'blocked'],
  ]
  for (const [url, failure, resolve] of cases) {
    const outcome = await send(url, { resolve })
    assert(outcome.kind === 'failed', url)
    assert.equal(outcome.failure, failure, `${url} ${outcome.reason}`)
  }
})

test('interim answers are not taken for the answer, and a flood of them ends the attempt', async () => {
  const endpoint = await startMerchantEndpoint({
    raw: 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
  })
  const outcome = await send(endpoint.url)
  assert.equal(outcome.kind === 'acknowledged' && outcome.answer, 'ok')
  endpoint.answer = { raw: 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(10_000) }
  const flood = await send(endpoint.url)
  assert.equal(flood.kind === 'failed' && flood.failure, 'bad_answer')
})

test('the stored part of an answer is text that Postgres accepts, at most 2 KiB, whatever was sent', async () => {
  const endpoint = await startMerchantEndpoint()
  const known: [sent: Buffer, kept: string][] = [
    [Buffer.from('ok\0ok'), 'ok\ufffdok'],
    [Buffer.from([0x6f, 0xff, 0x6b]), 'o\ufffdk'],
    [Buffer.from('€'.repeat(700)), '€'.repeat(682)],
  ]
  for (const [sent, kept] of known) {
    endpoint.answer = { status: 200, body: sent }
    const outcome = await send(endpoint.url)
    assert.equal(outcome.kind === 'acknowledged' && outcome.answer, kept)
  }
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async bytes => {
      endpoint.answer = { status: 200, body: Buffer.from(bytes) }
      const outcome = await send(endpoint.url)
      assert(outcome.kind === 'acknowledged')
      assert(Buffer.byteLength(outcome.answer) <= 2048)
      assert(!outcome.answer.includes('\0') && !outcome.answer.match(/\p{Surrogate}/u))
    }),
    { numRuns: 50 },
  )
})

interface SendOptions {
  acknowledgement?: string | undefined
  resolve?: ResolveHost | undefined
  deadlineMs?: number
  /** By default one of its own. */
  agent?: Agent
}

async function send(url: MerchantEndpoint['url'], options: SendOptions = {}) {
  const agent =
    options.agent ??
    createGuardedAgent({
      allowedNetworks: ['127.0.0.0/8'],
      connectTimeoutMs: 5_000,
      ...(options.resolve && { resolve: options.resolve }),
    })
  try {
    return await sendCallback(
      agent,
      {
        url,
        contentType: 'application/x-www-form-urlencoded',
        body: 'orderid=sh-1&sign=X',
        key: 'cb_1',
        webhookHeaders: { 'webhook-id': 'cb_1', 'webhook-timestamp': '1', 'webhook-signature': 'v1,x' },
        wanted: { acknowledgement: options.acknowledgement ?? null, acknowledgementAnywhere: false },
      },
      options.deadlineMs ?? 10_000,
    )
  } finally {
    if (!options.agent) await agent.destroy()
  }
}
