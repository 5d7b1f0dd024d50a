import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../../src/base/metrics.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { blockTimeMs } from '../node/fake-chain.ts'
import { type Answer, refuse } from '../node/fake-node.ts'
import { fakeNodes, poolOf, steppedClock } from './pool-under-test.ts'

// What is asked of a node, counted where it arrives: never more than its quota, nothing while it is suspended.

test('a node that fails on and on is asked less and less', async () => {
  const [a] = await fakeNodes({ behave: () => refuse(500, '') })
  const clock = steppedClock()
  const { pool } = poolOf([a!], { clock })
  for (let seconds = 0; seconds < 60; seconds += 0.25) {
    await assert.rejects(pool.solidBlock(5), { kind: 'failed' })
    clock.pass(250)
    // A rest that is about to end is waited for in real time: it is passed over here.
    const restMs = (pool.status()[0]!.untilMs ?? 0) - clock.now().getTime()
    if (restMs > 0 && restMs <= 1_600) clock.pass(restMs)
  }
  assert(a!.calls.length <= 10, `${a!.calls.length} calls in a minute of the clock`)
  assert(pool.status()[0]!.state === 'failing')
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
    const clock = steppedClock()
    const { pool, states } = poolOf([a!], { clock })
    await pool.solidBlock(991)
    a!.behave = () => answer
    await assert.rejects(pool.solidBlock(992), error => {
      const { kind, retryAfterMs } = error as { kind: string; retryAfterMs: number }
      assert.equal(kind, 'later')
      assert(retryAfterMs > waitMs - 100 && retryAfterMs <= waitMs * 1.25, `${retryAfterMs}`)
      return true
    })
    a!.behave = null
    a!.calls = []
    assert.equal(pool.status()[0]!.state, 'later')
    const ask = () => Promise.all([993, 994, 995].map(height => pool.solidBlock(height).catch(() => null)))
    clock.pass(waitMs - 200)
    assert.deepEqual(await ask(), [null, null, null])
    assert.equal(a!.calls.length, 0)
    clock.pass(waitMs / 4 + 200)
    assert.equal(pool.status()[0]!.untilMs, null)
    let served: number | undefined
    const asked = pool.solidBlock(993).then(block => (served = block?.height))
    // The rate may be lowered too: the clock goes on until there is a turn for each call.
    await waitUntil('the block', () => clock.pass(350) ?? served)
    await asked
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
  const { pool } = poolOf([a!, b!], { clock: steppedClock() })
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

test('requests never exceed the quota, however many call, and those that came first are served first', async () => {
  const [a] = await fakeNodes({ delayMs: 2 })
  let nowMs = Date.now()
  const { pool } = poolOf([a!], { requestsPerSecond: 40, clock: { now: () => new Date(nowMs) } })
  const startedMs = nowMs
  const done: number[] = []
  const heights = Array.from({ length: 50 }, (_, i) => 901 + i)
  const all = Promise.all(heights.map(height => pool.solidBlock(height).then(() => done.push(height))))
  // The clock stands still unless it is moved here, and with it the quota: what arrived is compared with it at each step.
  await waitUntil(
    'all blocks',
    () => {
      const quota = 2 + ((nowMs - startedMs) / 1000) * 40
      assert(a!.calls.length <= quota, `${a!.calls.length} calls, a quota of ${quota}`)
      nowMs += 5
      return done.length === heights.length
    },
    30_000,
    5,
  )
  await all
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
  const clock = steppedClock()
  const { pool } = poolOf([a!, b!], { registry, clock })
  await pool.solidHead()
  const [ok, waiting] = pool.status()
  assert.equal(ok!.state, 'ok')
  assert.equal(ok!.solidHeight, 1000)
  assert(Math.abs(ok!.headAgeMs! - (clock.now().getTime() - blockTimeMs(1000))) < 2_000)
  assert.equal(ok!.untilMs, null)
  assert.equal(waiting!.state, 'later')
  assert.equal(waiting!.refused, 1)
  assert(waiting!.untilMs! > clock.now().getTime() + 29_000)
  const text = await registry.metrics()
  assert.match(text, new RegExp(`gateway_node_state\\{node="${b!.name}"\\} 1`))
  assert.match(text, new RegExp(`gateway_node_solid_height\\{node="${a!.name}"\\} 1000`))
  assert.match(text, new RegExp(`gateway_node_calls_total\\{node="${b!.name}",outcome="later"\\} 1`))
})

function later(text: string, status = 429): Answer {
  return refuse(status, JSON.stringify({ Error: text }))
}

function suspended(seconds: number): Answer {
  return later(
    `The key exceeds the frequency limit(15), and the query server is suspended for ${seconds} s`,
    403,
  )
}
