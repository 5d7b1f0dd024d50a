import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importAddresses } from '../../src/addresses/import-address.ts'
import { UsageError } from '../../src/base/errors.ts'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { HeaderDiffers } from '../../src/blocks/reread-blocks.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import { type Rescanned, rescan } from '../../src/credits/rescan.ts'
import { retryQuarantined } from '../../src/credits/retry-quarantined.ts'
import { firstPage } from '../../src/db/id-page.ts'
import { listQuarantined, openQuarantine } from '../../src/transfers/quarantine-store.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { NodeError } from '../../src/tron/node/node-error.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import {
  addAddress,
  addOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  creditedChain,
  ledger,
  orderOf,
  waiting,
} from './credited-chain.ts'

const pay = (toBytes: Buffer, units: bigint) => [{ toBytes, units }]

/** What nodes serve: these blocks. `fail`: what the next calls throw, one after the other. */
function served(blocks: readonly SolidBlock[]) {
  const byHeight = new Map(blocks.map(block => [block.height, block]))
  const distrusted: string[] = []
  const fail: Error[] = []
  return {
    byHeight,
    distrusted,
    fail,
    async solidBlock(height: number) {
      const error = fail.shift()
      if (error) throw error
      return byHeight.get(height) ?? null
    },
    distrust(node: string) {
      distrusted.push(node)
    },
  }
}

/** Two hundred blocks, every tenth of which pays u1 one unit; `followed` leaves out what `isLeftOut` names. */
async function followedChain(isLeftOut: (block: SolidBlock) => boolean) {
  const it = await creditedChain('rescan')
  const to = await addAddress(it.pool, 'u1')
  await addOrder(it.pool, 'u1', 'o-1', 20, 1, 10_000)
  const chain = Array.from({ length: 200 }, (_, i) =>
    it.block(3 * (i + 1), i % 10 === 4 ? [pay(to, 1n)] : []),
  )
  const followed = chain.map(block => (isLeftOut(block) ? { ...block, transfers: [] } : block))
  for (let done = 0; done < followed.length; done += 64) await it.credit(followed.slice(done, done + 64))
  return { ...it, to, chain, nodes: served(chain) }
}

test('a rescan records what is missing, credits it once, says how far it is, and is audited', async () => {
  const { pool, rules, nodes } = await followedChain(block => block.height > 60 && block.height < 130)
  assert.equal((await orderOf(pool, 'o-1')).received, 13n)
  const cursor = await readCursor(pool)
  const progress: Rescanned[] = []
  const done = await rescan(pool, rules, nodes, { from: 1, to: 200 }, now => progress.push(now))
  assert.deepEqual(done, { blocks: 200, recorded: 7, credited: 7, quarantined: 0, takenUp: 0 })
  assert.equal(progress.at(-1)!.blocks, 200)
  assert.equal((await orderOf(pool, 'o-1')).received, 20n)
  assert.deepEqual(await readCursor(pool), cursor)
  const { rows } = await pool.query(
    `select actor, subject, detail -> 'recorded' as recorded from audit_event where action = 'blocks.rescanned'`,
  )
  assert.equal(
    rows.reduce((sum, row) => sum + row.recorded, 0),
    7,
  )
  await assertNoneHomeless(pool)
  await assertTotalsAddUp(pool)
})

test('a rescan of what is complete changes nothing, nor does a second one', async () => {
  const { pool, rules, nodes } = await followedChain(block => block.height === 65)
  await rescan(pool, rules, nodes, { from: 60, to: 70 })
  const before = await ledger(pool)
  const done = await rescan(pool, rules, nodes, { from: 1, to: 200 })
  assert.deepEqual(done, { blocks: 200, recorded: 0, credited: 0, quarantined: 0, takenUp: 0 })
  assert.deepEqual(await ledger(pool), before)
  assert.equal((await pool.query(`select from audit_event where action = 'blocks.rescanned'`)).rowCount, 1)
})

test('rescans beside a running watcher, all of them at once, credit everything once', async () => {
  const { pool, rules, block, to, chain, nodes } = await followedChain(({ height }) => height % 20 === 15)
  const more = Array.from({ length: 100 }, (_, i) => block(3 * (201 + i), i % 5 === 0 ? [pay(to, 1n)] : []))
  const follow = async () => {
    for (const next of more) await creditBlocks(pool, rules, (await readCursor(pool))!, [next])
  }
  const rescans = [1, 2, 3].map(() => rescan(pool, rules, nodes, { from: 1, to: 200 }))
  const [, ...done] = await Promise.all([follow(), ...rescans])
  assert.equal(
    done.reduce((sum, { recorded }) => sum + recorded, 0),
    10,
  )
  assert.equal((await readCursor(pool))!.height, 300)
  assert.equal((await orderOf(pool, 'o-1')).received, 40n)
  assert.equal((await pool.query('select from transfer')).rowCount, 40)
  assert.equal(chain.length, 200)
  await assertNoneHomeless(pool)
  await assertTotalsAddUp(pool)
})

