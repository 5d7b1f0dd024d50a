import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { type SendOutcome, sendCallback } from '../../../src/callbacks/sending/send-callback.ts'
import { createGuardedAgent } from '../../../src/egress/guarded-agent.ts'
import { waitUntil } from '../../support/wait-until.ts'

// Answers that HTTP allows and that servers, proxies and firewalls give. Each acknowledges, as its last line is a 2xx with the
// word. Each is sent whole, byte by byte, and twice over one connection.
const body = 'content-length: 7\r\n\r\nsuccess'
const sound = `HTTP/1.1 200 OK\r\n${body}`
const goingOn = 'HTTP/1.1 100 Continue\r\n\r\n'
const early = 'HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n'
const filler = (bytes: number) => `x-filler: ${'y'.repeat(bytes)}\r\n`

interface Odd {
  bytes: string | Buffer
  /** The end of the connection is the end of the answer. */
  closes?: true
  /** Too long to be sent byte by byte. */
  long?: true
}

const odd: Record<string, Odd> = {
  'a 100 first': { bytes: goingOn + sound },
  'a 100 with headers': {
    bytes: `HTTP/1.1 100 Continue\r\nserver: a\r\nconnection: keep-alive\r\n\r\n${sound}`,
  },
  'a 100 without a reason': { bytes: `HTTP/1.1 100 \r\n\r\n${sound}` },
  'line breaks before it': { bytes: `\r\n\n${goingOn}\r\n${sound}` },
  'two times 100': { bytes: goingOn + goingOn + sound },
  'a 103 first': { bytes: early + sound },
  'a 102, a 103 and a 100': { bytes: `HTTP/1.1 102 Processing\r\n\r\n${early}${goingOn}${sound}` },
  'thirty interim answers': { bytes: goingOn.repeat(15) + early.repeat(15) + sound },
  'an end by the close': { bytes: 'HTTP/1.1 200 OK\r\n\r\nsuccess', closes: true },
  'a 100, and an end by the close': { bytes: `${goingOn}HTTP/1.1 200 OK\r\n\r\nsuccess`, closes: true },
  'connection: close': { bytes: `HTTP/1.1 200 OK\r\nConnection: Close\r\n${body}`, closes: true },
  'HTTP/1.0': { bytes: `HTTP/1.0 200 OK\r\n${body}`, closes: true },
  'HTTP/1.0 with keep-alive': { bytes: `HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n${body}` },
  chunks: {
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nsuc\r\n4\r\ncess\r\n0\r\n\r\n',
  },
  'chunks with extensions and trailers': {
    bytes:
      'HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n007;a=b;c="d e"\r\nsuccess\r\n000;last\r\nx-sum: 1\r\nx-more: 2\r\n\r\n',
  },
  'chunks with large digits': {
    bytes: `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nA\r\n success  \r\n0\r\n\r\n`,
  },
  'an empty reason': { bytes: `HTTP/1.1 200 \r\n${body}` },
  'no reason': { bytes: `HTTP/1.1 200\r\n${body}` },
  'a reason in another alphabet': { bytes: Buffer.from(`HTTP/1.1 200 成功\r\n${body}`) },
  'a status of its own': { bytes: `HTTP/1.1 299 Fine\r\n${body}` },
  'a 202': { bytes: `HTTP/1.1 202 Accepted\r\n${body}` },
  'headers in capitals and without spaces': {
    bytes: `HTTP/1.1 200 OK\r\nCONTENT-LENGTH:7\r\nCONTENT-TYPE:text/html;charset=GBK\r\n\r\nsuccess`,
  },
  'spaces and tabs around values': {
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: \t 7  \r\nx-empty:\r\n\r\nsuccess',
  },
  'values in another alphabet': { bytes: Buffer.from(`HTTP/1.1 200 OK\r\nx-msg: 操作成功\r\n${body}`) },
  'odd header names': { bytes: `HTTP/1.1 200 OK\r\n!#$%&'*+-.^_\`|~0: 1\r\nx: 1\r\nX: 2\r\n${body}` },
  'many cookies': { bytes: `HTTP/1.1 200 OK\r\n${'set-cookie: a=b; path=/\r\n'.repeat(50)}${body}` },
  'an upgrade offered by Apache': {
    bytes: `HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade, Keep-Alive\r\nKeep-Alive: timeout=5, max=100\r\n${body}`,
  },
  'a keep-alive of nothing': { bytes: `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\n${body}` },
  'a byte order mark': { bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n\ufeffsuccess' },
  'white space behind the word': {
    bytes:
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\nsuccess\r\n16\r\n\r\n\r\n                  \r\n0\r\n\r\n',
  },
  'gzip that nobody asked for': gzipped('gzip'),
  'gzip by its old name': gzipped('x-gzip'),
  'one header of 60 KiB': { bytes: `HTTP/1.1 200 OK\r\n${filler(60 * 1024)}${body}`, long: true },
  'headers of 64 KiB': {
    bytes: `HTTP/1.1 200 OK\r\n${filler(4_080).repeat(16)}${body}`,
    long: true,
  },
  'a 100 before long headers': {
    bytes: `${goingOn}HTTP/1.1 200 OK\r\n${filler(60 * 1024)}${body}`,
    long: true,
  },
}

function gzipped(name: string): Odd {
  const zipped = gzipSync('success')
  const head = `HTTP/1.1 200 OK\r\ncontent-encoding: ${name}\r\ncontent-length: ${zipped.length}\r\n\r\n`
  return { bytes: Buffer.concat([Buffer.from(head), zipped]) }
}

for (const [name, { bytes, closes, long }] of Object.entries(odd)) {
  test(`an answer with ${name} acknowledges`, async () => {
    const whole = await startRaw(socket => {
      socket.write(bytes)
      if (closes) socket.end()
    })
    for (const nth of ['first', 'second']) {
      acknowledged(await send(whole.url), `${name}, ${nth}`)
      // undici takes a connection back a turn later.
      for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
    }
    if (!closes && name !== 'a keep-alive of nothing')
      assert.equal(whole.connections(), 1, 'the connection is used again')
    if (long) return
    const slow = await startRaw(async socket => {
      socket.setNoDelay()
      for (const byte of Buffer.from(bytes)) {
        socket.write(Buffer.of(byte))
        await new Promise(resolve => setImmediate(resolve))
      }
      if (closes) socket.end()
    })
    acknowledged(await send(slow.url), `${name}, byte by byte`)
  })
}

test('a 204 acknowledges where no word is wanted', async () => {
  const { url } = await startRaw(socket => socket.write('HTTP/1.1 204 No Content\r\n\r\n'))
  for (let n = 0; n < 2; n++) assert.equal((await send(url, null)).kind, 'acknowledged')
})

test('an answer that comes before the request was read acknowledges', async () => {
  const { url } = await startRaw(
    () => undefined,
    socket => socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n${body}`),
  )
  acknowledged(await send(url, 'success', 'x'.repeat(256 * 1024)), 'early')
})

test('a connection that was closed without a word while it was idle costs no attempt', async () => {
  const server = await startRaw(socket => socket.end(sound))
  for (let n = 0; n < 5; n++) {
    acknowledged(await send(server.url), `attempt ${n}`)
    await waitUntil('the end has arrived', () => server.open() === 0)
    await sleep(0)
  }
})

test('what is no answer stays a failure: interim answers alone, and headers beyond 64 KiB', async () => {
  const cases: [string, string][] = [
    [goingOn, 'reset'],
    [goingOn.repeat(40) + sound, 'bad_answer'],
    ['HTTP/1.1 10', 'reset'],
    ['HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n', 'reset'],
    [`HTTP/1.1 200 OK\r\n${filler(70 * 1024)}${body}`, 'bad_answer'],
    [`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(11_000)}${body}`, 'bad_answer'],
    [`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(1_000)}${body}`, 'bad_answer'],
    [`\r\n\r\nHTTP/1.1 200 OK\r\n${'a:\r\n'.repeat(2_000)}${body}`, 'bad_answer'],
    ['\r\n'.repeat(40_000), 'bad_answer'],
    [
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\nsuccess\r\n0\r\n${'a:\r\n'.repeat(20_000)}\r\n`,
      'bad_answer',
    ],
    [`${goingOn}HTTP/2 200\r\n\r\n`, 'bad_answer'],
  ]
  for (const [bytes, failure] of cases) {
    const { url } = await startRaw(socket => socket.end(bytes))
    const outcome = await send(url)
    assert.equal(
      outcome.kind === 'failed' && outcome.failure,
      failure,
      `${bytes.slice(0, 60)} ${JSON.stringify(outcome)}`,
    )
  }
})

