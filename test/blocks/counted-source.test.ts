import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { createLog } from '../../src/base/log.ts'
import { usdt } from '../../src/base/money.ts'
import { createCountedSource } from '../../src/blocks/counted-source.ts'
import { createKnownProducers } from '../../src/blocks/known-producers.ts'
import { readProducers } from '../../src/blocks/producer-store.ts'
import { makePayment } from '../../src/sandbox/chain/sandbox-transactions.ts'
import type { Fault } from '../../src/sandbox/faults/fault-schemas.ts'
import { type NodeView, startNodeView } from '../../src/sandbox/node-view.ts'
import { type SandboxNodeOptions, startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import type { BlockRef, SolidBlock } from '../../src/tron/block.ts'
import { networks } from '../../src/tron/network.ts'
import { createNodePool } from '../../src/tron/pool/node-pool.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { cloneDatabase } from '../support/database.ts'
import { waitUntil } from '../support/wait-until.ts'

const log = createLog(process.env.DEBUG_LOG ?? 'silent', 'test')
const usdtContract = networks.sandbox.usdtContract!
const payee = addressFromBytes(bytesFor('payee'))

interface Options {
  chain?: Partial<SandboxNodeOptions>
  /** Nodes beside the first. */
  others?: number
  transport?: 'http' | 'grpc'
  clock?: Clock
  together?: number
  patience?: { answeredMs: number; awayMs: number }
  startAt?: (chain: NodeView['chain'], first: NodeView) => BlockRef
}

/** A chain of 27 producers, its nodes, and what is counted of it from its solid block on. */
async function counted({ chain: given, others = 0, transport = 'http', ...options }: Options = {}) {
  const { pool } = await cloneDatabase()
  const first = await startSandboxNode({ autoMine: false, solidifiedBy: 'producers', ...given })
  const views: NodeView[] = [first]
  for (let i = 0; i < others; i++) views.push(await startNodeView(first.chain, { blockIntervalMs: null }))
  after(() => Promise.all(views.map(view => view.close())))
  const urls = views.map(view => (transport === 'http' ? view.url : view.grpcUrl))
  const producers = createKnownProducers({ pool, nodes: () => nodes, isPublic: false, log })
  const nodes = createNodePool({
    nodes: urls.map(url => ({ headUrl: url, solidUrl: url })),
    usdtContract,
    requestsPerSecond: 10_000,
    verifyHeader: producers.verifyHeader,
    clock: options.clock ?? systemClock,
    log,
  })
  const { chain } = first
  const readAlone: number[] = []
  const headersRead: number[] = []
  const readsNoted: typeof nodes = {
    ...nodes,
    newBlock: (height, ...rest) => {
      readAlone.push(height)
      return nodes.newBlock(height, ...rest)
    },
    newHeader: (height, ...rest) => {
      headersRead.push(height)
      return nodes.newHeader(height, ...rest)
    },
  }
  const said: boolean[] = []
  let unlinked: Error | null = null
  const source = createCountedSource({
    ...{ nodes: readsNoted, producers, slotMs: null, pollMs: 5, log },
    clock: options.clock ?? systemClock,
    patience: options.patience ?? networks.sandbox.parking,
    together: () => options.together ?? 1,
    onUnlinked: error => {
      unlinked = error ?? unlinked
    },
    onUncounted: isUncounted => said.push(isUncounted),
  })
  const start = () => {
    const stopping = new AbortController()
    const running = source.run(stopping.signal)
    return async () => {
      stopping.abort()
      await running
    }
  }
  source.startAt!(options.startAt?.(chain, first) ?? refOf(chain.solid))
  let stop = start()
  /** As a watcher that loses the lead and takes it again. */
  const restart = async () => {
    await stop()
    stop = start()
  }
  after(async () => {
    await nodes.close()
    await stop()
  })
  await waitUntil('the producers', () => producers.canCount() || given?.producers !== undefined)
  const solid = (height: number) =>
    waitUntil(`block ${height} is solid`, () => source.solidBlock(height), 180_000)
  /** Reads blocks up to a height, as a follower that commits each. */
  const follow = async (from: number, to: number) => {
    const blocks: SolidBlock[] = []
    for (let height = from; height <= to; height++) {
      const block = await solid(height)
      blocks.push(block)
      source.startAt!(block)
    }
    return blocks
  }
  const lie = (fault: Fault, at = 0) => views[at]!.faults.set(fault)
  return {
    ...{
      pool,
      chain,
      views,
      nodes,
      source,
      producers,
      readAlone,
      headersRead,
      said,
      solid,
      follow,
      lie,
      restart,
    },
    unlinked: () => unlinked,
  }
}

/** On which thirty seconds are one. */
function fastClock(): Clock {
  const startMs = Date.now()
  return { now: () => new Date(startMs + (Date.now() - startMs) * 30) }
}

const refOf = (block: { height: number; id: string; timeMs: number }): BlockRef => ({
  height: block.height,
  hash: block.id,
  time: new Date(block.timeMs),
})

for (const transport of ['http', 'grpc'] as const) {
  test(`over ${transport}, what is counted solid is what the chain makes solid, block by block`, async () => {
    const { chain, follow, source } = await counted({ transport })
    const from = chain.solid.height + 1
    for (let i = 0; i < 40; i++) {
      chain.add([makePayment(chain.stamp(), [{ to: payee, amount: usdt(BigInt(i + 1)) }])])
      chain.mine()
    }
    const blocks = await follow(from, chain.solid.height)
    assert(blocks.length >= 20)
    for (const block of blocks) {
      assert.equal(block.hash, chain.block(block.height)!.id)
      assert.equal(block.unverified, null)
      for (const transfer of block.transfers) assert.equal(transfer.signed, true)
    }
    assert.equal(await source.solidBlock(chain.solid.height + 1), null)
  })
}

test('at the head a block costs two calls, however often it is looked at', async () => {
  const { chain, follow, nodes, source } = await counted()
  chain.mine(30)
  await follow(chain.solid.height - 25, chain.solid.height)
  await waitUntil('the head', async () => (await source.head.head()).height === chain.head.height)
  const before = nodes.status()[0]!.calls
  for (let i = 0; i < 20; i++) {
    chain.add([makePayment(chain.stamp(), [{ to: payee, amount: usdt(1n) }])])
    chain.mine()
    await waitUntil('the head', async () => (await source.head.head()).hash === chain.head.id)
    assert.equal((await source.head.headBlock(chain.head.height))!.transfers.length, 1)
  }
  const misses = nodes.status()[0]!.calls - before - 40
  // Here blocks come at no known time, so it has to be asked whether there is one.
  assert(misses >= 0)
})

test('a fork at the head is followed, and what was replaced never becomes solid', async () => {
  const { chain, source, follow } = await counted()
  const from = chain.solid.height + 1
  chain.mine(5)
  await waitUntil('the head', async () => (await source.head.head()).hash === chain.head.id)
  const replaced = chain.head.id
  chain.fork(3)
  chain.mine(25)
  await waitUntil('the new head', async () => (await source.head.head()).hash === chain.head.id)
  for (const block of await follow(from, chain.solid.height)) {
    assert.equal(block.hash, chain.block(block.height)!.id)
    assert.notEqual(block.hash, replaced)
  }
})

test('new producers, and new keys of known ones, are learned when their blocks are solid', async () => {
  const { chain, follow, pool } = await counted({ transport: 'grpc', others: 1 })
  const from = chain.solid.height + 1
  chain.mine(10)
  await follow(from, chain.solid.height)
  const before = await readProducers(pool)
  chain.producers.change({ replace: 4, newKeys: 3 })
  chain.mine(80)
  const blocks = await follow(chain.solid.height - 70, chain.solid.height).catch(() => [])
  assert.ok(blocks)
  // By two hosts: the id of a block names its producer, and not who signed it.
  await waitUntil('they are known', async () => {
    const now = await readProducers(pool)
    const isKnown = chain.producers.elected.every(
      ({ address, signer }) => now.get(address)?.includes(signer.address) ?? false,
    )
    return isKnown && now.size === before.size + 4
  })
})

test('old blocks of producers that nobody knows are proven by the headers up to the present', async () => {
  const { chain, follow, pool, readAlone, solid } = await counted({
    transport: 'grpc',
    startAt: chain => {
      const at = refOf(chain.solid)
      chain.mine(400)
      // Those that sign now had other keys then.
      chain.producers.change({ newKeys: 27 })
      chain.mine(100)
      return at
    },
  })
  const first = (await solid(21))!
  assert.equal(first.unverified, null)
  const blocks = await follow(21, chain.solid.height)
  assert.equal(blocks.at(-1)!.hash, chain.solid.id)
  assert((await readProducers(pool)).size >= 27)
  // Those that were read before the proof are read again, of other nodes. Behind them an id is enough.
  assert(readAlone.length > 0)
  assert.deepEqual(
    readAlone.filter(height => height > 250 && height < 400),
    [],
  )
})

test('a node that signs nothing, or with the key of a stranger, or of one producer, does not lead', async () => {
  for (const signed of ['unsigned', 'stranger', 'producer'] as const) {
    const { chain, lie, follow } = await counted({ others: 1 })
    const from = chain.solid.height + 1
    chain.mine(3)
    lie({ kind: 'false-head', blocks: 30, signed })
    chain.mine(30)
    const blocks = await follow(from, chain.solid.height)
    for (const block of blocks) assert.equal(block.hash, chain.block(block.height)!.id, signed)
  }
})

test('a node that withholds the newest blocks does not hold up those of another', async () => {
  const { chain, lie, follow } = await counted({ others: 1 })
  const from = chain.solid.height + 1
  lie({ kind: 'stall' })
  chain.mine(30)
  assert.equal((await follow(from, chain.solid.height)).at(-1)!.hash, chain.solid.id)
})

for (const together of [1, 4]) {
  test(`a node that withholds the newest blocks is asked first, for ${together} at a time, and the other's are read all the same`, async () => {
    const { chain, lie, follow } = await counted({ others: 1, together })
    const from = chain.solid.height + 1
    // Its solidified head is honest: nothing but the misses tells that it withholds anything.
    lie({ kind: 'stall', view: 'head' })
    let next = from
    while (next < from + 5) {
      chain.mine(together)
      const blocks = await follow(next, chain.solid.height)
      for (const block of blocks) assert.equal(block.hash, chain.block(block.height)!.id)
      next += blocks.length
    }
  })
}

test('a window full of made-up blocks is left as soon as another node has the true one', async () => {
  const { chain, lie, follow } = await counted({ others: 1 })
  const from = chain.solid.height + 1
  lie({ kind: 'false-head', blocks: 200, signed: 'unsigned' })
  await new Promise(resolve => setTimeout(resolve, 1_500))
  chain.mine(30)
  assert.equal((await follow(from, chain.solid.height)).at(-1)!.hash, chain.solid.id)
})

test('a block whose infos never fit does not hold up those that are read with it in one call', async () => {
  const { chain, lie, follow } = await counted({ together: 4, clock: fastClock() })
  const from = chain.solid.height + 1
  lie({ kind: 'info-missing', heights: { from: from + 20, to: from + 20 } })
  for (let i = 0; i < 45; i++) {
    chain.add([makePayment(chain.stamp(), [{ to: payee, amount: usdt(1n) }])])
    chain.mine()
  }
  const blocks = await follow(from, from + 21)
  assert.deepEqual(
    blocks.filter(({ unverified }) => unverified !== null).map(({ height }) => height),
    [from + 20],
  )
})

test('made-up blocks that stand on one which only another node shows whole are not read for ever', async () => {
  const { chain, lie, follow } = await counted({ others: 1, together: 4 })
  const from = chain.solid.height + 1
  chain.mine(3)
  const heights = { from: chain.head.height + 2, to: chain.head.height + 4 }
  lie({ kind: 'made-up-block', signed: 'producer', to: payee, heights })
  lie({
    kind: 'hidden-transaction',
    to: payee,
    signed: 'unsigned',
    heights: { ...heights, to: heights.from + 1 },
  })
  for (let i = 0; i < 30; i++) {
    chain.add([makePayment(chain.stamp(), [{ to: payee, amount: usdt(1n) }])])
    chain.mine()
  }
  const blocks = await follow(from, chain.solid.height)
  for (const block of blocks) assert.equal(block.hash, chain.block(block.height)!.id)
})

test('where no node names producers, its word is taken, and asked again later', async () => {
  const { chain, lie, source, producers } = await counted()
  assert.equal(producers.canCount(), true)
  const uncounted = await counted({ chain: { producers: 9, solidificationDepth: 6 } })
  uncounted.chain.mine(10)
  assert.equal(uncounted.producers.canCount(), false)
  const block = await uncounted.source.solidBlock(uncounted.chain.solid.height)
  assert.equal(block!.hash, uncounted.chain.solid.id)
  lie({ kind: 'reset' })
  chain.mine(1)
  assert.equal(await source.solidBlock(chain.head.height), null)
})

test('when nothing can be counted for five minutes while a node moves on, its word is taken, until it can be', async () => {
  let passedMs = 0
  const clock = { now: () => new Date(Date.now() + passedMs) }
  const { chain, source, said, pool, lie, views, follow, restart } = await counted({ clock, others: 1 })
  await waitUntil('they are known', async () => (await readProducers(pool)).size === 27)
  // All sign with other keys at once, and one of two hosts does not say with which.
  lie({ kind: 'disabled', paths: ['/wallet/listwitnesses'] })
  chain.producers.change({ newKeys: 27 })
  chain.mine(60)
  assert.equal(await source.solidBlock(chain.solid.height), null)
  // Blocks that are read late may be counted solid still: then five minutes pass anew.
  const block = await waitUntil('a word', () => {
    passedMs += 301_000
    return source.solidBlock(chain.solid.height)
  })
  assert.equal(block.hash, chain.solid.id)
  assert.deepEqual(said, [false, true])
  // Who leads again says it again.
  await restart()
  assert.deepEqual(said, [false, true, true])
  source.startAt!(block)
  // The node names them again. Blocks from then on can be counted.
  views[0]!.faults.clear()
  chain.mine(40)
  passedMs += 301_000
  await waitUntil('the new keys', async () => {
    const known = new Set([...(await readProducers(pool)).values()].flat())
    return chain.producers.elected.every(({ signer }) => known.has(signer.address))
  })
  chain.mine(30)
  await waitUntil('counting', () => said.length === 4)
  assert.deepEqual(said, [false, true, true, false])
  assert.equal((await follow(block.height + 1, chain.solid.height)).at(-1)!.hash, chain.solid.id)
})

/** How long a block has to be missing in these tests. */
const patience = { answeredMs: 1_000, awayMs: 10_000 }
const unread = (blocks: readonly SolidBlock[]) =>
  blocks.filter(({ unverified }) => unverified === 'unread').map(({ height }) => height)

test('far behind, blocks that no node can give cost the headers that prove them, and not those up to the head', async () => {
  let missing = [0]
  const { chain, follow, headersRead } = await counted({
    patience,
    transport: 'grpc',
    startAt: (chain, first) => {
      const at = refOf(chain.solid)
      chain.mine(800)
      missing = [25, 60].map(above => at.height + above)
      for (const height of missing) {
        const heights = { from: height, to: height }
        first.faults.set({ kind: 'unprintable', parts: ['block', 'infos'], heights })
      }
      return at
    },
  })
  const blocks = await follow(missing[0]! - 24, missing[1]! + 20)
  for (const block of blocks) assert.equal(block.hash, chain.block(block.height)!.id)
  assert.deepEqual(unread(blocks), missing)
  assert(Math.max(...headersRead) < 500, `${Math.max(...headersRead)}`)
})

test('a block that an honest node cannot give, and a liar shows as another, does not stop the chain', async () => {
  const { chain, lie, follow } = await counted({ patience, others: 1 })
  const from = chain.solid.height + 1
  chain.mine(3)
  const height = chain.head.height + 3
  const heights = { from: height, to: height }
  lie({ kind: 'unprintable', parts: ['block', 'infos'], heights })
  lie({ kind: 'made-up-block', signed: 'producer', to: payee, heights }, 1)
  chain.mine(40)
  const blocks = await follow(from, height + 5)
  for (const block of blocks) assert.equal(block.hash, chain.block(block.height)!.id)
  assert.deepEqual(unread(blocks), [height])
})

for (const together of [1, 4]) {
  test(`a block that a node says it does not have, while it shows those after it, is read by its header: ${together} at a time`, async () => {
    const { chain, lie, follow } = await counted({ patience, together, clock: fastClock() })
    const from = chain.solid.height + 1
    chain.mine(5)
    const height = chain.head.height + 2
    const heights = { from: height, to: height }
    lie({ kind: 'empty', paths: ['/wallet/getblockbynum', '/walletsolidity/getblockbynum'], heights })
    const several = ['/wallet/getblockbylimitnext']
    lie({ kind: 'empty', paths: several, heights: { from: height - 3, to: height } })
    for (let i = 0; i < 40; i++) {
      chain.add([makePayment(chain.stamp(), [{ to: payee, amount: usdt(1n) }])])
      chain.mine()
    }
    const blocks = await follow(from, height + 1)
    assert.deepEqual(
      blocks.filter(({ unverified }) => unverified !== null).map(block => [block.height, block.unverified]),
      [[height, 'header-only']],
    )
    assert.equal(blocks.at(-1)!.hash, chain.block(height + 1)!.id)
  })
}
