import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import { failures, makePayment, sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import type { Fault } from '../../../src/sandbox/faults/fault-schemas.ts'
import { type SandboxNode, startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { addressFromBytes } from '../../../src/tron/address.ts'
import { createTronNode, type TronNode } from '../../../src/tron/node/node-client.ts'
import { NodeError } from '../../../src/tron/node/node-error.ts'

// One node of the sandbox, read by the gateway's client over both transports: whatever the node does, what is read and how a
// call fails is the same.
let sandbox: SandboxNode
let http: TronNode
let grpc: TronNode
const alice = addressFromBytes(Buffer.alloc(20, 1))
const deadlineMs = 400

before(async () => {
  sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 2 })
  const { chain } = sandbox
  const pay = (options: object = {}, amounts = [5n]) =>
    makePayment(
      chain.stamp(),
      amounts.map(units => ({ to: alice, amount: usdt(units) })),
      options,
    )
  chain.add([pay(), pay({}, [6n, 7n, 0n]), ...failures.map(fail => pay({ fail }))])
  chain.mine()
  chain.add([pay({ through: sandboxAddresses.router }, [8n, 9n])])
  chain.mine()
  chain.add([pay({ token: sandboxAddresses.lookalike })])
  chain.mine(4)
  ;[http, grpc] = [sandbox.url, sandbox.grpcUrl].map(url =>
    createTronNode({
      headUrl: url,
      solidUrl: url,
      usdtContract: sandboxAddresses.usdt,
      name: 'node',
      deadlineMs,
      bodyMaxBytes: 3 * 1024 * 1024,
    }),
  ) as [TronNode, TronNode]
})
after(async () => {
  await http.close()
  await grpc.close()
  await sandbox.close()
})
afterEach(() => sandbox.faults.clear())

test('every call reads the same over both transports', async () => {
  const { head, solid } = sandbox.chain
  const calls = callsUpTo(head.height + 1)
  for (const [what, call] of calls) assert.deepEqual(await call(grpc), await call(http), what)
  const blocks = await Promise.all(Array.from({ length: solid.height }, (_, i) => grpc.solidBlock(i + 1)))
  assert.equal(blocks.flatMap(block => block!.transfers).length, 5)
  assert.equal(blocks.flatMap(block => block!.undone).length, failures.length)
  assert(Object.keys(sandbox.counts.byPath).includes('/protocol.WalletSolidity/GetBlockByNum2'))
})

test('what became of a transaction reads the same over both transports, and nothing of one in no block', async () => {
  const { head } = sandbox.chain
  const blocks = Array.from({ length: head.height }, (_, i) => sandbox.chain.block(i + 1)!)
  const transactions = blocks.flatMap(block =>
    block.transactions.map(({ id, result }) => ({ id, result, block })),
  )
  assert(transactions.length > failures.length + 3)
  for (const { id, result, block } of transactions) {
    const info = await grpc.transaction(id)
    assert.deepEqual(info, await http.transaction(id))
    assert.deepEqual([info!.txid, info!.height], [id, block.height])
    assert.equal(info!.succeeded, result === 'SUCCESS')
    assert.equal(info!.failed, result !== 'SUCCESS' && result !== undefined)
  }
  for (const node of [http, grpc]) assert.equal(await node.transaction('ab'.repeat(32)), null)
})

const faults: Fault[] = [
  { kind: 'lag', blocks: 1 },
  { kind: 'lag', blocks: 2, view: 'solid' },
  { kind: 'stall' },
  { kind: 'other-branch', depth: 4 },
  { kind: 'other-hash' },
  { kind: 'wrong-parent' },
  { kind: 'forged-transfer', to: alice, amount: '3' },
  { kind: 'forged-amount', amount: '4' },
  { kind: 'forged-recipient', to: alice },
  { kind: 'too-many-requests', rps: 7, seconds: 2 },
  { kind: 'key-suspended', limit: 15, seconds: 30 },
  { kind: 'unavailable', seconds: 3 },
  { kind: 'unavailable' },
  { kind: 'no-resources' },
  { kind: 'disabled' },
  { kind: 'disabled', paths: ['/walletsolidity/getblock'] },
  { kind: 'lite-node' },
  { kind: 'html', status: 200 },
  { kind: 'html', status: 403 },
  { kind: 'html', status: 502 },
  { kind: 'hang' },
  { kind: 'reset' },
  { kind: 'empty' },
  { kind: 'empty', paths: ['/walletsolidity/gettransactioninfobyblocknum'] },
  { kind: 'empty', view: 'solid' },
  { kind: 'empty', heights: { from: 1, to: 1 } },
  { kind: 'info-missing' },
  { kind: 'wrong-number' },
  { kind: 'wrong-number', offset: 1 },
  { kind: 'truncated' },
  { kind: 'delay', ms: 5 },
  { kind: 'oversized', megabytes: 2 },
  { kind: 'oversized', megabytes: 5 },
]
for (const fault of faults) {
  test(`the fault ${JSON.stringify(fault)} is the same over both transports`, async () => {
    sandbox.faults.set(fault)
    const seldom = fault.kind === 'hang' || fault.kind === 'oversized'
    // The answer of a block that is not there is an empty message, and half of nothing is nothing.
    const calls = callsUpTo(sandbox.chain[fault.kind === 'truncated' ? 'solid' : 'head'].height)
    for (const [what, call] of seldom ? calls.slice(1, 4) : calls) {
      assert.deepEqual(await outcomeOf(call(grpc)), await outcomeOf(call(http)), what)
    }
  })
}

test('an answer that drips ends at the deadline, and the next call is served', async () => {
  sandbox.faults.set({ kind: 'drip', everyMs: 50 })
  await assert.rejects(grpc.solidBlock(1), { name: 'NodeError', timedOut: true })
  sandbox.faults.clear()
  assert.equal((await grpc.solidBlock(1))!.height, 1)
})

test('infos that are late are counted call by call', async () => {
  const { height: paid } = Array.from({ length: 9 }, (_, n) => sandbox.chain.block(n)).find(
    block => block!.transactions.length === 5,
  )!
  for (const node of [http, grpc]) {
    sandbox.faults.set({ kind: 'infos-late', calls: 1 })
    await assert.rejects(node.solidBlock(paid), /5 transactions and 0 infos/)
    assert.equal((await node.solidBlock(paid))!.transactionCount, 5)
    sandbox.faults.clear()
  }
})

/** The calls of a node, in the order in which both transports make them. */
function callsUpTo(height: number): [what: string, call: (node: TronNode) => Promise<unknown>][] {
  const heights = Array.from({ length: height + 1 }, (_, i) => i)
  return [
    ['genesis', node => node.genesisId()],
    ['solid block', node => node.solidBlock(2)],
    ['head block', node => node.headBlock(2)],
    ['solid head', node => node.solidHead()],
    ['head', node => node.head()],
    ...heights.slice(1).flatMap((n): [string, (node: TronNode) => Promise<unknown>][] => [
      [`solid block ${n}`, node => node.solidBlock(n)],
      [`id of ${n}`, node => node.solidHash(n)],
      [`head block ${n}`, node => node.headBlock(n)],
    ]),
  ]
}

/** What a call came to: its value, or the parts of its error that the gateway acts on. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    assert(error instanceof NodeError, `${error}`)
    const { kind, retryAfterMs, allowedPerSecond, timedOut } = error
    return { kind, retryAfterMs, allowedPerSecond, timedOut }
  }
}
