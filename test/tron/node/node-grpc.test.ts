import assert from 'node:assert/strict'
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttp2Server } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ServerCredentials } from '@grpc/grpc-js'
import { type AnswerShare, createAnswerBudget } from '../../../src/tron/node/answer-budget.ts'
import type { NodeError } from '../../../src/tron/node/node-error.ts'
import { createNodeGrpc, type NodeGrpc } from '../../../src/tron/node/node-grpc.ts'
import { createTokenBucket } from '../../../src/tron/node/token-bucket.ts'
import { startBreakableProxy } from '../../support/breakable-proxy.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type FakeGrpcNode, startFakeGrpcNode } from './fake-grpc-node.ts'

// The transport alone: lengths, memory, pace, connections, TLS.
const megabyte = 1024 * 1024
const method = '/protocol.Wallet/GetNowBlock2'
const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close()
})

test('a message beyond a megabyte is asked for again, ahead, on a connection that takes its length', async () => {
  const fake = await fakeNode()
  const { node, outcomes } = nodeAt(fake)
  fake.behave = () => Buffer.alloc(5 * megabyte, 1)
  assert.equal(await lengthOf(node), 5 * megabyte)
  assert.equal(fake.calls.length, 2)
  assert.deepEqual(outcomes, ['answered', 'answered'])
})

test('a message beyond the limit failed by its length, and a longer second one too', async () => {
  const fake = await fakeNode()
  const { node } = nodeAt(fake, { bodyMaxBytes: 3 * megabyte })
  fake.behave = () => Buffer.alloc(3 * megabyte + 1)
  await assert.rejects(lengthOf(node), {
    kind: 'failed',
    message: `its answer is longer than ${3 * megabyte} bytes`,
  })
  assert.equal(fake.calls.length, 1)
  let length = 2 * megabyte
  fake.behave = () => Buffer.alloc(length++)
  await assert.rejects(lengthOf(node), { kind: 'failed', message: /its answer is longer than/ })
})

test('calls hold a share of the memory while they are out, and give all of it back', async () => {
  const share = createAnswerBudget({ totalBytes: 10 * megabyte, ownBytes: 4 * megabyte }).share()
  let [held, most] = [0, 0]
  const counted: AnswerShare = {
    take: bytes => {
      if (!share.take(bytes)) return false
      held += bytes
      most = Math.max(most, held)
      return true
    },
    give: bytes => {
      held -= bytes
      share.give(bytes)
    },
  }
  const fake = await fakeNode()
  const { node } = nodeAt(fake, { share: counted })
  for (const bytes of [10, 2 * megabyte, 6 * megabyte]) {
    fake.behave = () => Buffer.alloc(bytes)
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => lengthOf(node)))
    const failed = outcomes.filter(({ status }) => status === 'rejected')
    for (const { reason } of failed as PromiseRejectedResult[]) {
      assert.match(`${reason.message}`, /its answers together take too much memory/)
      assert.equal(reason.kind, 'failed')
    }
    assert(failed.length > 0)
    assert(failed.length < 12 || bytes === 6 * megabyte)
    assert.equal(held, 0)
  }
  assert(most <= 10 * megabyte)
  fake.behave = () => ({ code: 13, details: '' })
  await assert.rejects(lengthOf(node))
  assert.equal(held, 0)
})

test('a compressed message is read, also beyond a megabyte; one that would burst the limit failed', async () => {
  const answers = await packedNode()
  const { node, outcomes } = nodeAt(answers, { bodyMaxBytes: 4 * megabyte })
  answers.message = gzipSync(Buffer.alloc(megabyte / 2, 1))
  assert.equal(await lengthOf(node), megabyte / 2)
  assert.equal(answers.windowBytes, 4 * megabyte, 'a node far away sends many blocks before it waits for us')
  answers.message = gzipSync(Buffer.alloc(3 * megabyte, 1))
  assert.equal(await lengthOf(node), 3 * megabyte)
  assert.equal(outcomes.length, 3)
  // A hundred megabytes of nothing in a hundred kilobytes.
  answers.message = gzipSync(Buffer.alloc(100 * megabyte))
  const before = process.memoryUsage().rss
  await assert.rejects(lengthOf(node), {
    name: 'NodeError',
    kind: 'failed',
    message: /longer than 4194304 bytes/,
  })
  assert(process.memoryUsage().rss - before < 50 * megabyte)
  answers.message = Buffer.from('no gzip')
  await assert.rejects(lengthOf(node), { name: 'NodeError', kind: 'failed', message: /decompress/ })
})

