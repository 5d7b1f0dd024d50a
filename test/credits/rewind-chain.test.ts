import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { rewindChain } from '../../src/credits/rewind-chain.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { makeBlock } from '../support/chain-blocks.ts'
import { addAddress, addOrder, assertTotalsAddUp, creditedChain, ledger } from './credited-chain.ts'

const decision = { actor: 'test', reason: 'the nodes show other blocks' }

/** Ten blocks, of which the third pays u1 one unit, followed whole. */
async function followedTen(seed: string) {
  const it = await creditedChain(seed)
  const to = await addAddress(it.pool, 'u1')
  await addOrder(it.pool, 'u1', 'o-1', 20, 1, 10_000)
  const chain = Array.from({ length: 10 }, (_, i) =>
    it.block(3 * (i + 1), i === 2 ? [[{ toBytes: to, units: 1n }]] : []),
  )
  await it.credit(chain)
  return { ...it, to, chain }
}

const serving = (blocks: readonly SolidBlock[]) => ({
  solidBlock: async (height: number) => blocks.find(block => block.height === height) ?? null,
})

test('a cursor on blocks that no node shows goes back, and what is followed again is credited once', async () => {
  const { pool, to, chain, credit } = await followedTen('rewind')
  const fork = chain[6]!
  const others: SolidBlock[] = []
  for (let i = 0, parent: SolidBlock = fork; i < 4; i++) {
    const time = new Date(parent.time.getTime() + 3_000)
    parent = makeBlock('another chain', parent, time, i === 1 ? [[{ toBytes: to, units: 5n }]] : [])
    others.push(parent)
  }
  const nodes = serving([...chain.slice(0, 7), ...others])
  const done = await rewindChain(pool, nodes, fork.height, decision)
  assert.deepEqual([done.from.hash, done.to.hash, done.transfers], [chain[9]!.hash, fork.hash, 0])
  assert.equal((await readCursor(pool))!.hash, fork.hash)
  await credit(others)
  assert.deepEqual((await ledger(pool)).map(({ amount }) => `${amount}`).sort(), ['1', '5'])
  await assertTotalsAddUp(pool)
  const { rows } = await pool.query(`select actor, reason from audit_event where action = 'chain.rewound'`)
  assert.equal(rows.length, 1)
  assert.equal(rows[0].reason, decision.reason)
})

test('what is recorded above it and shown by the nodes is followed again, and credited no second time', async () => {
  const { pool, chain, credit } = await followedTen('rewind again')
  const done = await rewindChain(pool, serving(chain), chain[0]!.height, decision)
  assert.equal(done.transfers, 1)
  await credit(chain.slice(1))
  assert.deepEqual((await ledger(pool)).map(({ amount }) => `${amount}`).sort(), ['1'])
  await assertTotalsAddUp(pool)
})

test('where a transfer is recorded that the nodes do not show, nothing is done, and it is listed', async () => {
  const { pool, chain } = await followedTen('rewind lacking')
  const shown = chain.map(block => ({ ...block, transfers: [] }))
  await assert.rejects(rewindChain(pool, serving(shown), chain[0]!.height, decision), error => {
    assert.match(
      (error as Error).message,
      /block \d+: 0\.000001 USDT to T\w+ \([0-9a-f]{64}, log 0\) is recorded/,
    )
    return true
  })
  assert.equal((await readCursor(pool))!.hash, chain[9]!.hash)
})

test('it goes back to a recorded block that the nodes show, and to no other', async () => {
  const { pool, chain } = await followedTen('rewind where')
  const nodes = serving(
    chain.map(block => ({ ...block, hash: block.height > 8 ? 'ff'.repeat(32) : block.hash })),
  )
  await assert.rejects(rewindChain(pool, nodes, 9, decision), /is recorded as .*go further back/)
  await assert.rejects(rewindChain(pool, nodes, 99, decision), /--to: a block from \d+ to 10, got 99/)
  await assert.rejects(rewindChain(pool, serving([]), 8, decision), /no node has block 8/)
  assert.equal((await rewindChain(pool, nodes, 8, decision)).to.hash, chain[7]!.hash)
})
