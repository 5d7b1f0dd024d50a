import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { createMetrics } from '../../src/base/metrics.ts'
import { openApiUnderTest } from '../support/api-under-test.ts'
import { formBody, signed } from '../support/signed-request.ts'

// What inject cannot show: bodies that come slowly or not at all, over real connections.
const registry = createMetrics()
const api = await openApiUnderTest({ registry })
const address = new URL(await api.app.listen({ port: 0, host: '127.0.0.1' }))
const merchant = await api.addMerchant()
const path = '/api/merchant/newAddress'
const head = (length: number) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`

/** Opens a connection; everything that comes back until it is closed. */
function talk(): { send(text: string): void; closed: Promise<string>; said(): string } {
  const socket = connect(Number(address.port), address.hostname)
  after(() => socket.destroy())
  let said = ''
  socket.on('data', chunk => {
    said += chunk
  })
  socket.on('error', () => undefined) // A reset is an end like any other here.
  const closed = new Promise<string>(resolve => socket.on('close', () => resolve(said)))
  return { send: text => void socket.write(text), closed, said: () => said }
}

test('slow requests are answered 408 and cut, while others are served', { timeout: 60_000 }, async () => {
  const silent = talk()
  silent.send(head(100))
  const dripping = talk()
  dripping.send(head(16_000))
  const headers = talk()
  headers.send(`POST ${path} HTTP/1.1\r\nHost: x\r\n`)
  const cut = Promise.all([silent, dripping, headers].map(connection => connection.closed))
  const drip = setInterval(() => {
    dripping.send('{')
    headers.send('X-A: b\r\n')
  }, 200)
  after(() => clearInterval(drip))
  const body = formBody(signed(merchant, 'newAddress', { username: 'u', localusermark: '1' }))
  const served = await fetch(new URL(path, address), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
  })
  assert.equal(served.status, 200)
  const answers = await cut
  clearInterval(drip)
  for (const answer of answers) {
    assert.match(answer, /^HTTP\/1.1 408 /)
    assert.match(answer, /^x-request-id: [0-9a-f]{20}\r$/m)
    assert.match(answer, /"status":0,"err":"the request did not arrive in time","code":"bad_request"/)
  }
})

test('a body that is announced as too large is refused before it comes', async () => {
  const connection = talk()
  connection.send(head(16 * 1024 + 1))
  assert.match(await connection.closed, /^HTTP\/1.1 413 [\s\S]*"code":"too_large"/)
})

test('a chunked body is cut off where it becomes too large', async () => {
  const connection = talk()
  connection.send(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
  )
  const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`
  for (let i = 0; i < 5; i++) connection.send(chunk)
  assert.match(await connection.closed, /^HTTP\/1.1 413 [\s\S]*"code":"too_large"/)
})

test('headers that are too long and bytes that are not HTTP are answered in the envelope', async () => {
  const long = talk()
  long.send(`POST ${path} HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`)
  assert.match(await long.closed, /^HTTP\/1.1 431 [\s\S]*"code":"bad_request"/)
  const noise = talk()
  noise.send('\u0016\u0003\u0001\u0002\u0000 not http\r\n\r\n')
  assert.match(await noise.closed, /^HTTP\/1.1 400 [\s\S]*"code":"bad_request"/)
})

test('two lengths, or a length and chunks, are no request: nothing can be smuggled behind it', async () => {
  for (const lengths of [
    'Content-Length: 5\r\nContent-Length: 6',
    'Content-Length: 5\r\nTransfer-Encoding: chunked',
  ]) {
    const connection = talk()
    connection.send(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${lengths}\r\n\r\n{}`,
    )
    assert.match(await connection.closed, /^HTTP\/1.1 400 /)
  }
})

test('what never became a request is counted and logged as refused, and nothing of it is', async () => {
  const counted = async () => {
    const { values } = await registry.getSingleMetric('gateway_requests_total')!.get()
    return (
      values.find(({ labels }) => labels.endpoint === 'none' && labels.code === 'bad_request')?.value ?? 0
    )
  }
  const [before, logged] = [await counted(), api.logged().length]
  const noise = talk()
  noise.send(
    'POST /api/merchant/newAddress HTTP/1.1\r\nHost x\r\nX-Sign: not-to-be-seen\r\n\r\nsign=not-to-be-seen',
  )
  await noise.closed
  assert.equal(await counted(), before + 1)
  const line = api.logged().slice(logged)
  assert.match(line, /"code":"bad_request","clientAddress":"127\.0\.0\.1".*request\.refused/)
  assert.ok(!line.includes('not-to-be-seen'))
})
