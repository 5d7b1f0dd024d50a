import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { Logger } from '../../../src/base/log.ts'
import { usdt } from '../../../src/base/money.ts'
import { makePayment, sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { type NodeView, startNodeView } from '../../../src/sandbox/node-view.ts'
import { type SandboxNode, startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { addressFromBytes } from '../../../src/tron/address.ts'
import { isNotOffered } from '../../../src/tron/node/node-error.ts'
import { createNodePool, type NodePool } from '../../../src/tron/pool/node-pool.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { blockHash } from '../node/fake-chain.ts'
import { startFakeGrpcChain } from '../node/fake-grpc-chain.ts'
import { startFakeGrpcNode } from '../node/fake-grpc-node.ts'

// One pool over two nodes of one chain: the first is asked over gRPC, the second over HTTP.
let overGrpc: SandboxNode
let overHttp: NodeView
let pool: NodePool
let paid: number

before(async () => {
  overGrpc = await startSandboxNode({ autoMine: false, solidificationDepth: 2 })
  const { chain } = overGrpc
  overHttp = await startNodeView(chain)
  const to = addressFromBytes(Buffer.alloc(20, 1))
  chain.add([makePayment(chain.stamp(), [{ to, amount: usdt(5n) }])])
  paid = chain.mine()[0]!.height
  chain.mine(8)
  pool = poolOf(overGrpc.grpcUrl, overHttp.url)
})
after(async () => {
  await pool.close()
  await overHttp.close()
  await overGrpc.close()
})
afterEach(() => {
  overGrpc.faults.clear()
  overHttp.faults.clear()
})

test('a node over gRPC is asked like any other, and its calls are counted', async () => {
  const [grpc, http] = pool.names
  assert.equal(grpc, new URL(overGrpc.grpcUrl).host)
  assert.equal(await pool.genesisId(), overGrpc.chain.genesisId)
  const block = (await pool.solidBlock(paid))!
  assert.equal(block.node, grpc)
  assert.deepEqual(block.transfers, (await pool.solidBlock(paid, { not: grpc! }))!.transfers)
  assert.equal((await pool.solidHead()).height, overGrpc.chain.solid.height)
  assert.equal((await pool.head()).height, overGrpc.chain.head.height)
  assert.equal((await pool.headBlock(paid))!.transfers.length, 1)
  const status = Object.fromEntries(pool.status().map(({ name, calls }) => [name, calls]))
  assert(status[grpc!]! > 3 && status[http!]! > 1, JSON.stringify(status))
})

for (const kind of ['unavailable', 'no-resources', 'hang', 'reset', 'truncated', 'info-missing'] as const) {
  test(`while the node over gRPC has the fault ${kind}, the other one answers; and the other way round`, async () => {
    for (const [faulty, sound] of [
      [overGrpc, overHttp],
      [overHttp, overGrpc],
    ] as const) {
      const both = poolOf(overGrpc.grpcUrl, overHttp.url)
      await both.genesisId()
      faulty.faults.set({ kind, view: 'solid' })
      const soundName = both.names[sound === overGrpc ? 0 : 1]
      for (let n = 0; n < 3; n++) assert.equal((await both.solidBlock(paid))!.node, soundName)
      faulty.faults.clear()
      await both.close()
    }
  })
}

test('the event index is asked of the node over HTTP alone, unless a node over gRPC names its own', async () => {
  const block = overGrpc.chain.block(paid)!
  const ref = { height: paid, hash: block.id, time: new Date(block.timeMs) }
  const found = async (nodes: NodePool) => {
    const answer = await nodes.logsOf(ref)
    assert(answer && answer !== 'not yet')
    return answer
  }
  assert.equal((await found(pool)).node, pool.names[1])
  const alone = poolOf(overGrpc.grpcUrl)
  assert.equal(await alone.logsOf(ref), null)
  await alone.close()
  const named = createNodePool({
    ...options(),
    nodes: [{ headUrl: overGrpc.grpcUrl, solidUrl: overGrpc.grpcUrl, jsonRpcUrl: overHttp.url }],
  })
  assert.equal((await found(named)).logs.length, 1)
  await named.close()
})

test('a second URL that does not say what is solid ends the start, with the URL to write; a node that is away does not', async () => {
  const headOnly = await startFakeGrpcNode({ services: ['Wallet'] })
  headOnly.behave = () => Buffer.alloc(0)
  const wrong = createNodePool({
    ...options(),
    nodes: [
      { headUrl: overHttp.url, solidUrl: overHttp.url },
      { headUrl: overGrpc.grpcUrl, solidUrl: headOnly.url },
    ],
  })
  await assert.rejects(wrong.genesisId(), {
    name: 'UsageError',
    message:
      /TRON_NODES: node 127\.0\.0\.1:\d+, genesis block: .* name the port .*\|grpc:\/\/127\.0\.0\.1:50061/,
  })
  await wrong.close()
  headOnly.close()
  const away = poolOf(overHttp.url, 'grpc://127.0.0.1:1')
  assert.equal(await away.genesisId(), overGrpc.chain.genesisId)
  await away.close()
})

test('of nodes with the head alone the pool says that none offers an irreversible block, and reads those of the head', async () => {
  const headAlone = await startFakeGrpcChain({}, ['Wallet'])
  const alone = poolOf(headAlone.url)
  assert.equal(await alone.genesisId(), blockHash(headAlone, 0))
  await assert.rejects(alone.solidBlock(991), error => isNotOffered(error))
  assert.equal((await alone.newBlock(991))!.hash, blockHash(headAlone, 991))
  await alone.close()
  headAlone.close()
  // One that asks to wait, or fails, says nothing of the kind.
  for (const kind of ['too-many-requests', 'reset'] as const) {
    const other = poolOf(overHttp.url)
    await other.genesisId()
    overHttp.faults.set({ kind, view: 'solid' })
    await assert.rejects(other.solidBlock(paid), error => !isNotOffered(error))
    overHttp.faults.clear()
    await other.close()
  }
})

test('a node over gRPC that comes back is asked again', async () => {
  const alone = poolOf(overGrpc.grpcUrl)
  await alone.genesisId()
  overGrpc.faults.set({ kind: 'reset', times: 20 })
  await assert.rejects(alone.solidBlock(paid), { name: 'NodeError' })
  overGrpc.faults.clear()
  const block = await waitUntil('a block', () => alone.solidBlock(paid).catch(() => null))
  assert.equal(block.transfers.length, 1)
  await alone.close()
})

function options() {
  const silent = () => undefined
  const log = { debug: silent, info: silent, warn: silent, error: silent } as unknown as Logger
  return { usdtContract: sandboxAddresses.usdt, requestsPerSecond: 1_000, deadlineMs: 500, log }
}

function poolOf(...urls: string[]): NodePool {
  return createNodePool({ ...options(), nodes: urls.map(url => ({ headUrl: url, solidUrl: url })) })
}
