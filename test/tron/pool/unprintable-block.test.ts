import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeNode } from '../node/fake-node.ts'
import { refuse } from '../node/fake-node.ts'
import { fakeNodes, poolOf, steppedClock } from './pool-under-test.ts'

// Blocks that a node cannot print, for good: the pool reads them by their headers and infos, and does not hold them against the node.

type Part = 'block' | 'infos' | 'header'
const partOf: Record<string, Part> = {
  getblockbynum: 'block',
  getblockbylimitnext: 'block',
  getblock: 'header',
  gettransactioninfobyblocknum: 'infos',
}
const crash = refuse(200, '{"Error": "class java.lang.NullPointerException : null"}')

/** Makes a node fail at these parts of these heights. */
function cannotPrint(node: FakeNode, heights: readonly number[], parts: readonly Part[] = ['block']): void {
  node.behave = ({ path, body }) => {
    const part = partOf[path.split('/').at(-1)!]
    const isAsked = heights.some(height =>
      body.startNum === undefined
        ? height === Number(body.num ?? body.id_or_num)
        : height >= Number(body.startNum) && height < Number(body.endNum),
    )
    return part && parts.includes(part) && isAsked ? crash : undefined
  }
}

/** Asks for a block as following does, until it comes. @returns it, and after how many ms. */
async function follow(
  pool: ReturnType<typeof poolOf>['pool'],
  clock: ReturnType<typeof steppedClock>,
  height: number,
) {
  const startedMs = clock.now().getTime()
  for (;;) {
    const block = await pool.newBlock(height).catch(() => null)
    const afterMs = clock.now().getTime() - startedMs
    if (block) return { block, afterMs }
    assert(afterMs < 60_000, `block ${height} never came`)
    clock.pass(500)
  }
}

test('of several blocks in a row that a node cannot print, the first costs some seconds and the next none', async () => {
  const [a] = await fakeNodes({})
  cannotPrint(a!, [991, 992, 993])
  const clock = steppedClock()
  const { pool, states } = poolOf([a!], { clock })
  await pool.newBlock(989)
  const first = await follow(pool, clock, 991)
  assert.equal(first.block.unverified, 'header-only')
  assert(first.afterMs >= 5_000, `${first.afterMs} ms`)
  clock.pass(1_000)
  await pool.newBlock(989)
  const before = states(a!.name).length
  for (const height of [992, 993]) assert.equal((await pool.newBlock(height))!.unverified, 'header-only')
  // And it did not rest for that.
  assert.equal(states(a!.name).length, before)
})

test('a block whose infos do not come is not taken for one that cannot be printed', async () => {
  const [a] = await fakeNodes({})
  cannotPrint(a!, [991])
  const clock = steppedClock()
  const { pool } = poolOf([a!], { clock })
  await pool.newBlock(989)
  await follow(pool, clock, 991)
  clock.pass(1_000)
  // Its infos come late, as at a node that was restarted.
  let failures = 3
  a!.behave = ({ path, body }) =>
    path.endsWith('byblocknum') && body.num === 992 && failures-- > 0 ? refuse(500, 'not yet') : undefined
  const { block } = await follow(pool, clock, 992)
  assert.equal(block.unverified, null)
})

test('reading such a block again does not make other failures look like its own', async () => {
  const [a] = await fakeNodes({})
  cannotPrint(a!, [991])
  const clock = steppedClock()
  const { pool } = poolOf([a!], { clock })
  await pool.newBlock(989)
  await follow(pool, clock, 991)
  // As settling does, each minute.
  for (let minute = 0; minute < 3; minute++) {
    clock.pass(59_000)
    await pool.newBlock(989)
    assert.equal((await pool.recordedBlock(991, { not: [] }))!.unverified, 'header-only')
  }
  const other = ({ path, body }: { path: string; body: Record<string, unknown> }) =>
    path.endsWith('getblockbynum') && body.num === 995 ? crash : undefined
  a!.behave = other
  await assert.rejects(pool.newBlock(995), { name: 'NodeError' })
  a!.behave = null
  clock.pass(2_000)
  assert.equal((await pool.newBlock(995))!.unverified, null)
})

test('a node goes on being asked for several blocks in one call after it could not print one of them', async () => {
  const [a] = await fakeNodes({})
  let inOne = 0
  const { behave } = a!
  assert.equal(behave, null)
  const { pool } = poolOf([a!])
  cannotPrint(a!, [993])
  const broken = a!.behave!
  a!.behave = call => {
    if (!call.path.endsWith('getblockbylimitnext')) return broken(call)
    inOne++
    return broken(call) ?? { block: [] }
  }
  await assert.rejects(pool.newBlocks(991, 4), { name: 'NodeError' })
  const before = inOne
  await pool.newBlocks(995, 4)
  assert.equal(inOne, before + 1)
})

test('a block that no node can print is no failure of any, whoever is left out', async () => {
  const [a, b] = await fakeNodes({}, {})
  for (const node of [a!, b!]) cannotPrint(node, [991], ['block', 'infos'])
  const clock = steppedClock()
  const { pool, states } = poolOf([a!, b!], { clock })
  await pool.newBlock(989)
  for (let i = 0; i < 12; i++) {
    await pool.newBlock(991).catch(() => undefined)
    clock.pass(1_000)
  }
  clock.pass(60_000)
  for (const node of [a!, b!]) await pool.newBlock(989, { not: node.name })
  const before = [a!, b!].map(({ name }) => states(name).length)
  await assert.rejects(pool.recordedBlock(991, { not: a!.name }))
  await assert.rejects(pool.recordedBlock(991, { not: b!.name }))
  assert.deepEqual(
    [a!, b!].map(({ name }) => states(name).length),
    before,
  )
})
