import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditGateway } from '../../src/audit/audit-gateway.ts'
import { createLog } from '../../src/base/log.ts'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { importFromBlock } from '../../src/credits/import-from-block.ts'
import { keepSettling } from '../../src/credits/keep-settling.ts'
import { readStatus } from '../../src/credits/read-status.ts'
import { rescan } from '../../src/credits/rescan.ts'
import { rewindChain } from '../../src/credits/rewind-chain.ts'
import { settleDue } from '../../src/credits/settle.ts'
import { type Pool, rows, run } from '../../src/db/pool.ts'
import { seededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { waitUntil } from '../support/wait-until.ts'
import {
  addAddress,
  addOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  creditedChain,
  orderOf,
} from './credited-chain.ts'
import { playedHosts, rulesFor } from './played-hosts.ts'

/** A block as it is followed where no host gives it. */
const unread = (block: SolidBlock): SolidBlock => ({
  ...block,
  ...{ time: new Date(block.time.getTime() - 3_000), transactionCount: 0, transfers: [], node: 'none' },
  ...{ unverified: 'unread', because: 'it cannot print that' },
})

/** Ten blocks, each of which pays u1; those of `missing` cannot be read as long as they are in it. */
async function followedTen(seed: string, ...heights: number[]) {
  const it = await creditedChain(seed)
  const to = await addAddress(it.pool, 'u1')
  await addOrder(it.pool, 'u1', 'o-1', 1_000, 1, 10_000)
  const chain = Array.from({ length: 10 }, (_, i) =>
    it.block(3 * (i + 1), [[{ toBytes: to, units: BigInt(100 + i) }]]),
  )
  const missing = new Set(heights)
  const nodes = {
    ...playedHosts({
      a: height => {
        if (missing.has(height)) throw new Error('it cannot print that')
        return chain.find(block => block.height === height) ?? null
      },
    }),
    distrust: () => undefined,
  }
  const source = {
    ...nodes,
    solidBlock: (height: number, asked = { not: [] as string | readonly string[] }) =>
      nodes.solidBlock(height, asked),
  }
  const follow = () => it.credit(chain.map(block => (missing.has(block.height) ? unread(block) : block)))
  const settle = async () => {
    await run(it.pool, 'update parked_block set next_check_at = now() where read_at is null')
    return settleDue(it.pool, it.rules, nodes)
  }
  return { ...it, chain, missing, source, follow, settle, to }
}

async function assertWhole(pool: Pool): Promise<void> {
  await assertNoneHomeless(pool)
  await assertTotalsAddUp(pool)
  const { checks } = await auditGateway(pool, { appid: null, dueMaxS: 3_600 })
  assert.deepEqual(
    checks.filter(({ differences }) => differences > 0).map(({ name, first }) => [name, first]),
    [],
  )
}

const parked = (pool: Pool) =>
  rows(pool, 'select height from parked_block where read_at is null order by height')
const total = (heights: readonly number[]) => heights.reduce((sum, height) => sum + BigInt(99 + height), 0n)
const all = Array.from({ length: 10 }, (_, i) => i + 1)

test('the cursor passes a parked block, and what it pays is credited once when it can be read', async () => {
  const it = await followedTen('parked', 4, 5)
  assert.equal((await it.follow())!.parked, 2)
  assert.equal((await readCursor(it.pool))!.height, 10)
  assert.equal(
    (await orderOf(it.pool, 'o-1')).received,
    total(all.filter(height => height !== 4 && height !== 5)),
  )
  await assertWhole(it.pool)
  assert.deepEqual((await readStatus(it.pool, new Date()))!.parked, { blocks: 2, lowest: 4, highest: 5 })
  assert.deepEqual(
    (await it.settle()).map(({ recorded, read }) => [recorded, read]),
    [
      [0, undefined],
      [0, undefined],
    ],
  )
  it.missing.delete(4)
  assert.equal((await it.settle()).filter(({ read }) => read).length, 1)
  assert.deepEqual(await parked(it.pool), [{ height: 5 }])
  it.missing.clear()
  await Promise.all([it.settle(), it.settle()])
  await it.settle()
  assert.equal((await orderOf(it.pool, 'o-1')).received, total(all))
  assert.deepEqual(await parked(it.pool), [])
  await assertWhole(it.pool)
})

test('another block at its height ends nothing', async () => {
  const it = await followedTen('parked other', 4)
  await it.follow()
  const other = { ...it.chain[3]!, hash: 'ff'.repeat(32), node: 'a' }
  await run(it.pool, 'update parked_block set next_check_at = now()')
  await settleDue(it.pool, it.rules, playedHosts({ a: () => other }))
  assert.deepEqual(await parked(it.pool), [{ height: 4 }])
  assert.equal((await orderOf(it.pool, 'o-1')).received, total(all.filter(height => height !== 4)))
})

test('it is read again after 10 s and 30 s, then each minute', async () => {
  const it = await followedTen('parked schedule', 4)
  await it.follow()
  const waits: number[] = []
  for (let i = 0; i < 4; i++) {
    await it.settle()
    const [next] = await rows<{ s: number }>(
      it.pool,
      'select round(extract(epoch from next_check_at - checked_at))::int as s from parked_block',
    )
    waits.push(next!.s)
  }
  assert.deepEqual(waits, [10, 20, 60, 60])
})

test('several are read again at a pace that bounds all of them, less often after a day, and at once when one could be read', async () => {
  const it = await followedTen('parked pace', 3, 4, 5, 6, 7)
  await it.follow()
  const waits = async () =>
    (
      await rows<{ s: number }>(
        it.pool,
        `select round(extract(epoch from next_check_at - now()))::int as s
           from parked_block where read_at is null order by height`,
      )
    ).map(({ s }) => s)
  await it.settle()
  for (const s of await waits()) assert(s > 110 && s <= 120, `${s} s`)
  await run(it.pool, `update parked_block set created_at = created_at - interval '25 h', checks = 100`)
  await it.settle()
  for (const s of await waits()) assert(s > 3_590 && s <= 3_600, `${s} s`)
  it.missing.delete(6)
  await run(it.pool, 'update parked_block set next_check_at = now() where height = 6')
  await settleDue(it.pool, it.rules, it.source)
  for (const s of await waits()) assert(s <= 0, `${s} s`)
  // Who leads anew may have other nodes.
  await it.settle()
  it.missing.clear()
  const stopping = new AbortController()
  const { pool, rules, source } = it
  const log = createLog('silent', 'test')
  const keeping = keepSettling({ pool, rules, nodes: source, log, signal: stopping.signal })
  await waitUntil('all are read', async () => (await parked(it.pool)).length === 0)
  stopping.abort()
  await keeping
  await assertWhole(it.pool)
})

test('a host that does not answer for a parked block holds up nothing that waits for proof', async () => {
  const it = await followedTen('parked hanging', 4)
  it.rules.proof = rulesFor(2)
  const [payment] = it.chain[5]!.transfers
  payment!.signed = false
  await it.follow()
  await run(it.pool, `update parked_block set next_check_at = now() - interval '1 h'`)
  let answer = (_: null) => {}
  const hanging = new Promise<null>(resolve => {
    answer = resolve
  })
  const nodes = {
    solidBlock: async (height: number) =>
      height === 4 ? await hanging : { ...it.chain[height - 1]!, node: 'b' },
  }
  const stopping = new AbortController()
  const { pool, rules } = it
  const keeping = keepSettling({
    pool,
    rules,
    nodes,
    log: createLog('silent', 'test'),
    signal: stopping.signal,
  })
  try {
    await waitUntil(
      'it is credited',
      async () => (await orderOf(it.pool, 'o-1')).received === total(all.filter(height => height !== 4)),
    )
  } finally {
    stopping.abort()
    answer(null)
    await keeping
  }
})

test('a rescan leaves out what is still parked and says so, and credits what can be read', async () => {
  const it = await followedTen('parked rescan', 4, 5, 10)
  await it.follow()
  it.missing.delete(5)
  const done = await rescan(it.pool, it.rules, it.source, { from: 2, to: 10 })
  assert.deepEqual([done.blocks, done.recorded, done.credited, done.parked], [7, 1, 1, [4, 10]])
  assert.deepEqual(await parked(it.pool), [{ height: 4 }, { height: 10 }])
  it.missing.clear()
  const again = await rescan(it.pool, it.rules, it.source, { from: 1, to: 10 })
  assert.deepEqual([again.recorded, again.parked], [2, undefined])
  assert.equal((await orderOf(it.pool, 'o-1')).received, total(all))
  await assertWhole(it.pool)
})

test('a rewind forgets what is parked above it, which is followed anew, and goes back to no parked block', async () => {
  const it = await followedTen('parked rewind', 4, 7)
  await it.follow()
  const decision = { actor: 'test', reason: 'why not' }
  await assert.rejects(rewindChain(it.pool, it.source, 4, decision), /block 4 is parked/)
  assert.deepEqual((await rewindChain(it.pool, it.source, 5, decision)).parked, [7])
  assert.deepEqual(await parked(it.pool), [{ height: 4 }])
  it.missing.clear()
  await it.credit(it.chain.slice(5))
  await it.settle()
  assert.equal((await orderOf(it.pool, 'o-1')).received, total(all))
  await assertWhole(it.pool)
})

test('what a parked block pays an address that is imported from before it is credited when it is read', async () => {
  const it = await followedTen('parked import', 4)
  const old = bytesFor('old')
  for (const height of [3, 4]) {
    const block = it.chain[height - 1]!
    const [transfer] = block.transfers
    block.transfers.push({ ...transfer!, logIndex: 1, toHex: old.toString('hex') })
  }
  await it.follow()
  const { appid } = (await rows<{ appid: string }>(it.pool, 'select appid from merchant'))[0]!
  const request = { appid, localusermark: 'old', addresses: [addressFromBytes(old)], fromBlock: 2 }
  const done = await importFromBlock(it.pool, it.rules, it.source, request)
  assert.deepEqual([done.imported.length, done.read.recorded, done.read.parked], [1, 1, [4]])
  it.missing.clear()
  await it.settle()
  const paid = await rows(
    it.pool,
    `select t.block_height as height from transfer t join deposit_address a on a.id = t.deposit_address_id
      where a.localusermark = 'old' order by 1`,
  )
  assert.deepEqual(paid, [{ height: 3 }, { height: 4 }])
  await assertNoneHomeless(it.pool)
})

test('a block whose parking ends while an import reads others is read for the import, too', async () => {
  const it = await followedTen('parked import race', 4)
  const old = bytesFor('old')
  const block = it.chain[3]!
  block.transfers.push({ ...block.transfers[0]!, logIndex: 1, toHex: old.toString('hex') })
  await it.follow()
  const { appid } = (await rows<{ appid: string }>(it.pool, 'select appid from merchant'))[0]!
  const request = { appid, localusermark: 'old', addresses: [addressFromBytes(old)], fromBlock: 2 }
  let lastRead = 0
  const source = {
    ...it.source,
    solidBlock: async (height: number, asked?: { not: string | readonly string[] }) => {
      // The last block is read once before 4 is left out, as parked, and once more afterwards.
      if (height === 10 && ++lastRead === 2) {
        it.missing.clear()
        await it.settle()
      }
      return it.source.solidBlock(height, asked)
    },
  }
  const done = await importFromBlock(it.pool, it.rules, source, request)
  assert.deepEqual([done.imported.length, done.read.recorded, done.read.parked], [1, 1, []])
  await assertNoneHomeless(it.pool)
})

test('a rescan of a block whose infos may lack some has it read again, though it was settled', async () => {
  const it = await followedTen('header only')
  await it.follow()
  const block = it.chain[3]!
  const [payment] = block.transfers.splice(0)
  Object.assign(block, { unverified: 'header-only' })
  const again = async () =>
    rows(
      it.pool,
      'select height, why, settled_as as "settledAs" from unverified_block where next_check_at is not null',
    )
  await rescan(it.pool, it.rules, it.source, { from: 3, to: 5 })
  assert.deepEqual(await again(), [{ height: 4, why: 'header-only', settledAs: null }])
  await run(
    it.pool,
    `update unverified_block set settled_at = now(), settled_as = 'alone', next_check_at = null`,
  )
  await rescan(it.pool, it.rules, it.source, { from: 3, to: 5 })
  assert.deepEqual(await again(), [{ height: 4, why: 'header-only', settledAs: null }])
  block.transfers.push(payment!)
})

/** Now and then the database goes away before a commit: nothing may be there. */
async function maybeAway(pool: Pool, isAway: boolean, work: () => Promise<unknown>): Promise<void> {
  if (!isAway) return void (await work())
  await run(
    pool,
    `create or replace function away() returns trigger language plpgsql as
       $$ begin raise exception 'away' using errcode = '57P01'; end $$;
     create trigger away before insert or update on credit for each row execute function away()`,
  )
  await work().catch(error => assert.match((error as Error).message, /away/))
  await run(pool, 'drop trigger away on credit')
}

test('whatever is parked, read, rescanned and rewound in whatever order, nothing is lost and nothing doubled', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = seededRandom(seed)
    const it = await followedTen(`parked ${seed}`, ...all.filter(() => random.chance(0.4)))
    const step = async () => {
      const cursor = (await readCursor(it.pool))!
      const batch = it.chain.slice(cursor.height, cursor.height + random.whole(1, 4))
      if (batch.length === 0) return
      const shown = batch.map(block => (it.missing.has(block.height) ? unread(block) : block))
      await maybeAway(it.pool, random.chance(0.2), () => it.credit(shown))
    }
    for (let i = 0; i < 25; i++) {
      const cursor = (await readCursor(it.pool))!.height
      const what = random.whole(1, 5)
      if (what <= 2) await step()
      else if (what === 3) await maybeAway(it.pool, random.chance(0.3), it.settle)
      else if (what === 4 && cursor > 1) {
        await maybeAway(it.pool, random.chance(0.3), () =>
          rescan(it.pool, it.rules, it.source, { from: random.whole(1, cursor), to: cursor }),
        )
      } else if (cursor > 2 && random.chance(0.5)) {
        const to = random.whole(1, cursor - 1)
        await rewindChain(it.pool, it.source, to, { actor: 'test', reason: 'random' }).catch(error =>
          assert.match((error as Error).message, /parked|cannot print|do not show/),
        )
      }
      if (random.chance(0.2)) it.missing.delete(random.pick(all))
      await assertTotalsAddUp(it.pool)
    }
    it.missing.clear()
    for (let i = 0; i < 40 && (await readCursor(it.pool))!.height < 10; i++) await step()
    await it.settle()
    assert.equal((await orderOf(it.pool, 'o-1')).received, total(all), `seed ${seed}`)
    await assertWhole(it.pool)
  }
})