test('calls are paced, counted by their outcome, and refused after the pool closed the bucket', async () => {
  const fake = await fakeNode()
  const bucket = createTokenBucket({ requestsPerSecond: 1_000, inFlightMax: 2 })
  const { node, outcomes } = nodeAt(fake, { bucket })
  let [now, most] = [0, 0]
  fake.behave = () => (_call, done) => {
    most = Math.max(most, ++now)
    setImmediate(() => {
      now--
      done(null, Buffer.alloc(1))
    })
  }
  await Promise.all(Array.from({ length: 10 }, () => lengthOf(node)))
  assert.equal(most, 2)
  fake.behave = () => ({ code: 8, details: 'lack of computing resources' })
  await assert.rejects(lengthOf(node), { kind: 'later' })
  fake.behave = () => ({ code: 13, details: '' })
  await assert.rejects(lengthOf(node), { kind: 'failed' })
  await assert.rejects(
    node.call(method, Buffer.alloc(0), {
      read: () => {
        throw new Error('unreadable')
      },
    }),
  )
  assert.deepEqual(outcomes, [...Array(10).fill('answered'), 'later', 'failed', 'failed'])
  bucket.close()
  await assert.rejects(lengthOf(node), { kind: 'failed', message: 'the node was closed' })
})

test('a connection that is dead without a word costs one call its deadline, and the next one dials again', async () => {
  const fake = await fakeNode()
  const proxy = await startBreakableProxy(fake.url)
  const { node } = nodeAt(proxy, { deadlineMs: 300 })
  fake.behave = () => Buffer.alloc(3)
  assert.equal(await lengthOf(node), 3)
  proxy.forget()
  await assert.rejects(lengthOf(node), { kind: 'failed', timedOut: true })
  assert.equal(await lengthOf(node), 3)
  assert.equal(proxy.dialled, 2)
})

test('a connection that goes silent in the middle of a message costs the calls on it their deadline, and their memory comes back', async () => {
  const fake = await fakeNode()
  const proxy = await startBreakableProxy(fake.url)
  let held = 0
  const share: AnswerShare = {
    take: bytes => {
      held += bytes
      return true
    },
    give: bytes => {
      held -= bytes
    },
  }
  const { node } = nodeAt(proxy, { deadlineMs: 500, share })
  fake.behave = () => Buffer.alloc(500_000)
  assert.equal(await lengthOf(node), 500_000)
  proxy.forget(200_000)
  const outcomes = await Promise.allSettled([lengthOf(node), lengthOf(node), lengthOf(node)])
  for (const outcome of outcomes) {
    assert(outcome.status === 'rejected')
    assert(outcome.reason.kind === 'failed' && outcome.reason.timedOut, `${outcome.reason}`)
  }
  assert.equal(held, 0)
  assert.equal(await lengthOf(node), 500_000)
  assert.equal(proxy.dialled, 2)
})

test('a node that went away and came back at its port is reached again', async () => {
  const fake = await fakeNode()
  const proxy = await startBreakableProxy(fake.url)
  const { node } = nodeAt(proxy)
  fake.behave = () => Buffer.alloc(3)
  assert.equal(await lengthOf(node), 3)
  await proxy.cut()
  await assert.rejects(
    lengthOf(node),
    (error: NodeError) => error.kind === 'failed' && error.status === undefined,
  )
  await proxy.restore()
  const back = await waitUntil('an answer', () => lengthOf(node).catch(() => null))
  assert.equal(back, 3)
})

