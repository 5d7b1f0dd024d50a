import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, test } from 'node:test'
import type { NodeError } from '../../../src/tron/node/node-error.ts'
import { createNodeHttp } from '../../../src/tron/node/node-http.ts'
import type { TokenBucket } from '../../../src/tron/node/token-bucket.ts'
import { startBreakableProxy } from '../../support/breakable-proxy.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type FakeNode, startFakeNode } from './fake-node.ts'

// Over HTTP. Over gRPC: node-grpc.test.ts.
const deadlineMs = 500
const together = 4

/** A node behind a proxy that can forget connections, of which a few are open. */
async function openNode(given: Partial<FakeNode> = {}) {
  const fake = await startFakeNode(given)
  const proxy = await startBreakableProxy(fake.url)
  const bucket = { deadlineMs, take: async () => () => undefined }
  const http = createNodeHttp({ baseUrls: [proxy.url], deadlineMs, bucket: bucket as unknown as TokenBucket })
  after(async () => {
    await http.close()
    await fake.close()
  })
  const ask = () => http.post(new URL('/wallet/getnowblock', proxy.url), {})
  await Promise.all(Array.from({ length: together }, ask))
  assert.equal(proxy.dialled, together)
  return { fake, proxy, ask, bucket }
}

test('connections that went silent cost one call its deadline, and the next ones dial again', async () => {
  const { proxy, ask } = await openNode()
  proxy.forget()
  await assert.rejects(ask(), (error: NodeError) => error.timedOut)
  await Promise.all(Array.from({ length: together }, ask))
  assert(proxy.dialled > together)
})

test('a call that times out ends no other', async () => {
  const { fake, ask, bucket } = await openNode()
  const responses: ServerResponse[] = []
  fake.behave = () => response => void responses.push(response)
  const hanging = ask()
  await new Promise(setImmediate) // It has its deadline by then.
  bucket.deadlineMs = 60_000
  const slow = ask()
  await assert.rejects(hanging, (error: NodeError) => error.timedOut)
  await waitUntil('both have come', () => responses.length === 2)
  for (const response of responses) response.end('{}')
  await slow
})

test('connections that go silent in the middle of an answer cost the calls on them their deadline', async () => {
  const { fake, proxy, ask } = await openNode()
  fake.behave = () => ({ long: 'x'.repeat(100_000) })
  fake.delayMs = 100
  const asking = Promise.allSettled(Array.from({ length: together }, ask))
  await waitUntil('all have come', () => fake.inFlight.now === together)
  proxy.forget(50_000)
  for (const outcome of await asking) {
    assert(outcome.status === 'rejected')
    assert((outcome.reason as NodeError).timedOut, `${outcome.reason}`)
  }
  await ask()
})
