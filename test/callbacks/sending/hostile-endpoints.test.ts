import assert from 'node:assert/strict'
import { createServer, connect as dial, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { type SendOutcome, sendCallback } from '../../../src/callbacks/sending/send-callback.ts'
import { createGuardedAgent } from '../../../src/egress/guarded-agent.ts'
import { anyAnswer, sendMany } from './send-many.ts'

/** 192 MB of zeros in 190 KB. */
const bomb = Buffer.concat(Array(12).fill(gzipSync(Buffer.alloc(16 * 1024 * 1024))))

/** How an endpoint answers a request, and how an attempt there must end. */
const endpoints: Record<string, { answer(socket: Socket): void; ends: string }> = {
  'a body of 200 MB': {
    answer: socket =>
      pour(socket, 'x'.repeat(65_536), 'HTTP/1.1 200 OK\r\ncontent-length: 209715200\r\n\r\n'),
    ends: 'acknowledged',
  },
  'a gzip bomb': {
    answer: socket => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`)
      socket.write(bomb)
    },
    ends: 'acknowledged',
  },
  'a header without end': {
    answer: socket => pour(socket, 'y'.repeat(65_536), 'HTTP/1.1 200 OK\r\nx: '),
    ends: 'bad_answer',
  },
  'headers without end': {
    answer: socket => pour(socket, 'x: y\r\n'.repeat(1_000), 'HTTP/1.1 200 OK\r\n'),
    ends: 'bad_answer',
  },
  'interim answers without end': {
    answer: socket => pour(socket, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1_000)),
    ends: 'bad_answer',
  },
  'a byte now and then': {
    answer: socket => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const timer = setInterval(() => socket.write('.'), 100)
      socket.once('close', () => clearInterval(timer))
    },
    ends: 'timeout',
  },
  silence: { answer: () => undefined, ends: 'timeout' },
  'a reset': { answer: socket => socket.resetAndDestroy(), ends: 'reset' },
}
const kinds = Object.keys(endpoints)

const server = createServer(socket => {
  socket.on('error', () => undefined) // The other side may disconnect at any time.
  socket.once('data', request => {
    const kind = kinds[Number(/^POST \/(\d+) /.exec(`${request}`)?.[1])]
    if (kind) endpoints[kind]!.answer(socket)
    else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
  })
})
let port: number

before(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as { port: number }).port
})
after(() => server.close())

test('64 hostile endpoints at once end as they must, and cost at most 50 MB', async () => {
  // Only endpoints that never end by themselves may reach their deadline, however busy the machine is.
  const target = (n: number, path: string, ends = '') => ({
    url: `http://h${n}.example:${port}/${path}`,
    deadlineMs: ends === 'timeout' ? 1_000 : 60_000,
  })
  const targets = Array.from({ length: 64 }, (_, n) => {
    const kind = n % kinds.length
    return target(n, `${kind}`, endpoints[kinds[kind]!]!.ends)
  })
  const warmUp = targets.map((_, n) => target(n, 'sound'))
  const { outcomes, grownBytes } = await sendMany(targets, { warmUp })
  for (const [n, outcome] of outcomes.entries()) {
    const kind = kinds[n % kinds.length]!
    assert.equal(endOf(outcome), endpoints[kind]!.ends, `${kind}: ${JSON.stringify(outcome)}`)
    if ('answer' in outcome) assert(Buffer.byteLength(outcome.answer) <= 2_048, kind)
  }
  assert(grownBytes <= 50 * 1024 * 1024, `${Math.round(grownBytes / 1024 / 1024)} MB`)
})

test('an attempt at an endpoint that does not accept connections ends at the deadline', {
  skip: process.platform !== 'linux' && 'only Linux leaves connections waiting when the backlog is full',
}, async () => {
  // Listens and never accepts: two connections fill its backlog, and the next ones wait.
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads')
     const server = require('node:net').createServer()
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port)
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
     })`,
    { eval: true },
  )
  const silentPort = await new Promise<number>(resolve => worker.once('message', resolve))
  const fillers = [1, 2, 3, 4].map(() => dial(silentPort, '127.0.0.1').on('error', () => undefined))
  const agent = createGuardedAgent({ allowedNetworks: ['127.0.0.0/8'], connectTimeoutMs: 60_000 })
  try {
    await new Promise(resolve => fillers[0]!.once('connect', resolve))
    const callback = { contentType: 'text/plain', body: 'x', key: 'cb_1', webhookHeaders: {} }
    const url = `http://127.0.0.1:${silentPort}/`
    const outcome = await sendCallback(agent, { ...callback, url, wanted: anyAnswer }, 300)
    assert.equal(endOf(outcome), 'timeout')
  } finally {
    for (const filler of fillers) filler.destroy()
    await agent.destroy()
    await worker.terminate()
  }
})

function endOf(outcome: SendOutcome): string {
  return outcome.kind === 'failed' ? outcome.failure : outcome.kind
}

/** Writes as much as the other side takes. */
function pour(socket: Socket, chunk: string, first = ''): void {
  if (first) socket.write(first)
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  }
  socket.on('drain', more)
  more()
}
