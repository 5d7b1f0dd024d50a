import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../../src/base/metrics.ts'
import type { HeaderCheck } from '../../../src/tron/pool/read-block.ts'
import { knownProducers, type ProducerKeys } from '../../../src/tron/verify/block-producer.ts'
import { verifyHeader } from '../../../src/tron/verify/verify-block.ts'
import { blockHash, type FakeChain, producerAt, shownJson, txid } from '../node/fake-chain.ts'
import { type FakeGrpcChain, startFakeGrpcChain } from '../node/fake-grpc-chain.ts'
import type { FakeNode } from '../node/fake-node.ts'
import { falseBlocks, unfitInfos, withSignature } from '../node/false-blocks.ts'
import { producerKey } from '../verify/block-messages.ts'
import { closedAfterTest, fakeNodes, type LogLine, poolOf, steppedClock } from './pool-under-test.ts'

// What the pool makes of blocks that are not verified: whom it asks again, and what it gives.
const height = 991
const views = ['solidBlock', 'newBlock'] as const
type Played = FakeNode | FakeGrpcChain

/** How often a node was asked for the block, in either view. */
function timesAsked(node: Played): number {
  return node.calls.filter(call =>
    'path' in call
      ? /getblockbynum$/.test(call.path) && call.body.num === height
      : /GetBlockByNum2$/.test(call.method) && call.number === height,
  ).length
}

async function grpcNode(given: Partial<FakeGrpcChain> = {}): Promise<FakeGrpcChain> {
  const node = await startFakeGrpcChain(given)
  closedAfterTest(async () => node.close())
  return node
}

async function httpNode(given: Partial<FakeNode> = {}): Promise<FakeNode> {
  return (await fakeNodes(given))[0]!
}

for (const [transport, startNode] of [
  ['HTTP', httpNode],
  ['gRPC', grpcNode],
] as const) {
  for (const [name, { why, show: lie }] of Object.entries(falseBlocks)) {
    test(`one of three shows ${name}, over ${transport}: it is asked once more, and another's block is given`, async () => {
      for (const view of views) {
        const nodes = [await startNode({ lie }), await startNode(), await startNode()]
        const registry = createMetrics()
        const { pool, debugLines } = poolOf(nodes, { registry })
        const [liar, second] = pool.names
        const block = (await pool[view](height))!
        assert.deepEqual([block.node, block.unverified], [second, null])
        assert.equal(block.hash, blockHash(nodes[1]!, height))
        assert.deepEqual(
          block.transfers.map(({ txid, amount, signed }) => [txid, amount, signed]),
          [[txid(height, 0), BigInt(height), true]],
        )
        assert.deepEqual(nodes.map(timesAsked), [2, 1, 0])
        assert.deepEqual(unverifiedLines(debugLines), [{ node: liar, why }])
        const counted = new RegExp(`gateway_node_unverified_blocks_total{node="${liar}",why="${why}"} 1`)
        assert.match(await registry.metrics(), counted)
        // Nothing is held against it: it may have been cut off by something between.
        assert.deepEqual(
          pool.status().map(({ state }) => state),
          ['ok', 'ok', 'ok'],
        )
      }
    })
  }

  test(`a node that shows a block falsely once, over ${transport}: asked again, it is the one that serves`, async () => {
    let times = 1
    const lie: FakeChain['lie'] = truth =>
      times > 0 ? falseBlocks['a transaction hidden in both answers']!.show(truth) : truth
    const nodes = [await startNode({ lie }), await startNode()]
    const { pool } = poolOf(nodes)
    await pool.solidHead()
    const first = pool.solidBlock(height)
    // Of a block both answers are shown alike: the lie ends with the second of them.
    nodes[0]!.lie = truth => {
      const shown = lie(truth)
      if (timesAsked(nodes[0]!) > 1) times = 0
      return times > 0 ? shown : truth
    }
    const block = (await first)!
    assert.deepEqual([block.node, block.unverified], [pool.names[0], null])
    assert.deepEqual(nodes.map(timesAsked), [2, 0])
  })

  test(`a block that nobody shows verified, over ${transport}, is given as the first shows it`, async () => {
    const { why, show: lie } = falseBlocks['a log of another amount than its call']!
    const nodes = [await startNode({ lie }), await startNode({ lie }), await startNode({ lie })]
    const registry = createMetrics()
    const { pool } = poolOf(nodes, { registry })
    const block = (await pool.solidBlock(height))!
    assert.deepEqual([block.node, block.unverified], [pool.names[0], why])
    assert.deepEqual(
      block.transfers.map(({ amount, signed }) => [amount, signed]),
      [[5_000_000n, false]],
    )
    assert.deepEqual(nodes.map(timesAsked), [2, 1, 1])
    await pool.solidBlock(height)
    const counted = new RegExp(`unverified_blocks_total{node="${pool.names[0]}",why="${why}"} 2\n`)
    assert.match(await registry.metrics(), counted)
    for (const node of nodes) node.lie = null
    assert.equal((await pool.solidBlock(height))!.unverified, null)
  })
}