const agent = createGuardedAgent({ allowedNetworks: ['127.0.0.0/8'], connectTimeoutMs: 5_000 })
after(() => agent.destroy())

function send(url: string, acknowledgement: string | null = 'success', text = 'x'): Promise<SendOutcome> {
  const wanted = { acknowledgement, acknowledgementAnywhere: false }
  const callback = { url, contentType: 'text/plain', body: text, key: 'cb_1', webhookHeaders: {}, wanted }
  return sendCallback(agent, callback, 30_000)
}

function acknowledged(outcome: SendOutcome, what: string): void {
  assert.equal(outcome.kind, 'acknowledged', `${what}: ${JSON.stringify(outcome)}`)
}

/** A server without HTTP: it answers each request, of one write, with what it is told. */
async function startRaw(answer: (socket: Socket) => void, atOnce?: (socket: Socket) => void) {
  let [connections, open] = [0, 0]
  const server = createServer(socket => {
    connections++
    open++
    socket.on('error', () => undefined) // The other side may disconnect at any time.
    socket.on('close', () => open--)
    if (atOnce) atOnce(socket)
    let request = ''
    socket.on('data', bytes => {
      request += bytes
      if (!/\r\n\r\nx+$/.test(request)) return
      request = ''
      if (!atOnce) answer(socket)
    })
  })
  after(() => server.close())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return { url: `http://127.0.0.1:${port}/`, connections: () => connections, open: () => open }
}
