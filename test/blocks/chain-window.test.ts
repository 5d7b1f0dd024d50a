import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { ChainWindow } from '../../src/blocks/chain-window.ts'
import { UnlinkedBlock } from '../../src/blocks/fetch-blocks.ts'
import type { IdRange } from '../../src/blocks/id-range.ts'
import type { KnownProducers } from '../../src/blocks/known-producers.ts'
import type { ReadBlock } from '../../src/tron/node/solid-block.ts'
import type { SentHeader } from '../../src/tron/verify/sent-block.ts'

const log = createLog('silent', 'test')
const idOf = (branch: string, height: number) => `${branch}${height}`
const refOf = (branch: string, height: number) => ({
  ...{ height, hash: idOf(branch, height), time: new Date(height * 3_000) },
})

/** A block of a branch. Producers take turns, unless one is named; `stranger` is not known. */
function block(
  branch: string,
  height: number,
  given: { parent?: string; producer?: string } = {},
): ReadBlock {
  const producer = given.producer ?? `producer ${height % 27}`
  const ref = refOf(branch, height)
  return {
    ...ref,
    parentHash: given.parent ?? idOf(branch, height - 1),
    ...{ transactionCount: 0, transfers: [], undecodable: [], alarms: [], undone: [] },
    ...{ unverified: producer === 'stranger' ? 'stranger' : null, node: 'a' },
    header: { id: ref.hash, height, producer } as SentHeader,
  }
}

/** A window above block 0, whose producers are all known but `stranger`, and what it learned from solid blocks. */
function openWindow() {
  const learned: string[] = []
  const producers = {
    verifyHeader: header => (header.producer === 'stranger' ? 'stranger' : null),
    learn: async headers => {
      for (const { producer } of headers) learned.push(producer)
    },
  } satisfies Pick<KnownProducers, 'verifyHeader' | 'learn'>
  const window = new ChainWindow(refOf('a', 0), producers as unknown as KnownProducers, log)
  const takeTo = async (from: number, to: number, branch = 'a') => {
    for (let height = from; height <= to; height++) assert(await window.take(block(branch, height)))
  }
  return { window, learned, takeTo }
}

test('a block is solid when 19 producers have built on it, its own included', async () => {
  const { window, takeTo } = openWindow()
  await takeTo(1, 18)
  assert.equal(window.solid.height, 0)
  await takeTo(19, 30)
  assert.equal(window.solid.height, 12)
  assert.equal(window.solidBlock(12)!.hash, 'a12')
  assert.equal(window.solidBlock(13), null)
  assert.deepEqual(
    window.branch().map(({ height }) => height),
    Array.from({ length: 18 }, (_, i) => 13 + i),
  )
})

test('after a fork the tip goes down block by block until one links, and the branch that was left is kept', async () => {
  const { window, takeTo } = openWindow()
  await takeTo(1, 10)
  for (const tip of [9, 8, 7]) {
    assert.equal(await window.take(block('b', window.tip.height + 1)), false)
    assert.equal(window.tip.height, tip)
  }
  assert(await window.take(block('b', 8, { parent: 'a7' })))
  await takeTo(9, 30, 'b')
  assert.equal(window.solidBlock(8)!.hash, 'b8')
  assert.equal(window.solidBlock(7)!.hash, 'a7')
})

test('what contradicts a solid block is refused', async () => {
  const { window, takeTo } = openWindow()
  await takeTo(1, 20)
  window.backToSolid()
  assert.equal(window.tip.height, 2)
  await assert.rejects(window.take(block('b', 3)), UnlinkedBlock)
  assert.equal(window.tip.height, 2)
})

