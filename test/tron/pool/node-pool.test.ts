import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitUntil } from '../../support/wait-until.ts'
import { blockHash } from '../node/fake-chain.ts'
import { type Answer, asksForBlock, hang, refuse } from '../node/fake-node.ts'
import { fakeNodes, poolOf, steppedClock } from './pool-under-test.ts'

// Several nodes, each a real HTTP server, and the pool that makes one of them: who serves.

test('blocks come from one node, two calls each and one for a miss, and say whose they are', async () => {
  const [a, b] = await fakeNodes({}, {})
  const { pool } = poolOf([a!, b!])
  assert.equal(await pool.genesisId(), blockHash(a!, 0))
  assert.equal((await pool.solidHead()).height, 1000)
  a!.calls = []
  b!.calls = []
  for (const height of [991, 992, 993]) {
    const block = await pool.solidBlock(height)
    assert.equal(block!.node, a!.name)
    assert.equal(block!.transfers[0]!.amount, BigInt(height))
  }
  assert.equal(await pool.solidBlock(1001), null)
  assert.equal((await pool.solidBlock(990))!.transactionCount, 0)
  assert.equal(a!.calls.length, 3 * 2 + 1 + 1)
  assert.equal(b!.calls.length, 0)
})

test('a second opinion comes from another node, and changes nothing about who serves', async () => {
  const [a, b] = await fakeNodes({}, {})
  const { pool } = poolOf([a!, b!])
  assert.equal((await pool.solidBlock(995, { not: a!.name }))!.node, b!.name)
  assert.equal((await pool.solidBlock(996))!.node, a!.name)
  const single = poolOf([a!]).pool
  await assert.rejects(single.solidBlock(995, { not: a!.name }), {
    name: 'NodeError',
    kind: 'failed',
    message: /no other node/,
  })
})

for (const [how, answer] of [
  ['refuses with 500', refuse(500, 'broken')],
  [
    'resets the connection',
    (r: { socket: { resetAndDestroy(): void } | null }) => r.socket!.resetAndDestroy(),
  ],
  ['answers with half of a block', refuse(200, '{"blockID":"00')],
  ['hangs', hang],
] as [string, Answer][]) {
  test(`a node that ${how}: another serves at once, and goes on serving`, async () => {
    const [a, b] = await fakeNodes({}, {})
    const { pool, states } = poolOf([a!, b!], { deadlineMs: 500 })
    assert.equal((await pool.solidBlock(991))!.node, a!.name)
    a!.behave = () => answer
    assert.equal((await pool.solidBlock(992))!.node, b!.name)
    const asked = a!.calls.length
    assert.equal((await pool.solidBlock(993))!.node, b!.name)
    assert.equal(a!.calls.length, asked)
    assert.deepEqual(states(a!.name), how === 'hangs' ? ['failing'] : [])
  })
}

test('many calls out at a node that hangs: those in hand wait once, the others not at all, and another serves them', async () => {
  const [a, b] = await fakeNodes({}, {})
  const { pool, states } = poolOf([a!, b!], { deadlineMs: 1_000 })
  await pool.solidBlock(991)
  a!.behave = () => hang
  a!.calls = []
  const heights = Array.from({ length: 64 }, (_, i) => 901 + i)
  const blocks = await Promise.all(heights.map(height => pool.solidBlock(height)))
  assert.deepEqual(new Set(blocks.map(block => block!.node)), new Set([b!.name]))
  // As many as may be in flight at once: each waited for the deadline once, and the others were not sent there.
  assert(a!.calls.length <= 16, `${a!.calls.length} calls`)
  assert.deepEqual(states(a!.name), ['failing'])
})

test('a node that stands still is left for one that goes on, within ten seconds', async () => {
  const [a, b] = await fakeNodes({}, {})
  const clock = steppedClock()
  const { pool } = poolOf([a!, b!], { clock })
  assert.equal((await pool.solidBlock(1000))!.node, a!.name)
  b!.solidHeight = 1001
  clock.pass(3_000)
  assert.equal(await pool.solidBlock(1001), null)
  clock.pass(6_500)
  assert.equal((await pool.solidBlock(1001))!.node, b!.name)
  // And stays there, also when the other has caught up a little.
  a!.solidHeight = 1002
  b!.solidHeight = 1003
  assert.equal((await pool.solidBlock(1002))!.node, b!.name)
})

test('the solidified head is asked of the others too when it stands still', async () => {
  const [a, b] = await fakeNodes({}, {})
  let shiftMs = 0
  const { pool } = poolOf([a!, b!], { clock: { now: () => new Date(Date.now() + shiftMs) } })
  assert.equal((await pool.solidHead()).height, 1000)
  b!.solidHeight = 1003
  shiftMs = 5_000
  assert.equal((await pool.solidHead()).height, 1000)
  shiftMs = 6_500
  assert.equal((await pool.solidHead()).height, 1003)
})

