import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Redis } from 'ioredis'
import { watchRedis } from '../../src/base/watch-redis.ts'
import { startBreakableProxy } from '../support/breakable-proxy.ts'
import { noRedis, startRedis } from '../support/redis.ts'
import { waitUntil } from '../support/wait-until.ts'

/** A watched connection through a proxy, which counts how often it was made anew. */
async function watched() {
  const proxy = await startBreakableProxy((await startRedis()).url)
  const redis = new Redis(proxy.url)
  after(() => redis.disconnect())
  let closed = 0
  redis.on('close', () => closed++)
  await redis.ping()
  watchRedis(redis, { everyMs: 20, withinMs: 200 })
  return { proxy, redis, closed: () => closed }
}

test('a connection that went silent is made anew', { skip: noRedis }, async () => {
  const { proxy, redis, closed } = await watched()
  proxy.forget()
  await waitUntil('it is closed', () => closed() === 1)
  await waitUntil('it is ready', () => redis.status === 'ready')
  assert.equal(await redis.ping(), 'PONG')
})

test('a process that stood still takes no connection for silent', { skip: noRedis }, async () => {
  const { redis, closed } = await watched()
  for (let i = 0; i < 3; i++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000)
    await new Promise(resolve => setTimeout(resolve, 50))
    assert.equal(await redis.ping(), 'PONG')
  }
  assert.equal(closed(), 0)
})