test('grpcs:// wants a certificate that is trusted and for the name', {
  skip: spawnSync('openssl', ['version']).status !== 0 && 'openssl is not on the PATH',
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-'))
  closes.push(() => rm(folder, { recursive: true, force: true }))
  const outcomes: string[] = []
  for (const name of ['127.0.0.1', '127.0.0.2']) {
    const [key, cert] = ['key', 'pem'].map(end => join(folder, `${name}.${end}`)) as [string, string]
    const about = ['-subj', '/CN=node', '-addext', `subjectAltName=IP:${name}`, '-days', '2']
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key]
    execFileSync('openssl', ['req', '-x509', ...made, '-out', cert, ...about], { stdio: 'pipe' })
    const fake = await fakeNode({
      credentials: ServerCredentials.createSsl(null, [
        { private_key: await readFile(key), cert_chain: await readFile(cert) },
      ]),
    })
    fake.behave = () => Buffer.alloc(3)
    const url = fake.url.replace('grpc:', 'grpcs:')
    for (const authority of [cert, '']) outcomes.push(await askInProcess(folder, url, authority))
    // Without TLS there is nobody who would answer.
    outcomes.push(await askInProcess(folder, fake.url, cert))
  }
  assert.deepEqual(outcomes, ['3', 'failed', 'failed', 'failed', 'failed', 'failed'])
})

/** Asks from a process that trusts an authority: node reads it only at its start. */
async function askInProcess(folder: string, url: string, authority: string): Promise<string> {
  const file = join(folder, 'ask.mts')
  const from = new URL('../../../src/tron/node/node-grpc.ts', import.meta.url).href
  await writeFile(
    file,
    `import { createNodeGrpc } from '${from}'
     const node = createNodeGrpc({ url: '${url}', deadlineMs: 5_000 })
     const asked = node.call('${method}', Buffer.alloc(0), { read: bytes => bytes.length })
     console.log(await asked.catch(error => error.kind))
     node.close()`,
  )
  const env = {
    ...process.env,
    NODE_EXTRA_CA_CERTS: authority,
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: '',
    NODE_NO_WARNINGS: '1',
  }
  return await new Promise((resolve, reject) => {
    execFile(process.execPath, ['--import', 'tsx', file], { env }, (error, stdout, stderr) =>
      error ? reject(new Error(stderr)) : resolve(stdout.trim()),
    )
  })
}

async function fakeNode(options: Parameters<typeof startFakeGrpcNode>[0] = {}): Promise<FakeGrpcNode> {
  const fake = await startFakeGrpcNode(options)
  closes.push(() => fake.close())
  return fake
}

function nodeAt({ url }: { url: string }, options: Partial<Parameters<typeof createNodeGrpc>[0]> = {}) {
  const outcomes: string[] = []
  const onCall = (outcome: string) => outcomes.push(outcome)
  const node = createNodeGrpc({ url, deadlineMs: 10_000, onCall, ...options })
  closes.push(() => node.close())
  return { node, outcomes }
}

function lengthOf(node: NodeGrpc): Promise<number> {
  return node.call(method, Buffer.alloc(0), { read: ({ length }) => length })
}

/** A node that packs its messages, which grpc-js's server cannot. */
async function packedNode() {
  const server = createHttp2Server()
  const node = { url: '', message: Buffer.alloc(0), windowBytes: 0 }
  server.on('stream', stream => {
    node.windowBytes = stream.session!.remoteSettings.initialWindowSize!
    const about = { ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' }
    stream.respond(about, { waitForTrailers: true })
    stream.on('error', () => undefined)
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    const prefix = Buffer.from([1, 0, 0, 0, 0])
    prefix.writeUInt32BE(node.message.length, 1)
    stream.end(Buffer.concat([prefix, node.message]))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closes.push(() => server.close())
  node.url = `grpc://127.0.0.1:${(server.address() as { port: number }).port}`
  return node
}