test('a stranger, and a known producer out of turn, are suspects until another node shows their block', async () => {
  const { window, takeTo } = openWindow()
  await takeTo(1, 3)
  assert.equal(window.suspect(), null)
  await window.take(block('a', 4, { producer: 'stranger' }))
  await window.take(block('a', 5, { producer: 'producer 2' }))
  assert.equal(window.suspect()!.height, 4)
  window.confirm(window.suspect()!)
  assert.equal(window.suspect()!.height, 5, 'three blocks after its last')
  window.drop(window.suspect()!)
  assert.equal(window.tip.height, 4)
  assert.equal(window.suspect(), null)
})

test('one producer alone makes nothing solid, however many blocks it signs', async () => {
  const { window } = openWindow()
  for (let height = 1; height <= 100; height++)
    await window.take(block('a', height, { producer: height % 2 ? 'producer 1' : 'stranger' }))
  assert.equal(window.solid.height, 0)
})

test('a stranger whose block becomes solid is verified by that and learned', async () => {
  const { window, learned, takeTo } = openWindow()
  await window.take(block('a', 1, { producer: 'stranger' }))
  await takeTo(2, 19)
  assert.deepEqual(learned, [])
  await takeTo(20, 20)
  assert.deepEqual(learned, ['stranger'])
  assert.equal(window.solidBlock(1)!.unverified, null)
  await takeTo(21, 30)
  assert.deepEqual(learned, ['stranger'], 'once')
})

test('blocks of producers that are known only later become solid when they are read again', async () => {
  const { window, takeTo } = openWindow()
  const stranger = { unverified: 'stranger', header: { producer: 'stranger' } as SentHeader } as const
  for (let height = 1; height <= 30; height++)
    await window.take({ ...block('a', height), ...(height > 5 && stranger) })
  assert.equal(window.solid.height, 0)
  window.backToSolid()
  await takeTo(1, 30)
  assert.equal(window.solid.height, 12)
  assert.equal(window.solidBlock(12)!.unverified, null)
})

test('blocks that lead nowhere are dropped when there are too many, and the branch is kept', async () => {
  const { window, takeTo } = openWindow()
  await takeTo(1, 5)
  const shown = 3_000
  for (let i = 0; i < shown; i++) {
    await window.take(block(`liar${i}-`, 6, { parent: 'a5', producer: 'stranger' }))
    window.drop(window.branch().at(-1)!)
  }
  // Side by side at another height, so that dropping does not reach them.
  for (let i = 0; i < shown; i++) {
    assert(await window.take(block(`side${i}-`, 6, { parent: 'a5', producer: 'stranger' })))
    await window.take(block('other', 9))
    assert.equal(window.tip.hash, 'a5')
  }
  assert(window.size <= 1_001, `${window.size} blocks are kept`)
  await takeTo(6, 30)
  assert.equal(window.solidBlock(12)!.hash, 'a12')
})

test('proven ids are solid as soon as they are read, and other blocks at their heights are refused', async () => {
  const { window, takeTo } = openWindow()
  await takeTo(1, 5)
  window.prove({ idAt: (height: number) => (height <= 8 ? idOf('a', height) : null) } as IdRange)
  assert.equal(window.tip.height, 0)
  await takeTo(1, 3)
  assert.equal(window.solid.height, 3)
  assert(window.isProven(refOf('a', 8)))
  assert(!window.isProven(refOf('b', 8)))
  await assert.rejects(window.take(block('b', 4, { parent: 'a3' })), UnlinkedBlock)
  await takeTo(4, 8)
  assert.equal(window.solidBlock(8)!.hash, 'a8')
})

test('a released cursor forgets what is below, and one that the window does not lead to is refused', async () => {
  const { window, takeTo } = openWindow()
  await takeTo(1, 30)
  assert(window.release(refOf('a', 10)))
  assert.equal(window.cursor.height, 10)
  assert.equal(window.solidBlock(10), null)
  assert.equal(window.solidBlock(11)!.hash, 'a11')
  assert.equal(window.release(refOf('b', 11)), false)
  assert(window.release(refOf('a', 15)), "a block that is not solid, recorded by the node's word")
  assert.equal(window.cursor.height, 15)
})