test('the only node is asked twice, and its block is given as it is', async () => {
  const { why, show: lie } = falseBlocks['an empty list under a root']!
  const node = await httpNode({ lie })
  const block = (await poolOf([node]).pool.solidBlock(height))!
  assert.deepEqual([block.unverified, block.transactionCount], [why, 0])
  assert.equal(timesAsked(node), 2)
})

test('nodes that are left out, that cannot be asked or that lack the block do not stand in', async () => {
  const { why, show: lie } = falseBlocks['a call that is without its log']!
  const nodes = [await httpNode({ lie }), await httpNode(), await httpNode({ solidHeight: 990 })]
  const { pool } = poolOf(nodes)
  const [liar, honest] = pool.names
  const block = (await pool.solidBlock(height, { not: [honest!] }))!
  assert.deepEqual([block.node, block.unverified], [liar, why])
  assert.equal(timesAsked(nodes[1]!), 0)
  nodes[1]!.behave = ({ path }) => (/bynum/.test(path) ? response => response.destroy() : undefined)
  assert.deepEqual((await pool.solidBlock(height))!.unverified, why)
  nodes[1]!.behave = null
  assert.deepEqual((await pool.solidBlock(height))!.node, honest)
})

test('another block, of a node that is distrusted, does not stand in for what a trusted one shows', async () => {
  const { why, show: lie } = falseBlocks['a call that is without its log']!
  const nodes = [await httpNode({ lie }), await httpNode({ fork: { name: 'b', at: height } })]
  const { pool } = poolOf(nodes)
  const [trusted, other] = pool.names
  assert.equal((await pool.newBlock(height))!.node, other)
  pool.distrust(other!, 'few producers build on its block')
  const block = (await pool.newBlock(height))!
  assert.deepEqual([block.node, block.unverified], [trusted, why])
  // The same block it may show whole.
  nodes[1]!.fork = null
  assert.deepEqual((await pool.newBlock(height))!.node, other)
  nodes[1]!.fork = { name: 'b', at: height }
  pool.distrust(trusted!, 'it cannot show its block whole')
  assert.deepEqual((await pool.newBlock(height))!.unverified, null)
})

