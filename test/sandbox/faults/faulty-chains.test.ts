import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import { makePayment, sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { type NodeView, startNodeView } from '../../../src/sandbox/node-view.ts'
import { type SandboxNode, startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { addressFromBytes, addressFromHex } from '../../../src/tron/address.ts'
import { blockId } from '../../../src/tron/block-id.ts'
import { createTronNode, type TronNode } from '../../../src/tron/node/node-client.ts'

// Two nodes over one chain: the first is sound, the second has the faults. Read by the gateway's own client.
let sound: SandboxNode
let faulty: NodeView
let client: TronNode
const [alice, mallory] = [1, 2].map(n => addressFromBytes(Buffer.alloc(20, n)))

before(async () => {
  sound = await startSandboxNode({ autoMine: false, solidificationDepth: 4 })
  faulty = await startNodeView(sound.chain)
  client = clientOf(faulty)
  sound.chain.mine(10)
})
after(async () => {
  await client.close()
  await faulty.close()
  await sound.close()
})
afterEach(() => faulty.faults.clear())

test('a node lags: in both views, or in one', async () => {
  const { head, solid } = sound.chain
  faulty.faults.set({ kind: 'lag', blocks: 3 })
  assert.deepEqual(await heights(faulty), [head.height - 3, solid.height - 3])
  assert.equal(await client.solidBlock(solid.height - 2), null)
  assert.deepEqual(await heights(sound), [head.height, solid.height])
  faulty.faults.clear()
  faulty.faults.set({ kind: 'lag', blocks: 3, view: 'solid' })
  assert.deepEqual(await heights(faulty), [head.height, solid.height - 3])
  faulty.faults.set({ kind: 'lag', blocks: 5, view: 'head' })
  assert.deepEqual(await heights(faulty), [
    head.height - 5,
    head.height - 5 < solid.height - 3 ? head.height - 5 : solid.height - 3,
  ])
})

test('a node stands still while the chain goes on, and is up again when the fault is cleared', async () => {
  const { head, solid } = sound.chain
  faulty.faults.set({ kind: 'stall' })
  sound.chain.mine(3)
  assert.deepEqual(await heights(faulty), [head.height, solid.height])
  faulty.faults.clear()
  assert.deepEqual(await heights(faulty), [head.height + 3, solid.height + 3])
})

test('a height goes backwards from call to call', async () => {
  const { height } = sound.chain.solid
  faulty.faults.set({ kind: 'backwards', blocks: 2, view: 'solid' })
  const seen: number[] = []
  while (seen.length < 3) seen.push((await heights(faulty))[1]!)
  assert.deepEqual(seen, [height - 1, height - 2, height - 2])
})

test('a block of another id, or with a parent that is none, fits in itself and not in the chain', async () => {
  const { height } = sound.chain.solid
  for (const kind of ['other-hash', 'wrong-parent'] as const) {
    faulty.faults.set({ kind, heights: { from: height - 1, to: height - 1 } })
    const [before, changed, next] = await Promise.all(
      [height - 2, height - 1, height].map(height => client.solidBlock(height)),
    )
    assert.notEqual(changed!.hash, sound.chain.block(height - 1)!.id)
    assert.equal(changed!.parentHash === before!.hash, kind === 'other-hash')
    assert.equal(next!.parentHash, sound.chain.block(height - 1)!.id)
    const shown = await ask(faulty, '/wallet/getblockbynum', { num: height - 1 })
    assert.equal(blockId(shown.block_header.raw_data), shown.blockID)
    faulty.faults.clear()
  }
})

test('a head on another branch: linked, longer than any fork, and without a payment', async () => {
  const spent = pay(5n)
  const kept = pay(6n)
  const { height } = sound.chain.mine()[0]!
  sound.chain.mine()
  faulty.faults.set({ kind: 'other-branch', depth: 3, view: 'head', without: [spent] })
  sound.chain.mine()
  const blocks = await Promise.all(
    [-2, -1, 0, 1, 2].map(n => ask(faulty, '/wallet/getblockbynum', { num: height + n })),
  )
  for (const [i, block] of blocks.entries()) {
    const { id } = sound.chain.block(height - 2 + i)!
    assert.equal(block.blockID === id, i === 0, `block ${i}`)
    assert.equal(blockId(block.block_header.raw_data), block.blockID)
    if (i > 0) assert.equal(block.block_header.raw_data.parentHash, blocks[i - 1].blockID)
  }
  assert.deepEqual(
    blocks[2].transactions.map((transaction: { txID: string }) => transaction.txID),
    [kept],
  )
  assert.equal((await client.solidHead()).hash, sound.chain.solid.id)
})

test('a branch below the solidified height is what cannot happen: other solid blocks, linked among themselves', async () => {
  const { height } = sound.chain.solid
  faulty.faults.set({ kind: 'other-branch', depth: sound.chain.head.height - height + 2 })
  const [last, first, second] = await Promise.all(
    [height - 2, height - 1, height].map(height => client.solidBlock(height)),
  )
  assert.equal(last!.hash, sound.chain.block(height - 2)!.id)
  assert.notEqual(first!.hash, sound.chain.block(height - 1)!.id)
  assert.deepEqual([first!.parentHash, second!.parentHash], [last!.hash, first!.hash])
})

test('a branch stays linked when the chain itself forks under it', async () => {
  faulty.faults.set({ kind: 'other-branch', depth: 2 })
  await ask(faulty, '/wallet/getnowblock', {})
  sound.chain.fork(1)
  const { height } = sound.chain.head
  const blocks = await Promise.all(
    [3, 2, 1, 0].map(n => ask(faulty, '/wallet/getblockbynum', { num: height - n })),
  )
  for (const [i, block] of blocks.entries()) {
    if (i > 0) assert.equal(block.block_header.raw_data.parentHash, blocks[i - 1].blockID)
  }
})

test('a node lies: a transfer that never was, another amount, another recipient, one hidden; the id stays', async () => {
  const txid = pay(5n)
  const other = pay(6n)
  const { height, id } = sound.chain.mine()[0]!
  sound.chain.mine(4)
  const read = async () => {
    const block = await client.solidBlock(height)
    assert.equal(block!.hash, id)
    return block!.transfers.map(t => [addressFromHex(t.toHex), t.amount])
  }
  assert.deepEqual(await read(), [
    [alice, 5n],
    [alice, 6n],
  ])
  faulty.faults.set({ kind: 'forged-amount', txid, amount: '7', times: 2 })
  assert.deepEqual(await read(), [
    [alice, 7_000_000n],
    [alice, 6n],
  ])
  faulty.faults.set({ kind: 'forged-recipient', to: mallory!, times: 2 })
  assert.deepEqual(await read(), [
    [mallory, 5n],
    [mallory, 6n],
  ])
  faulty.faults.set({ kind: 'hidden-transaction', txid: other, times: 2 })
  assert.deepEqual(await read(), [[alice, 5n]])
  faulty.faults.set({
    kind: 'forged-transfer',
    to: mallory!,
    amount: '1',
    heights: { from: height, to: height },
  })
  assert.deepEqual(await read(), [
    [alice, 5n],
    [alice, 6n],
    [mallory, 1_000_000n],
  ])
  assert.equal((await client.solidBlock(height - 1))!.transfers.length, 0)
  assert.equal(sound.chain.truth(height).transfers.length, 2)
})

test('a fault strikes only the paths, heights and views it names, so often as it says', async () => {
  const { height } = sound.chain.solid
  const infos = '/walletsolidity/gettransactioninfobyblocknum'
  faulty.faults.set({ kind: 'no-resources', paths: [infos], heights: { from: height, to: height }, times: 2 })
  const refused = async (path: string, num: number) => 'Error' in (await ask(faulty, path, { num }))
  assert.equal(await refused(infos, height - 1), false)
  assert.equal(await refused('/walletsolidity/getblockbynum', height), false)
  assert.deepEqual([await refused(infos, height), await refused(infos, height)], [true, true])
  assert.equal(await refused(infos, height), false)
  assert.equal(faulty.faults.list()[0]!.hits, 2)
  faulty.faults.set({ kind: 'no-resources', paths: ['/wallet/*'], view: 'head' })
  assert.equal(await refused('/wallet/getblockbynum', height), true)
  assert.equal(await refused('/walletsolidity/getblockbynum', height), false)
})

test('a fault with a probability strikes as its seed says: sometimes, and the same calls again', async () => {
  const struck = async () => {
    const node = await startNodeView(sound.chain, {
      faultSeed: 7,
      faults: [{ kind: 'empty', probability: 0.5 }],
    })
    const found: boolean[] = []
    while (found.length < 40) found.push(!('blockID' in (await ask(node, '/wallet/getnowblock', {}))))
    await node.close()
    return found
  }
  const first = await struck()
  assert.deepEqual(await struck(), first)
  assert(first.includes(true) && first.includes(false))
})

function pay(units: bigint): string {
  const transaction = makePayment(sound.chain.stamp(), [{ to: alice!, amount: usdt(units) }])
  sound.chain.add([transaction])
  return transaction.id
}

function clientOf({ url }: NodeView): TronNode {
  return createTronNode({ headUrl: url, solidUrl: url, usdtContract: sandboxAddresses.usdt })
}

async function heights(node: NodeView): Promise<(number | undefined)[]> {
  const { block, solidityBlock } = await ask(node, '/wallet/getnodeinfo', {})
  return [block, solidityBlock].map(text => Number(/^Num:(\d+),/.exec(text)![1]))
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape, looked into by the tests.
async function ask({ url }: { url: string }, path: string, body: object): Promise<any> {
  const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) })
  assert.equal(response.status, 200)
  return response.json()
}
