import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { usdt } from '../../../src/base/money.ts'
import { blocksKept } from '../../../src/sandbox/chain/kept-blocks.ts'
import type { SandboxBlock } from '../../../src/sandbox/chain/sandbox-block.ts'
import { SandboxChain } from '../../../src/sandbox/chain/sandbox-chain.ts'
import { makePayment } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { addressFromBytes } from '../../../src/tron/address.ts'
import { blockId } from '../../../src/tron/block-id.ts'

const to = addressFromBytes(Buffer.alloc(20, 7))
const pay = (chain: SandboxChain) => {
  const transaction = makePayment(chain.stamp(), [{ to, amount: usdt(1n) }])
  chain.add([transaction])
  return transaction.id
}
const placeOf = (chain: SandboxChain, txid: string) => chain.blockOf(txid)?.height

test('a new chain has a history, linked, dated back, with its solidified head above the genesis', () => {
  const chain = new SandboxChain({ clock: clockAt(1_800_000_000_000) })
  assert.equal(chain.head.height, 20)
  assert.equal(chain.solid.height, 1)
  assert.equal(chain.head.timeMs, 1_800_000_000_000 - 3_000)
  assert.equal(chain.block(1)!.timeMs, 1_800_000_000_000 - 60_000)
  checkLinks(chain)
})

test('two chains have two genesis ids, unless they share a seed', () => {
  assert.notEqual(new SandboxChain().genesisId, new SandboxChain().genesisId)
  const [a, b] = ['one', 'one'].map(genesisSeed => new SandboxChain({ genesisSeed }))
  assert.equal(a!.genesisId, b!.genesisId)
  assert.match(a!.genesisId, /^0{16}[0-9a-f]{48}$/)
})

test('times rise from block to block even when the clock stands still or goes back', () => {
  const clock = clockAt(1_800_000_000_000)
  const chain = new SandboxChain({ clock })
  const blocks = chain.mine(5)
  clock.set(1_700_000_000_000)
  blocks.push(...chain.mine(5))
  for (const [i, block] of blocks.entries()) assert.equal(block.timeMs, 1_800_000_000_000 + i)
})

test('transactions go into the next block in the order they came, and once', () => {
  const chain = new SandboxChain()
  const txids = [pay(chain), pay(chain), pay(chain)]
  assert.equal(chain.pendingCount, 3)
  const [first, second] = chain.mine(2)
  assert.deepEqual(
    first!.transactions.map(({ id }) => id),
    txids,
  )
  assert.equal(second!.transactions.length, 0)
  assert.equal(chain.pendingCount, 0)
})

test('a transaction that waits or is in a block is not taken again, and none of what came with it is', () => {
  const chain = new SandboxChain()
  const transaction = { id: 'ab'.repeat(32), logs: [] }
  chain.add([transaction])
  assert.throws(() => chain.add([{ id: 'cd'.repeat(32), logs: [] }, transaction]), /is on this chain already/)
  chain.mine()
  assert.throws(() => chain.add([transaction]), /is on this chain already/)
  assert.throws(
    () =>
      chain.add([
        { id: '01'.repeat(32), logs: [] },
        { id: '01'.repeat(32), logs: [] },
      ]),
    /already/,
  )
  assert.equal(chain.pendingCount, 0)
})

test('a fork replaces the newest blocks by others and one more; their transactions return in that one, first', () => {
  const chain = new SandboxChain()
  const orphan = pay(chain)
  const old = chain.mine(3)
  const waiting = pay(chain)
  const orphans = chain.fork(3)
  assert.deepEqual(orphans, old)
  assert.equal(chain.head.height, old[2]!.height + 1)
  for (const block of old) {
    assert.notEqual(chain.block(block.height)!.id, block.id)
    assert.equal(chain.block(block.height)!.timeMs, block.timeMs)
    assert.deepEqual(chain.block(block.height)!.transactions, [])
  }
  assert.deepEqual(
    chain.head.transactions.map(({ id }) => id),
    [orphan, waiting],
  )
  checkLinks(chain)
})

test('a dropped transaction is gone with the fork, the others return', () => {
  const chain = new SandboxChain()
  const [dropped, kept] = [pay(chain), pay(chain)]
  chain.mine()
  chain.fork(1, { drop: [dropped] })
  assert.equal(placeOf(chain, dropped), undefined)
  assert.equal(placeOf(chain, kept), chain.head.height)
})

