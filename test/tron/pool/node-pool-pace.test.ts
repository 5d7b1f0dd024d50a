import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { createMetrics } from '../../../src/base/metrics.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type Answer, blockTimeMs, type FakeCall, refuse } from '../node/fake-node.ts'
import { fakeNodes, poolOf } from './pool-under-test.ts'

// What is asked of a node, counted where it arrives: never more than its quota, nothing while it is suspended.

test('a node that fails on and on is asked less and less', async () => {
  const [a] = await fakeNodes({ behave: () => refuse(500, '') })
  const { pool } = poolOf([a!])
  const until = performance.now() + 4_000
  while (performance.now() < until) {
    const error = await pool.solidBlock(5).catch(error => error)
    assert.equal(error.kind, 'failed')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  assert(a!.calls.length <= 8, `${a!.calls.length} calls in four seconds`)
  assert((pool.status()[0]!.untilMs ?? 0) > Date.now())
})

const storms: [name: string, answer: Answer, waitMs: number][] = [
  [
    '429 with a suspension of 1 s',
    later('request rate exceeded the allowed_rps(3), and the query server is suspended for 1 s'),
    1_000,
  ],
  ['403 with a suspension of 2 s', suspended(2), 2_000],
  ['503 with Retry-After', refuse(503, 'busy', { 'retry-after': '1' }), 1_000],
  ['503 alone', refuse(503, 'busy'), 1_000],
  [
    '200 with no resources',
    later('class java.lang.IllegalAccessException : lack of computing resources', 200),
    1_000,
  ],
]

for (const [name, answer, waitMs] of storms) {
  test(`${name}: the node is not called until it is over, then serves again`, async () => {
    const [a] = await fakeNodes({})
    const { pool, states } = poolOf([a!])
    await pool.solidBlock(991)
    a!.behave = () => answer
    await assert.rejects(pool.solidBlock(992), error => {
      const { kind, retryAfterMs } = error as { kind: string; retryAfterMs: number }
      assert.equal(kind, 'later')
      assert(retryAfterMs > waitMs - 100 && retryAfterMs <= waitMs * 1.25, `${retryAfterMs}`)
      return true
    })
    const saidAt = performance.now()
    a!.behave = null
    a!.calls = []
    assert.equal(pool.status()[0]!.state, 'later')
    const ask = () => Promise.all([993, 994, 995].map(height => pool.solidBlock(height).catch(() => null)))
    await waitUntil('the end of the suspension', async () => (await ask())[0])
    assert(a!.calls[0]!.atMs - saidAt >= waitMs - 50, `called after ${a!.calls[0]!.atMs - saidAt} ms`)
    assert.deepEqual(states(a!.name), ['later', 'ok'])
  })
}

test('a suspension sends away the calls that wait for their turn: nothing more arrives until it is over', async () => {
  const [a] = await fakeNodes({ delayMs: 2 })
  const { pool } = poolOf([a!], { requestsPerSecond: 50 })
  await pool.solidBlock(991)
  a!.behave = () => suspended(1)
  a!.calls = []
  const calls = Array.from({ length: 60 }, (_, i) => pool.solidBlock(901 + i).catch(error => error.kind))
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(['later']))
  // Those that were out when the first was refused; of the others none.
  assert(a!.calls.length <= 16, `${a!.calls.length} calls`)
})

test('while one node is suspended another serves; when all are, the error says when the first is back', async () => {
  const [a, b] = await fakeNodes({}, {})
  const { pool } = poolOf([a!, b!])
  await pool.solidBlock(991)
  a!.behave = () => suspended(30)
  const blocks = await Promise.all([992, 993, 994, 995].map(height => pool.solidBlock(height)))
  assert(blocks.every(block => block!.node === b!.name))
  b!.behave = () => suspended(5)
  await assert.rejects(pool.solidBlock(996), error => {
    const { kind, retryAfterMs, message } = error as { kind: string; retryAfterMs: number; message: string }
    assert.equal(kind, 'later')
    assert(retryAfterMs > 4_900 && retryAfterMs <= 6_000, `${retryAfterMs}`)
    assert.match(message, /every node asks to wait/)
    return true
  })
  const [calls, other] = [a!.calls.length, b!.calls.length]
  for (let n = 0; n < 20; n++) await assert.rejects(pool.solidBlock(996), { kind: 'later' })
  assert.deepEqual([a!.calls.length, b!.calls.length], [calls, other])
})