test('a node behind its peers is not asked for blocks', async () => {
  const [a, b] = await fakeNodes({ solidHeight: 990 }, {})
  const { pool } = poolOf([a!, b!])
  assert.equal((await pool.solidHead()).height, 1000)
  assert.equal((await pool.solidBlock(981))!.node, b!.name)
  assert.equal(a!.calls.filter(asksForBlock).length, 0)
})

test('a node whose heights go backwards is left for another', async () => {
  const [a, b] = await fakeNodes({}, {})
  const { pool } = poolOf([a!, b!])
  assert.equal((await pool.solidHead()).height, 1000)
  a!.solidHeight = 900
  assert.equal((await pool.solidHead()).height, 1000)
  assert.equal((await pool.solidBlock(899))!.node, b!.name)
})

test('a block missing at a node that showed a higher one is a failure there, and comes from another', async () => {
  const [a, b] = await fakeNodes({}, {})
  const { pool } = poolOf([a!, b!])
  await pool.solidHead()
  a!.behave = ({ path }) => (/walletsolidity.getblockbynum/.test(path) ? {} : undefined)
  assert.equal((await pool.solidBlock(991))!.node, b!.name)
  const single = poolOf([a!]).pool
  await single.solidHead()
  await assert.rejects(single.solidBlock(991), {
    kind: 'failed',
    message: /has no block 991, though it showed 1000/,
  })
})

test('infos that are missing at one node are taken with their block from another', async () => {
  const [a, b] = await fakeNodes({}, {})
  const { pool } = poolOf([a!, b!])
  await pool.solidBlock(991)
  a!.behave = ({ path }) => (/gettransactioninfobyblocknum/.test(path) ? [] : undefined)
  const block = await pool.solidBlock(992)
  assert.equal(block!.node, b!.name)
  assert.equal(block!.transfers.length, 1)
})

test('a single node is asked again after a pause, and the failure surfaces when it stays', async () => {
  const [a] = await fakeNodes({})
  const { pool, states } = poolOf([a!])
  await pool.solidBlock(991)
  let failures = 1
  a!.behave = () => (failures-- > 0 ? refuse(502, 'bad gateway') : undefined)
  assert.equal((await pool.solidBlock(992))!.height, 992)
  assert.deepEqual(states(a!.name), [])
  a!.behave = () => refuse(502, 'bad gateway')
  a!.calls = []
  await assert.rejects(pool.solidBlock(993), {
    name: 'NodeError',
    kind: 'failed',
    message: /answered with HTTP 502: bad gateway/,
  })
  assert(a!.calls.length <= 3, `${a!.calls.length} calls`)
  assert.deepEqual(states(a!.name), ['failing'])
  a!.behave = null
  await waitUntil('the node to come back by itself', () => pool.solidBlock(993).catch(() => null))
  assert.deepEqual(states(a!.name), ['failing', 'ok'])
})

test('head and head blocks are those of the head, for display', async () => {
  const [a] = await fakeNodes({})
  const { pool } = poolOf([a!])
  assert.equal((await pool.head()).height, 1018)
  const block = await pool.headBlock(1017)
  assert.equal(block!.hash, blockHash(a!, 1017))
  assert.equal(block!.transfers[0]!.amount, 1017n)
  assert.equal(await pool.headBlock(1019), null)
})

test('closing ends the calls that wait for their turn and those in hand, without a word about the node', async () => {
  const [a] = await fakeNodes({})
  const { pool, states } = poolOf([a!], { requestsPerSecond: 5 })
  await pool.solidBlock(991)
  a!.behave = () => hang
  const calls = Array.from({ length: 20 }, (_, i) =>
    assert.rejects(pool.solidBlock(901 + i), { name: 'NodeError' }),
  )
  await waitUntil('a call in hand', () => a!.inFlight.now > 0)
  await pool.close()
  await Promise.all(calls)
  await assert.rejects(pool.solidBlock(901), /closed/)
  assert.deepEqual(states(a!.name), [])
})

test('closing ends the rest of a node that failed', async () => {
  const [a] = await fakeNodes({ behave: () => refuse(500, '') })
  const { pool } = poolOf([a!])
  const call = assert.rejects(pool.solidBlock(901), { name: 'NodeError' })
  await waitUntil('the first failure', () => a!.calls.length > 0)
  await pool.close()
  await call
})

test('two nodes at one host have names of their own', () => {
  const nodes = ['http://h:1/x', 'http://h:1/y', 'http://h:2'].map(url => ({ headUrl: url, solidUrl: url }))
  assert.deepEqual(poolOf([], { nodes }).pool.names, ['h:1', 'h:1#2', 'h:2'])
})