// Which infos do not fit is the client's to say, and tested there.
for (const name of ['one too few', 'in another order']) {
  const lie: FakeChain['lie'] = truth =>
    truth.infos[0]!.blockNumber === height ? unfitInfos[name]!(truth) : truth
  test(`infos of which ${name}, at every node: refused for 30 s, then given as far as they fit, and good again with them`, async () => {
    const nodes = await fakeNodes({ lie }, { lie }, { lie })
    const clock = steppedClock()
    const { pool, debugLines } = poolOf(nodes, { clock })
    for (let passedMs = 0; passedMs < 30_000; passedMs += 10_000) {
      await assert.rejects(pool.solidBlock(height), { name: 'NodeError', kind: 'failed' })
      clock.pass(10_000)
    }
    assert.deepEqual(unverifiedLines(debugLines), [])
    // It is no broken node: other blocks it serves.
    assert.equal((await pool.solidBlock(height - 2))!.unverified, null)
    const before = nodes.map(timesAsked)
    const block = (await pool.solidBlock(height))!
    assert.deepEqual([block.unverified, block.node], ['infos', pool.names[0]])
    assert.deepEqual([block.hash, block.transactionCount], [blockHash(nodes[0]!, height), 2])
    assert.deepEqual(
      block.transfers.map(({ txid, amount, signed }) => [txid, amount, signed]),
      [[txid(height, 0), BigInt(height), false]],
    )
    assert.deepEqual(unverifiedLines(debugLines), [{ node: pool.names[0], why: 'infos' }])
    // Who failed just now is not asked for it again at once.
    const asked = nodes.map((node, i) => timesAsked(node) - before[i]!)
    assert.deepEqual(asked, [1, 1, 1])
    for (const node of nodes) node.lie = null
    clock.pass(60_000)
    const good = (await pool.solidBlock(height))!
    assert.deepEqual([good.unverified, good.transfers[0]!.signed], [null, true])
    // The 30 s begin again.
    for (const node of nodes) node.lie = lie
    await assert.rejects(pool.solidBlock(height), { name: 'NodeError', kind: 'failed' })
  })
}

test('infos that do not fit at one node: its peer serves, for as long as that lasts', async () => {
  const lie = unfitInfos['one too few']!
  const [a, b] = await fakeNodes({ lie }, {})
  const clock = steppedClock()
  const { pool, debugLines } = poolOf([a!, b!], { clock })
  for (let n = 0; n < 5; n++) {
    const block = (await pool.solidBlock(height))!
    assert.deepEqual([block.node, block.unverified], [b!.name, null])
    clock.pass(20_000)
  }
  assert.deepEqual(unverifiedLines(debugLines), [])
})

/** JSON that lacks a field: the node's own answer, with one that it does not know in the first result. */
function lacksField(node: () => FakeNode): FakeNode['behave'] {
  return ({ path, body }) => {
    if (!path.endsWith('/getblockbynum') || body.num !== height) return undefined
    const { transactions, ...block } = shownJson(node(), height)
    const [first, ...rest] = transactions as object[]
    return { ...block, transactions: [{ ...first, ret: [{ contractRet: 'SUCCESS', newer: 1 }] }, ...rest] }
  }
}

test("a block that a node's JSON cannot say is asked for of the others alone, and a node over gRPC verifies it", async () => {
  const [a, b] = await fakeNodes({}, {})
  a!.behave = lacksField(() => a!)
  b!.behave = lacksField(() => b!)
  const g = await grpcNode()
  const { pool, debugLines } = poolOf([a!, b!, g])
  const block = (await pool.solidBlock(height))!
  assert.deepEqual([block.node, block.unverified, block.transfers[0]!.signed], [pool.names[2], null, true])
  assert.deepEqual([a!, b!, g].map(timesAsked), [1, 1, 1])
  assert.deepEqual(unverifiedLines(debugLines), [{ node: a!.name, why: 'leaf' }])
})

test("a block that no node's JSON can say is given with its transfers, after each node was asked once", async () => {
  const [a, b] = await fakeNodes({}, {})
  a!.behave = lacksField(() => a!)
  b!.behave = lacksField(() => b!)
  const { pool } = poolOf([a!, b!])
  const block = (await pool.solidBlock(height))!
  assert.deepEqual([block.node, block.unverified, block.transfers.length], [a!.name, 'leaf', 1])
  assert.deepEqual([a!, b!].map(timesAsked), [1, 1])
})