test('the pace a node names is kept from then on', async () => {
  const [a] = await fakeNodes({})
  const { pool } = poolOf([a!], { requestsPerSecond: 200 })
  await pool.solidBlock(991)
  a!.behave = () =>
    later('request rate exceeded the allowed_rps(10), and the query server is suspended for 1 s')
  await assert.rejects(pool.solidBlock(992), { kind: 'later' })
  a!.behave = null
  await waitUntil('the end of the suspension', () => pool.solidBlock(992).catch(() => null))
  a!.calls = []
  await Promise.all(Array.from({ length: 12 }, (_, i) => pool.solidBlock(901 + i)))
  // One may be held up and arrive with those after it; at the pace configured they would all be there at once.
  assert(mostInASecond(a!.calls) <= 11, `${mostInASecond(a!.calls)} in a second`)
})

test('requests never exceed the quota in any second, however many call, and those that came first are served first', async () => {
  const [a] = await fakeNodes({ delayMs: 2 })
  const { pool } = poolOf([a!], { requestsPerSecond: 40 })
  const done: number[] = []
  const stalls = monitorEventLoopDelay({ resolution: 5 })
  stalls.enable()
  const heights = Array.from({ length: 50 }, (_, i) => 901 + i)
  await Promise.all(heights.map(height => pool.solidBlock(height).then(() => done.push(height))))
  // What a moment's stall of this machine holds up arrives together with what comes after it.
  const held = Math.floor((stalls.max / 1e9) * 40 - 40 * 0.05)
  const most = mostInASecond(a!.calls)
  assert(most <= 40 + Math.max(0, held), `${most} in a second, stalls of ${stalls.max / 1e6} ms`)
  const spanMs = a!.calls.at(-1)!.atMs - a!.calls[0]!.atMs
  const used = a!.calls.length / (spanMs / 1000) / 40
  assert(used >= 0.5, `only ${used} of the quota`)
  // What is begun is finished before the next is begun, so all end nearly in the order they came in.
  for (const [i, height] of done.entries())
    assert(Math.abs(i - (height - 901)) <= 16, `${height} came ${i}th`)
})

test('never more than sixteen requests are out at a node', async () => {
  const [a] = await fakeNodes({ delayMs: 30 })
  const { pool } = poolOf([a!], { requestsPerSecond: 10_000 })
  await Promise.all(Array.from({ length: 100 }, (_, i) => pool.solidBlock(801 + i)))
  assert.equal(a!.inFlight.most, 16)
})

test('status and metrics say what is known of each node', async () => {
  const [a, b] = await fakeNodes({}, { behave: () => suspended(30) })
  const registry = createMetrics()
  const { pool } = poolOf([a!, b!], { registry })
  await pool.solidHead()
  const [ok, waiting] = pool.status()
  assert.equal(ok!.state, 'ok')
  assert.equal(ok!.solidHeight, 1000)
  assert(Math.abs(ok!.headAgeMs! - (Date.now() - blockTimeMs(1000))) < 2_000)
  assert.equal(ok!.untilMs, null)
  assert.equal(waiting!.state, 'later')
  assert.equal(waiting!.refused, 1)
  assert(waiting!.untilMs! > Date.now() + 29_000)
  const text = await registry.metrics()
  assert.match(text, new RegExp(`gateway_node_state\\{node="${b!.name}"\\} 1`))
  assert.match(text, new RegExp(`gateway_node_solid_height\\{node="${a!.name}"\\} 1000`))
  assert.match(text, new RegExp(`gateway_node_calls_total\\{node="${b!.name}",outcome="later"\\} 1`))
})

/** In any second, wherever it begins. */
function mostInASecond(calls: readonly FakeCall[]): number {
  return Math.max(
    ...calls.map(({ atMs }) => calls.filter(call => call.atMs >= atMs && call.atMs < atMs + 1_000).length),
  )
}

function later(text: string, status = 429): Answer {
  return refuse(status, JSON.stringify({ Error: text }))
}

function suspended(seconds: number): Answer {
  return later(
    `The key exceeds the frequency limit(15), and the query server is suspended for ${seconds} s`,
    403,
  )
}