test('a range past the cursor, upside down or below 1 is refused', async () => {
  const { pool, rules, nodes } = await followedChain(() => false)
  for (const range of [
    { from: 1, to: 201 },
    { from: 5, to: 4 },
    { from: 0, to: 4 },
  ]) {
    await assert.rejects(rescan(pool, rules, nodes, range), UsageError)
  }
})

test('a block that is another one than we recorded is a discrepancy: nothing of its batch is recorded', async () => {
  const { pool, rules, nodes } = await followedChain(({ height }) => height === 105)
  const other = { ...nodes.byHeight.get(110)!, hash: 'e'.repeat(64), node: 'liar' }
  nodes.byHeight.set(110, other)
  nodes.byHeight.set(111, { ...nodes.byHeight.get(111)!, parentHash: other.hash })
  await assert.rejects(rescan(pool, rules, nodes, { from: 100, to: 120 }), HeaderDiffers)
  assert.equal((await orderOf(pool, 'o-1')).received, 19n)
  const { rows } = await pool.query('select kind, subject, detail from discrepancy')
  assert.deepEqual(
    rows.map(({ kind, subject, detail }) => [kind, subject, detail.node, detail.shows]),
    [['block_header', '110', 'liar', 'e'.repeat(64)]],
  )
})

test('a block that does not link is asked for again, and its node is trusted less', async () => {
  const { pool, rules, nodes } = await followedChain(({ height }) => height === 105)
  const right = nodes.byHeight.get(103)!
  nodes.byHeight.set(103, { ...right, parentHash: 'e'.repeat(64), node: 'liar' })
  const distrust = nodes.distrust
  nodes.distrust = node => {
    distrust(node)
    nodes.byHeight.set(103, right)
  }
  assert.equal((await rescan(pool, rules, nodes, { from: 100, to: 120 })).recorded, 1)
  assert.deepEqual(nodes.distrusted, ['liar'])
})

test('a node that fails for a while is asked again', async () => {
  const { pool, rules, nodes } = await followedChain(({ height }) => height === 5)
  nodes.fail.push(new NodeError('failed', 'away'), new NodeError('later', 'wait', { retryAfterMs: 10 }))
  assert.equal((await rescan(pool, rules, nodes, { from: 1, to: 20 })).recorded, 1)
  assert.equal((await orderOf(pool, 'o-1')).received, 20n)
})

test('what an imported address was paid before it was watched is left alone, whatever is rescanned', async () => {
  const { pool, rules, block, credit } = await creditedChain('import')
  const old = bytesFor('old')
  const blocks = [1, 2, 3].map(i => block(3 * i, [pay(old, BigInt(i))]))
  await credit(blocks)
  await importAddresses(pool, {
    appid: 'VunTq7Zk2Lm9h1l8',
    localusermark: 'u9',
    addresses: [addressFromBytes(old)],
  })
  const next = block(12, [pay(old, 4n)])
  await credit([next])
  const nodes = served([...blocks, next])
  assert.equal((await rescan(pool, rules, nodes, { from: 1, to: 4 })).recorded, 0)
  assert.deepEqual(
    (await waiting(pool)).map(row => row.amount),
    [4n],
  )
})

test('a rescan brings a large transfer as held, and one that comes before others on its address is credited first', async () => {
  const { pool, rules, block, credit } = await creditedChain('quorum', 100n)
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 1000, 1)
  const first = block(3, [pay(to, 500n)])
  const second = block(6, [pay(to, 7n)])
  await credit([{ ...first, transfers: [] }, second])
  const done = await rescan(pool, rules, served([first, second]), { from: 1, to: 2 })
  assert.deepEqual(done, { blocks: 2, recorded: 1, credited: 0, quarantined: 0, takenUp: 0 })
  assert.deepEqual(
    (await waiting(pool)).map(row => row.reason),
    ['held'],
  )
})

test('a log that was parked and decodes by now is recorded by a rescan of its block, and parked no longer', async () => {
  const { pool, rules, block, credit } = await creditedChain('parked')
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 1000, 1)
  const right = block(3, [pay(to, 5n)])
  const { txid, txIndex, logIndex } = right.transfers[0]!
  await credit([
    {
      ...right,
      transfers: [],
      undecodable: [{ txid, txIndex, logIndex, reason: 'not understood', log: { address: 'a6' } }],
    },
  ])
  await pool.query('update quarantine set tx_index = null')
  const [parked] = await listQuarantined(pool, firstPage(1))
  assert.equal((await retryQuarantined(pool, rules, parked!.id)).became, 'no transfer')
  await pool.query('update quarantine set resolved_at = null')
  await rescan(pool, rules, served([right]), { from: 1, to: 1 })
  assert.equal(await openQuarantine(pool), 0)
  assert.equal((await orderOf(pool, 'o-1')).received, 5n)
})