/** Knows the producers of these chains. */
function checkOf(...names: string[]): HeaderCheck {
  const keys: ProducerKeys = new Map(
    names.map(name => [producerKey(name).address, [producerKey(name).address]] as const),
  )
  return header => {
    const verified = verifyHeader(header, knownProducers(keys))
    return verified.kind === 'verified' ? null : verified.why
  }
}

const strangers: [name: string, given: Partial<FakeChain>, why: string][] = [
  ['by a producer that is not known', { fork: { name: 'liar', at: 950 } }, 'stranger'],
  [
    'with the signature of another key',
    { lie: ({ block, infos }) => ({ block: withSignature(block, Buffer.alloc(65, 7)), infos }) },
    'signature',
  ],
]
for (const [name, given, why] of strangers) {
  test(`a block ${name}: verified by its content alone, and not when whose header it is is told`, async () => {
    for (const view of views) {
      const nodes = [await httpNode(given), await grpcNode(), await httpNode()]
      const content = poolOf(nodes).pool
      assert.deepEqual((await content[view](height))!.node, content.names[0])
      for (const node of nodes) node.calls.length = 0
      const { pool, debugLines } = poolOf(nodes, { verifyHeader: checkOf('main') })
      const block = (await pool[view](height))!
      assert.deepEqual([block.node, block.unverified], [pool.names[1], null])
      assert.equal(producerKey(producerAt(nodes[1]!, height)).address, block.header!.producer)
      assert.deepEqual(unverifiedLines(debugLines), [{ node: pool.names[0], why }])
      // Whose header it is stays the same, so it is not asked a second time.
      assert.deepEqual(nodes.map(timesAsked), [1, 1, 0])
      const nobody = poolOf(nodes, { verifyHeader: checkOf('nobody') }).pool
      assert.equal((await nobody[view](height))!.unverified, 'stranger')
    }
  })
}

test('the check of headers is not asked about a block whose content does not fit', async () => {
  const { why, show: lie } = falseBlocks['a transaction too many']!
  const node = await httpNode({ lie })
  const checked: string[] = []
  const { pool } = poolOf([node], {
    verifyHeader: ({ id }) => {
      checked.push(id)
      return null
    },
  })
  assert.equal((await pool.solidBlock(height))!.unverified, why)
  assert.deepEqual(checked, [])
  node.lie = null
  assert.equal((await pool.solidBlock(height))!.unverified, null)
  assert.deepEqual(checked, [blockHash(node, height)])
})

test('a block read at the head says nothing of what its node has solidified', async () => {
  const [a, b] = await fakeNodes({}, {})
  const { pool, states } = poolOf([a!, b!])
  await pool.solidHead()
  assert.equal((await pool.newBlock(1015))!.node, a!.name)
  assert.deepEqual(
    pool.status().map(({ solidHeight }) => solidHeight),
    [1000, 1000],
  )
  // It is not there yet, and that is no failure.
  assert.equal(await pool.solidBlock(1001), null)
  assert.deepEqual(states(a!.name), [])
  assert.equal(await pool.newBlock(1019), null)
})

test('a header at the head is read of the node that is asked, and of another when it is left out', async () => {
  const [a, b] = await fakeNodes({}, { fork: { name: 'other', at: 1010 } })
  const { pool } = poolOf([a!, b!])
  assert.equal((await pool.newHeader(1015))!.id, blockHash(a!, 1015))
  assert.equal((await pool.newHeader(1015, { not: a!.name }))!.id, blockHash(b!, 1015))
  assert.equal(await pool.newHeader(1019), null)
})

function unverifiedLines(lines: readonly LogLine[]): { node: unknown; why: unknown }[] {
  return lines
    .filter(({ event }) => event === 'block.unverified')
    .map(line => {
      assert.equal(line.height, height)
      return { node: line.node, why: line.why }
    })
}