test('a fork cannot reach the solidified chain, nor drop what it does not touch, and then changes nothing', () => {
  const chain = new SandboxChain({ solidificationDepth: 3 })
  const txid = pay(chain)
  chain.mine(5)
  const head = chain.head
  assert.throws(() => chain.fork(4), /can be 1 to 3 deep here/)
  assert.throws(() => chain.fork(0), /can be 1 to 3 deep here/)
  assert.throws(() => chain.fork(1, { drop: [txid] }), /is not in the 1 blocks to be replaced/)
  assert.equal(chain.head, head)
  assert.throws(() => new SandboxChain({ solidificationDepth: 0 }).fork(1), /can be 1 to 0 deep/)
})

test('whatever is paid, mined and forked: the solidified chain only grows, all of it links, nothing is there twice', () => {
  const step = fc.oneof(
    fc.constant({ kind: 'pay' as const }),
    fc.record({ kind: fc.constant('mine' as const), blocks: fc.integer({ min: 1, max: 4 }) }),
    fc.record({
      kind: fc.constant('fork' as const),
      depth: fc.integer({ min: 1, max: 6 }),
      drops: fc.boolean(),
    }),
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5 }),
      fc.array(step, { maxLength: 40 }),
      (solidificationDepth, steps) => {
        const chain = new SandboxChain({ solidificationDepth })
        const solid = new Map<number, string>()
        const expected = new Set<string>()
        for (const step of steps) {
          if (step.kind === 'pay') expected.add(pay(chain))
          else if (step.kind === 'mine') chain.mine(step.blocks)
          else fork(chain, step, expected)
          for (let height = 0; height <= chain.solid.height; height++) {
            const { id } = chain.block(height)!
            assert.equal(solid.get(height) ?? id, id, `solidified block ${height} changed`)
            solid.set(height, id)
          }
          assert(solid.size === chain.solid.height + 1, 'the solidified height fell')
        }
        checkLinks(chain)
        chain.mine()
        const there = allBlocks(chain).flatMap(({ transactions }) => transactions.map(({ id }) => id))
        assert.deepEqual(there.sort(), [...expected].sort())
      },
    ),
    { numRuns: 60 },
  )
})

test('memory is bounded: the oldest blocks are let go, the genesis stays', () => {
  const chain = new SandboxChain({ genesisSeed: 'bound' })
  const early = pay(chain)
  chain.mine(blocksKept + 10)
  assert.equal(chain.block(1), undefined)
  assert.equal(chain.blockOf(early), undefined)
  assert.equal(chain.block(chain.head.height - blocksKept), undefined)
  assert(chain.block(chain.head.height - blocksKept + 1))
  assert.equal(chain.block(0)!.id, new SandboxChain({ genesisSeed: 'bound' }).genesisId)
})

function fork(chain: SandboxChain, step: { depth: number; drops: boolean }, expected: Set<string>): void {
  const deepest = chain.head.height - chain.solid.height
  if (step.depth > deepest) {
    assert.throws(() => chain.fork(step.depth), { name: 'SandboxRefusal' })
    return
  }
  const orphaned = allBlocks(chain)
    .slice(-step.depth)
    .flatMap(({ transactions }) => transactions.map(({ id }) => id))
  const drop = new Set(step.drops ? orphaned.slice(0, 1) : [])
  for (const txid of drop) expected.delete(txid)
  chain.fork(step.depth, { drop })
}

function allBlocks(chain: SandboxChain): SandboxBlock[] {
  return Array.from({ length: chain.head.height + 1 }, (_, height) => chain.block(height)!)
}

function checkLinks(chain: SandboxChain): void {
  const blocks = allBlocks(chain)
  for (const [height, block] of blocks.entries()) {
    assert.equal(block.height, height)
    assert.equal(block.id, blockId(block.header))
    if (height === 0) continue
    assert.equal(block.header.parentHash, blocks[height - 1]!.id)
    assert(block.timeMs > blocks[height - 1]!.timeMs)
  }
}

function clockAt(ms: number) {
  let now = ms
  return {
    now: () => new Date(now),
    set: (ms: number) => {
      now = ms
    },
  }
}
