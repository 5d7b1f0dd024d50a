import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { UsageError } from '../../src/base/errors.ts'
import { usdt } from '../../src/base/money.ts'
import {
  makePayment,
  type PaymentOptions,
  sandboxAddresses,
} from '../../src/sandbox/chain/sandbox-transactions.ts'
import { type SandboxNode, startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { addressFromBytes, addressFromHex, type TronAddress } from '../../src/tron/address.ts'
import { blockId, transactionId } from '../../src/tron/block-id.ts'
import { networks } from '../../src/tron/network.ts'
import { createTronNode, type TronNode } from '../../src/tron/node/node-client.ts'
import type { ReadBlock } from '../../src/tron/node/solid-block.ts'
import { waitUntil } from '../support/wait-until.ts'

// The sandbox over HTTP, read by the client the watcher uses.
let sandbox: SandboxNode
let node: TronNode
const [alice, bob, carol] = [1, 2, 3].map(n => addressFromBytes(Buffer.alloc(20, n))) as [
  TronAddress,
  TronAddress,
  TronAddress,
]

before(async () => {
  sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 4 })
  node = clientOf(sandbox)
})
after(async () => {
  await node.close()
  await sandbox.close()
})
// Nothing one test sends is left for the next one's blocks.
afterEach(() => void sandbox.chain.mine())

test('the client finds exactly the transfers that were sent, at their places', async () => {
  const direct = send([[alice, 1_500_000n]])
  const failed = send([[alice, 7n]], { fail: 'REVERT' })
  const lookalike = send([[alice, 8n]], { token: sandboxAddresses.lookalike })
  const through = send([[bob, 2n]], { through: sandboxAddresses.router, from: carol })
  const zero = send([[alice, 0n]])
  const keptLogs = send([[alice, 9n]], { fail: 'OUT_OF_TIME' })
  const many = send([
    [alice, 3n],
    [carol, 4n],
    [alice, 0n],
    [alice, 5n],
  ])
  const block = await solidified()
  assert.equal(block.transactionCount, 7)
  assert.deepEqual(block.undecodable, [])
  assert.deepEqual(
    block.transfers.map(t => [t.txid, t.txIndex, t.logIndex, addressFromHex(t.toHex), t.amount]),
    [
      [direct, 0, 0, alice, 1_500_000n],
      [through, 3, 1, bob, 2n],
      [many, 6, 1, alice, 3n],
      [many, 6, 2, carol, 4n],
      [many, 6, 4, alice, 5n],
    ],
  )
  assert.equal(addressFromHex(block.transfers[1]!.fromHex), carol)
  const found = block.transfers.map(({ txid }) => txid)
  for (const txid of [failed, lookalike, zero, keptLogs]) assert(!found.includes(txid))
})

test('two hundred transfers in one block are all found', async () => {
  const sent = Array.from({ length: 200 }, (_, i) => send([[alice, BigInt(i + 1)]]))
  const block = await solidified()
  assert.deepEqual(
    block.transfers.map(({ txid, amount }) => [txid, amount]),
    sent.map((txid, i) => [txid, BigInt(i + 1)]),
  )
})

test('equal payments are different transactions', () => {
  const txids = Array.from({ length: 50 }, () => send([[alice, 1n]]))
  assert.equal(new Set(txids).size, 50)
})

test('the solidified chain links from block to block, and lags behind the head by its depth', async () => {
  const { height } = sandbox.chain.mine(6).at(-1)!
  const head = await node.solidHead()
  assert.equal(head.height, height - 4)
  let parent = await node.solidBlock(head.height - 3)
  for (let h = head.height - 2; h <= head.height; h++) {
    const block: ReadBlock | null = await node.solidBlock(h)
    assert.equal(block!.parentHash, parent!.hash)
    parent = block
  }
  assert.deepEqual({ height: parent!.height, hash: parent!.hash, time: parent!.time }, head)
  assert.equal(await node.solidBlock(head.height + 1), null)
  assert.notDeepEqual(await ask('/wallet/getblockbynum', { num: head.height + 1 }), {})
})

test('block and transaction ids are those of what is shown', async () => {
  send([[alice, 1n]])
  send([[bob, 1n]], { fail: 'OUT_OF_ENERGY' })
  send([
    [alice, 1n],
    [bob, 2n],
  ])
  const { height } = sandbox.chain.mine()[0]!
  const block = await ask('/wallet/getblockbynum', { num: height })
  assert.equal(blockId(block.block_header.raw_data), block.blockID)
  assert.equal(block.transactions.length, 3)
  for (const { txID, raw_data_hex: raw } of block.transactions) {
    assert.equal(transactionId(Buffer.from(raw, 'hex')), txID)
  }
  const genesis = await ask('/wallet/getblockbynum', { num: 0 })
  assert.equal(blockId(genesis.block_header.raw_data), genesis.blockID)
  assert.equal(await node.genesisId(), genesis.blockID)
})

test('a fork at the head never shows in the solidified view', async () => {
  const seen: string[] = []
  for (let round = 0; round < 12; round++) {
    sandbox.chain.mine(2)
    const { height } = await node.solidHead()
    const blocks = await Promise.all([0, 1, 2, 3].map(back => node.solidBlock(height - back)))
    sandbox.chain.fork(1 + (round % 4))
    for (const block of blocks) {
      const again = await node.solidBlock(block!.height)
      assert.equal(again!.hash, block!.hash)
      seen[block!.height] ??= block!.hash
      assert.equal(seen[block!.height], block!.hash)
    }
  }
})

test('a payment in an orphaned block comes back, and is found once it is solidified', async () => {
  const txid = send([[carol, 77n]])
  sandbox.chain.mine(2)
  sandbox.chain.fork(2)
  const { height } = sandbox.chain.head
  sandbox.chain.mine(4)
  assert.deepEqual(
    (await node.solidBlock(height))!.transfers.map(t => [t.txid, t.amount]),
    [[txid, 77n]],
  )
})

