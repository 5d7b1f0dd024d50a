import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import { makePayment, sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import type { Fault } from '../../../src/sandbox/faults/fault-schemas.ts'
import { type SandboxNode, startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { addressFromBytes, addressToHex } from '../../../src/tron/address.ts'
import { MessageFields } from '../../../src/tron/message-fields.ts'
import { type GrpcChannel, openGrpcChannel } from '../../../src/tron/node/grpc-channel.ts'
import { encodeProtobuf } from '../../../src/tron/protobuf.ts'
import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'

// Several blocks in one answer: over HTTP of both views, over gRPC of the head.
let node: SandboxNode
let channel: GrpcChannel
const alice = addressFromBytes(Buffer.alloc(20, 1))
const usdtHex = addressToHex(sandboxAddresses.usdt)

before(async () => {
  node = await startSandboxNode({ autoMine: false, solidificationDepth: 4 })
  node.chain.mine(110)
  node.chain.add([makePayment(node.chain.stamp(), [{ to: alice, amount: usdt(5n) }])])
  node.chain.mine()
  channel = openGrpcChannel(node.grpcUrl, 4 * 1024 * 1024)
})
after(async () => {
  channel.hangUp()
  await node.close()
})
afterEach(() => node.faults.clear())

test('the blocks from a start up to an end, without the end, over both transports', async () => {
  const { height } = node.chain.head
  const asked = [
    { start: 1, end: 2 },
    { start: 0, end: 3 },
    { start: height - 3, end: height + 1 },
    { start: height - 3, end: height + 50 },
    { start: height - 99, end: height + 1 },
  ]
  for (const { start, end } of asked) {
    const expected = idsOf(start, Math.min(end, height + 1))
    assert.deepEqual(await http('wallet', start, end), expected)
    assert.deepEqual(await grpc(start, end), expected)
  }
  assert.deepEqual(await http('wallet', height + 1, height + 5), [])
  assert.deepEqual(await grpc(height + 1, height + 5), [])
})

test('more than a hundred, or none, are refused with nothing', async () => {
  for (const [start, end] of [
    [1, 102],
    [5, 5],
    [5, 4],
    [0, 0],
  ] as const) {
    assert.equal(await http('wallet', start, end), undefined)
    assert.deepEqual(await grpc(start, end), [])
  }
  assert.equal((await http('wallet', 1, 101))!.length, 100)
})

test('the solidity view ends at its newest block, and does not offer it over gRPC', async () => {
  const { height } = node.chain.solid
  assert.deepEqual(await http('walletsolidity', height - 1, height + 4), idsOf(height - 1, height + 1))
  const refused = await call('WalletSolidity', 'GetBlockByLimitNext2', 1, 2)
  assert.equal('code' in refused && refused.code, 12)
})

test('a fault strikes a call for several blocks when one of them is in its heights', async () => {
  node.faults.set({ kind: 'empty', heights: { from: 50, to: 51 } })
  assert.deepEqual(await http('wallet', 40, 50), idsOf(40, 50))
  assert.equal(await http('wallet', 40, 51), undefined)
  assert.equal(await http('wallet', 51, 60), undefined)
  assert.deepEqual(await grpc(52, 60), idsOf(52, 60))
  assert.deepEqual(await grpc(40, 51), [])
  node.faults.clear()
  node.faults.set({ kind: 'other-hash', heights: { from: 50, to: 50 } })
  for (const shown of [await http('wallet', 49, 52), await grpc(49, 52)]) {
    assert.deepEqual([shown![0], shown![2]], [idsOf(49, 50)[0], idsOf(51, 52)[0]])
    assert.notEqual(shown![1], idsOf(50, 51)[0])
  }
  node.faults.clear()
  node.faults.set({ kind: 'withheld-block', heights: { from: 50, to: 50 } })
  for (const shown of [await http('wallet', 49, 52), await grpc(49, 52)]) {
    assert.deepEqual(shown, [...idsOf(49, 50), ...idsOf(51, 52)])
  }
})

test('a node that does not offer a call: 404, over gRPC UNIMPLEMENTED; others are answered', async () => {
  const paths = ['/wallet/listwitnesses', '/wallet/getblockbylimitnext']
  const fault: Fault = { kind: 'not-offered', paths }
  node.faults.set(fault)
  for (const path of paths) assert.equal((await fetch(node.url + path)).status, 404)
  for (const method of ['ListWitnesses', 'GetBlockByLimitNext2']) {
    const refused = await call('Wallet', method, 1, 2)
    assert.equal('code' in refused && refused.code, 12)
  }
  assert.equal((await fetch(`${node.url}/wallet/getnowblock`)).status, 200)
})

function idsOf(start: number, end: number): string[] {
  return Array.from({ length: end - start }, (_, i) => node.chain.block(start + i)!.id)
}

async function http(view: string, startNum: number, endNum: number): Promise<string[] | undefined> {
  const response = await fetch(`${node.url}/${view}/getblockbylimitnext`, {
    method: 'POST',
    body: JSON.stringify({ startNum, endNum }),
  })
  const { block } = (await response.json()) as { block?: { blockID: string }[] }
  return block?.map(({ blockID }) => blockID)
}

async function grpc(start: number, end: number): Promise<string[]> {
  const outcome = await call('Wallet', 'GetBlockByLimitNext2', start, end)
  assert('message' in outcome, JSON.stringify(outcome))
  const fields = new MessageFields(outcome.message)
  const ids: string[] = []
  while (fields.next()) {
    const sent = sentBlockOfMessage(outcome.message.subarray(fields.start, fields.end), usdtHex)
    ids.push(sent!.id)
  }
  return ids
}

function call(service: string, method: string, start: number, end: number) {
  return channel.call({
    method: `/protocol.${service}/${method}`,
    request: encodeProtobuf([
      [1, start],
      [2, end],
    ]),
    headers: {},
    deadlineMs: 5_000,
    signal: new AbortController().signal,
  })
}
