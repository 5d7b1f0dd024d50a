import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { NodeError } from '../../../src/tron/node/node-error.ts'
import { createNodeHttp } from '../../../src/tron/node/node-http.ts'
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
  const http = createNodeHttp({ baseUrls: [proxy.url], deadlineMs })
  after(async () => {
    await http.close()
    await fake.close()
  })
  const ask = () => http.post(new URL('/wallet/getnowblock', proxy.url), {})
  await Promise.all(Array.from({ length: together }, ask))
  assert.equal(proxy.dialled, together)
  return { fake, proxy, ask }
}

/** Asks until there is an answer. */
async function askUntilAnswered(ask: () => Promise<unknown>): Promise<void> {
  for (let unanswered = 0; ; unanswered++) {
    assert(unanswered <= together, 'a connection is asked again that said nothing')
    try {
      await ask()
      return
    } catch (error) {
      assert((error as NodeError).timedOut, `${error}`)
    }
  }
}

test('connections that went silent cost a deadline each at most, and the node is reached over new ones', async () => {
  const { proxy, ask } = await openNode()
  proxy.forget()
  await askUntilAnswered(ask)
  assert(proxy.dialled > together)
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
  await askUntilAnswered(ask)
})