test('answers are as java-tron has them where there is nothing, and defaults are left out', async () => {
  const { height } = sandbox.chain.mine()[0]!
  assert.deepEqual(await ask('/wallet/getblockbynum', { num: height + 100 }), {})
  assert.deepEqual(await ask('/wallet/gettransactioninfobyblocknum', { num: height + 100 }), [])
  assert.deepEqual(await ask('/wallet/gettransactioninfobyblocknum', { num: height }), [])
  assert.deepEqual(await ask('/wallet/gettransactioninfobyblocknum', { num: 0 }), {})
  assert.deepEqual(await ask('/wallet/gettransactioninfobyid', { value: 'ab'.repeat(32) }), {})
  const empty = await ask('/wallet/getnowblock', {})
  assert(!('transactions' in empty))
  assert.equal(empty.block_header.raw_data.txTrieRoot, '0'.repeat(64))
  const genesis = await ask('/wallet/getblockbynum', {})
  assert(!('number' in genesis.block_header.raw_data))
  assert(!('timestamp' in genesis.block_header.raw_data))
  assert.deepEqual(await ask('/wallet/getblockbynum', { num: 'x' }), {
    Error: 'class java.lang.NumberFormatException : For input string: "x"',
  })
})

test('what became of a transaction is told by its id, in the view that has it', async () => {
  const txid = send([[alice, 1n]], { fail: 'REVERT' })
  const { height } = sandbox.chain.mine()[0]!
  const info = await ask('/wallet/gettransactioninfobyid', { value: txid })
  assert.equal(info.id, txid)
  assert.equal(info.blockNumber, height)
  assert.equal(info.receipt.result, 'REVERT')
  assert.equal(info.result, 'FAILED')
  assert(!('log' in info))
  assert.deepEqual(await ask('/walletsolidity/gettransactioninfobyid', { value: txid }), {})
  sandbox.chain.mine(4)
  assert.deepEqual(await ask('/walletsolidity/gettransactioninfobyid', { value: txid }), info)
})

test('a log without data has no data key', async () => {
  const facts = { id: 'e1'.repeat(32), contract: sandboxAddresses.router, result: 'SUCCESS' as const }
  sandbox.chain.add([{ ...facts, logs: [{ address: '11'.repeat(20), topics: ['22'.repeat(32)] }] }])
  const { height } = sandbox.chain.mine()[0]!
  const [info] = await ask('/wallet/gettransactioninfobyblocknum', { num: height })
  assert.deepEqual(info.log, [{ address: '11'.repeat(20), topics: ['22'.repeat(32)] }])
})

test('GET answers as POST does, and the node tells how far it is', async () => {
  const { height, id } = sandbox.chain.head
  const got = await (await fetch(`${sandbox.url}/wallet/getblockbynum?num=${height}`)).json()
  assert.deepEqual(got, await ask('/wallet/getblockbynum', { num: height }))
  const info = (await (await fetch(`${sandbox.url}/wallet/getnodeinfo`)).json()) as Record<string, string>
  assert.equal(info.block, `Num:${height},ID:${id}`)
  assert.equal(info.solidityBlock, `Num:${height - 4},ID:${sandbox.chain.solid.id}`)
})

test('unreadable JSON is an Error with 200, and the body of getnowblock is not read for its type', async () => {
  const bad = await fetch(`${sandbox.url}/wallet/getblockbynum`, { method: 'POST', body: '{"num":' })
  assert.equal(bad.status, 200)
  assert.match(((await bad.json()) as { Error: string }).Error, /JSONException/)
  const bare = await fetch(`${sandbox.url}/wallet/getnowblock`, { method: 'POST' })
  assert.equal(((await bare.json()) as { blockID: string }).blockID, sandbox.chain.head.id)
})

test('blocks come by themselves, as often as asked for', async () => {
  const running = await startSandboxNode({ blockIntervalMs: 50, solidificationDepth: 2 })
  const { height } = running.chain.head
  await waitUntil('three blocks', () => running.chain.head.height >= height + 3)
  await running.close()
})

test('a closed sandbox answers no more', async () => {
  const closed = await startSandboxNode({ autoMine: false })
  await closed.close()
  const client = clientOf(closed)
  await assert.rejects(client.solidHead(), { name: 'NodeError' })
  await client.close()
})

test('an interval under 50 ms and a depth that is no number of blocks are refused, both at once', async () => {
  await assert.rejects(startSandboxNode({ blockIntervalMs: 49, solidificationDepth: -1 }), error => {
    assert(error instanceof UsageError)
    assert.equal(error.problems.length, 2)
    return true
  })
})

function clientOf({ url }: SandboxNode): TronNode {
  return createTronNode({ headUrl: url, solidUrl: url, usdtContract: networks.sandbox.usdtContract! })
}

function send(payments: [to: TronAddress, units: bigint][], options?: PaymentOptions): string {
  const { chain } = sandbox
  const parsed = payments.map(([to, units]) => ({ to, amount: usdt(units) }))
  const transaction = makePayment(chain.stamp(), parsed, options)
  chain.add([transaction])
  return transaction.id
}

/** What was sent, in one block, once that is solidified. */
async function solidified(): Promise<ReadBlock> {
  const { height } = sandbox.chain.mine(5)[0]!
  const block = await node.solidBlock(height)
  assert(block)
  return block
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape, looked into by the tests.
async function ask(path: string, body: object): Promise<any> {
  const response = await fetch(sandbox.url + path, { method: 'POST', body: JSON.stringify(body) })
  assert.equal(response.status, 200)
  return response.json()
}
