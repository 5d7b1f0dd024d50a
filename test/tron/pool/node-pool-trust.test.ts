import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../../src/base/metrics.ts'
import type { NodePool } from '../../../src/tron/pool/node-pool.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { blockHash } from '../node/fake-chain.ts'
import { asksForBlock, refuse } from '../node/fake-node.ts'
import { fakeNodes, poolOf } from './pool-under-test.ts'

// Which chain the nodes serve, and what becomes of those that lie.

test('nodes of two chains are refused, each named', async () => {
  const [a, b, c] = await fakeNodes({}, {}, { chain: 'test' })
  await assert.rejects(poolOf([a!, b!, c!]).pool.genesisId(), error => {
    assert.equal((error as Error).name, 'UsageError')
    assert.match((error as Error).message, new RegExp(`TRON_NODES: ${c!.name} serves the chain with genesis`))
    return true
  })
  const known = poolOf([a!, c!], { genesisId: blockHash(c!, 0) }).pool
  await assert.rejects(known.genesisId(), new RegExp(`${a!.name} serves .* it should be ${blockHash(c!, 0)}`))
})

test('a node of another chain that appears later is never used, and says why', async () => {
  const [a, b] = await fakeNodes({}, { behave: () => refuse(502, '') })
  const { pool, lines } = poolOf([a!, b!])
  await pool.genesisId()
  await pool.solidBlock(991)
  b!.chain = 'test'
  b!.solidHeight = 1010
  b!.behave = null
  a!.behave = () => refuse(500, '')
  await waitUntil('the other to be found out', async () => {
    await assert.rejects(pool.solidBlock(992), { name: 'NodeError' })
    return lines.some(({ why }) => /it serves the chain with genesis/.test(String(why)))
  })
  assert.equal(b!.calls.filter(asksForBlock).length, 0)
  assert.deepEqual(pool.status()[1]!.state, 'distrusted')
  a!.behave = null
  assert.equal(
    (await waitUntil('the first again', () => pool.solidBlock(992).catch(() => null))).node,
    a!.name,
  )
})

test('when every node is of another chain, that is a mistake of the setting', async () => {
  const [a] = await fakeNodes({ chain: 'test' })
  const { pool } = poolOf([a!], { genesisId: 'ab'.repeat(32) })
  await assert.rejects(pool.solidBlock(991), {
    name: 'UsageError',
    message: /it serves the chain with genesis/,
  })
  assert.equal(a!.calls.filter(asksForBlock).length, 0)
})

test('a node is checked again after it was gone: it may have come back as another', async () => {
  const [a] = await fakeNodes({})
  const { pool } = poolOf([a!])
  await pool.solidBlock(991)
  a!.behave = () => refuse(502, '')
  await assert.rejects(pool.solidBlock(992), { name: 'NodeError' })
  a!.behave = null
  a!.chain = 'test'
  await waitUntil('the refusal', () =>
    pool.solidBlock(992).then(
      () => assert.fail('a block of another chain'),
      error => error.name === 'UsageError',
    ),
  )
})

test('a distrusted node is asked only when no other can be', async () => {
  const [a, b] = await fakeNodes({}, {})
  const { pool, lines } = poolOf([a!, b!])
  assert.equal((await pool.solidBlock(991))!.node, a!.name)
  pool.distrust(a!.name, 'block 992 names another parent')
  pool.distrust('nobody', 'there is no such node')
  assert.equal((await pool.solidBlock(992))!.node, b!.name)
  assert.deepEqual(
    lines.map(({ event, node, state, why }) => ({ event, node, state, why })),
    [{ event: 'node.state', node: a!.name, state: 'distrusted', why: 'block 992 names another parent' }],
  )
  b!.behave = () => refuse(500, '')
  assert.equal((await pool.solidBlock(993))!.node, a!.name)
  b!.behave = null
  pool.distrust(b!.name, 'nor does this one fit')
  assert.equal((await pool.solidBlock(994))!.node, a!.name)
})

async function serveTwenty(pool: NodePool): Promise<void> {
  for (let height = 961; height <= 990; height++) await pool.solidBlock(height)
}

test('of two nodes that show different blocks neither is proven: the one that serves is kept, with an alarm', async () => {
  const [a, b] = await fakeNodes({}, { fork: { name: 'liar', at: 950 } })
  const registry = createMetrics()
  const { pool, lines } = poolOf([a!, b!], { registry })
  await serveTwenty(pool)
  const alarm = await waitUntil('the alarm', () => lines.find(({ event }) => event === 'node.disagreement'))
  assert.equal(alarm.majority, null)
  assert.equal(Object.keys(alarm.hashes as object).length, 2)
  assert.equal((await pool.solidBlock(991))!.node, a!.name)
  assert.deepEqual(
    pool.status().map(({ disagreements }) => disagreements),
    [1, 1],
  )
  assert.match(await registry.metrics(), /gateway_node_disagreements_total 1/)
})

test('of three the one that differs is distrusted, also when it is the one that serves', async () => {
  const [a, b, c] = await fakeNodes({ fork: { name: 'liar', at: 950 } }, {}, {})
  const { pool, states } = poolOf([a!, b!, c!])
  await serveTwenty(pool)
  await waitUntil('the distrust', () => states(a!.name).includes('distrusted'))
  assert.notEqual((await pool.solidBlock(991))!.node, a!.name)
  assert.deepEqual([states(b!.name), states(c!.name)], [[], []])
})

test('nodes that agree cost one call in twenty blocks, and a peer that is behind is not asked', async () => {
  const [a, b, c] = await fakeNodes({}, {}, { solidHeight: 997 })
  const { pool, lines } = poolOf([a!, b!, c!])
  await pool.solidHead()
  b!.calls = []
  c!.calls = []
  for (let n = 0; n < 20; n++) await pool.solidBlock(1000)
  await waitUntil('the comparison', () => b!.calls.length === 1)
  assert.deepEqual(b!.calls[0]!.body, { id_or_num: '1000', detail: false })
  assert.equal(c!.calls.length, 0)
  assert.deepEqual(lines, [])
})

test('a node that showed another chain once is asked again after a minute, for its genesis first', async () => {
  let shiftMs = 0
  const [a] = await fakeNodes({ chain: 'test' })
  const [ours] = await fakeNodes({})
  const { pool } = poolOf([a!], {
    genesisId: blockHash(ours!, 0),
    clock: { now: () => new Date(Date.now() + shiftMs) },
  })
  await assert.rejects(pool.solidBlock(991), { name: 'UsageError' })
  a!.chain = ours!.chain
  await assert.rejects(pool.solidBlock(991), { name: 'UsageError' }, 'not before its time')
  assert.equal(a!.calls.filter(asksForBlock).length, 0)
  shiftMs = 61_000
  assert.equal((await pool.solidBlock(991))?.height, 991)
  assert.equal(pool.status()[0]!.state, 'ok')
})
