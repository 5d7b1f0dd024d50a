import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importAddresses } from '../../src/addresses/import-address.ts'
import { UsageError } from '../../src/base/errors.ts'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { importFromBlock } from '../../src/credits/import-from-block.ts'
import { rescan } from '../../src/credits/rescan.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import {
  addAddress,
  addOrder,
  assertChainOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  creditedChain,
  ledger,
  waiting,
} from './credited-chain.ts'

const old = bytesFor('old')
const request = { appid: 'VunTq7Zk2Lm9h1l8', localusermark: 'old', addresses: [addressFromBytes(old)] }
const pay = (units: number, toBytes = old) => [{ toBytes, units: BigInt(units) }]

/** Blocks 1 to 3 are followed and paid the old address 100, 200 and 300 units; the nodes have what comes after, too. */
async function oldAddressPaid(seed: string) {
  const it = await creditedChain(seed)
  const blocks: SolidBlock[] = []
  const mine = (...transactions: Parameters<typeof it.block>[1]) => {
    const block = it.block(3 * (blocks.length + 1), transactions)
    blocks.push(block)
    return block
  }
  for (const units of [100, 200, 300]) await it.credit([mine(pay(units))])
  /** What the nodes serve; `meanwhile` is done once, while the first block is being read. */
  const nodes = (meanwhile: () => Promise<unknown> = async () => null) => {
    let done: Promise<unknown> | null = null
    return {
      async solidBlock(height: number) {
        done ??= meanwhile()
        await done
        return blocks[height - 1] ?? null
      },
      distrust: (_: string, why: string) => assert.fail(why),
    }
  }
  /** The next block is followed, and pays the old address so much. */
  const follow = async (units: number) => it.credit([mine(pay(units))])
  const importFrom = (fromBlock: number, meanwhile?: () => Promise<unknown>) =>
    importFromBlock(it.pool, it.rules, nodes(meanwhile), { ...request, fromBlock })
  return { ...it, blocks, mine, nodes, follow, importFrom }
}

/** What the same chain comes to when the address was there from its first block on, and the order made as it was. */
async function asIfWatched(seed: string, blocks: readonly SolidBlock[], orderedAt: number) {
  const { pool, credit } = await creditedChain(seed)
  await addAddress(pool, 'old')
  await addOrder(pool, 'old', 'o-1', 1_000, orderedAt)
  for (const block of blocks) await credit([block])
  return ledger(pool)
}

async function amounts(pool: Parameters<typeof waiting>[0]): Promise<bigint[]> {
  return (await waiting(pool)).map(row => row.amount)
}

test('what is paid while the blocks are read again is credited after what was paid before, as if watched all along', async () => {
  const { pool, blocks, follow, importFrom } = await oldAddressPaid('meanwhile')
  const done = await importFrom(1, async () => {
    await addOrder(pool, 'old', 'o-1', 1_000, 11)
    await follow(400)
  })
  assert.deepEqual(done, {
    imported: request.addresses,
    known: [],
    adopted: [],
    to: 4,
    read: { blocks: 4, recorded: 4, credited: 0, quarantined: 0, takenUp: 0 },
  })
  assert.equal((await pool.query('select from recharge_order')).rowCount, 0, 'no order before the import')
  assert.deepEqual(await amounts(pool), [100n, 200n, 300n, 400n])
  await addOrder(pool, 'old', 'o-1', 1_000, 11)
  await follow(500)
  assert.deepEqual(await amounts(pool), [])
  await assertChainOrder(pool)
  await assertTotalsAddUp(pool)
  assert.deepEqual(await ledger(pool), await asIfWatched('meanwhile', blocks, 11))
})

test('an address imported before, with an order that is not paid yet, is credited from the earlier block on at once', async () => {
  const { pool, blocks, importFrom } = await oldAddressPaid('known')
  await importAddresses(pool, request)
  await addOrder(pool, 'old', 'o-1', 1_000, 9)
  const done = await importFrom(1)
  assert.deepEqual(done.known, request.addresses)
  assert.deepEqual(done.read, { blocks: 3, recorded: 3, credited: 3, quarantined: 0, takenUp: 0 })
  await assertChainOrder(pool)
  await assertTotalsAddUp(pool)
  assert.deepEqual(await ledger(pool), await asIfWatched('known', blocks, 9))
})

test('what waits unclaimed already comes after what the import finds', async () => {
  const { pool, follow, importFrom } = await oldAddressPaid('unclaimed')
  await importAddresses(pool, request)
  await follow(400)
  // From block 2 on: block 1 does not count.
  assert.equal((await importFrom(2)).read.recorded, 2)
  assert.deepEqual(await amounts(pool), [200n, 300n, 400n])
  // A later block takes nothing back.
  await importFrom(4)
  const { rows } = await pool.query('select watched_from from deposit_address')
  assert.deepEqual(rows, [{ watched_from: 2 }])
  await addOrder(pool, 'old', 'o-1', 1_000, 13)
  await follow(500)
  await assertChainOrder(pool)
  assert.deepEqual(await amounts(pool), [])
})

for (const when of ['before', 'while']) {
  test(`an address credited ${when} its earlier blocks are read is not paid from them: nothing changes, and it says how much`, async () => {
    const { pool, follow, importFrom } = await oldAddressPaid(`credited ${when}`)
    await importAddresses(pool, request)
    await addOrder(pool, 'old', 'o-1', 1_000, 11)
    if (when === 'before') await follow(400)
    await assert.rejects(importFrom(2, when === 'while' ? () => follow(400) : undefined), {
      name: 'UsageError',
      message: `${request.addresses[0]} is credited up to block 4, and was paid 0.0005 USDT before that, from block 2 on: this can only be settled by hand`,
    })
    const { rows } = await pool.query('select watched_from from deposit_address')
    assert.deepEqual(rows, [{ watched_from: 4 }])
    assert.deepEqual(
      (await ledger(pool)).map(({ amount, received }) => [amount, received]),
      [[400n, 400n]],
    )
  })
}

test('an address that is credited and was paid nothing before is imported from an earlier block all the same', async () => {
  const { pool, mine, credit, follow, importFrom } = await oldAddressPaid('nothing before')
  await credit([mine()])
  await importAddresses(pool, request)
  await addOrder(pool, 'old', 'o-1', 1_000, 14)
  await follow(400)
  assert.equal((await importFrom(4)).read.recorded, 0)
  const { rows } = await pool.query('select watched_from from deposit_address')
  assert.deepEqual(rows, [{ watched_from: 4 }])
})

test('an import that dies while it reads has imported nothing; run again it counts everything once, and so a third time', async () => {
  const { pool, rules, nodes, follow, importFrom } = await oldAddressPaid('dies')
  const moving = nodes(() => follow(400))
  const dies = importFromBlock(pool, rules, moving, { ...request, fromBlock: 1 }, () => {
    throw new Error('it dies')
  })
  await assert.rejects(dies, /it dies/)
  assert.equal((await pool.query('select from deposit_address')).rowCount, 0)
  assert.equal((await pool.query('select from transfer')).rowCount, 0)
  assert.equal((await importFrom(1)).read.recorded, 4)
  await addOrder(pool, 'old', 'o-1', 1_000, 14)
  await follow(500)
  const before = await ledger(pool)
  const again = await importFrom(1)
  assert.deepEqual(again.known, request.addresses)
  assert.deepEqual(again.read, { blocks: 5, recorded: 0, credited: 0, quarantined: 0, takenUp: 0 })
  assert.deepEqual(await ledger(pool), before)
  await assertChainOrder(pool)
})

test('two imports at once count everything once', async () => {
  const { pool, importFrom } = await oldAddressPaid('two')
  const both = await Promise.all([importFrom(1), importFrom(2)])
  assert.equal(
    both.reduce((sum, { read }) => sum + read.recorded, 0),
    3,
  )
  assert.deepEqual(await amounts(pool), [100n, 200n, 300n])
  await assertNoneHomeless(pool)
})

test('a cursor that never stops is followed a hundred times, and then nothing is imported', async () => {
  const it = await oldAddressPaid('never stops')
  const nodes = {
    ...it.nodes(),
    async solidBlock(height: number) {
      if (height === (await readCursor(it.pool))!.height) await it.follow(1)
      return it.blocks[height - 1] ?? null
    },
  }
  await assert.rejects(
    importFromBlock(it.pool, it.rules, nodes, { ...request, fromBlock: 3 }),
    /nothing is imported: the cursor moved on 100 times/,
  )
  assert.equal((await it.pool.query('select from deposit_address')).rowCount, 0)
})

test('more payments than one transaction takes are refused before it', async () => {
  const { pool, credit, mine, importFrom } = await oldAddressPaid('many')
  await credit([mine(Array.from({ length: 9_998 }, () => pay(1)[0]!))])
  await assert.rejects(
    importFrom(1),
    /more than 10000 payments since that block: import fewer at a time, or from a later block/,
  )
  assert.equal((await importFrom(2)).read.recorded, 10_000)
  assert.equal((await amounts(pool)).length, 10_000)
})

test('an address imported from a block below the start is paid from there on, others are not', async () => {
  const { pool, rules, block, credit } = await creditedChain('below')
  const [one, two] = [bytesFor('one'), bytesFor('two')]
  const blocks = [1, 2, 3, 4].map(i => block(3 * i, [[...pay(i, one), ...pay(i, two)]]))
  await pool.query('update chain_cursor set start_height = 2, height = 2, hash = $1, block_time = $2', [
    blocks[1]!.hash,
    blocks[1]!.time,
  ])
  await addAddress(pool, 'two')
  const nodes = {
    solidBlock: async (height: number) => blocks[height - 1] ?? null,
    distrust: (_: string, why: string) => assert.fail(why),
  }
  const user = { ...request, localusermark: 'u1', addresses: [addressFromBytes(one)] }
  assert.equal((await importFromBlock(pool, rules, nodes, { ...user, fromBlock: 1 })).read.recorded, 2)
  await credit(blocks.slice(2))
  const done = await rescan(pool, rules, nodes, { from: 1, to: 4 })
  assert.deepEqual(done, { blocks: 4, recorded: 0, credited: 0, quarantined: 0, takenUp: 0 })
  const { rows } = await pool.query('select amount from transfer order by block_height, log_index')
  assert.deepEqual(
    rows.map(row => row.amount),
    [1n, 2n, 3n, 3n, 4n, 4n],
  )
})

test('an import from a block past the cursor, or of what cannot be imported, is refused before anything is read', async () => {
  const { pool, rules, nodes, importFrom } = await oldAddressPaid('refused')
  const unread = nodes(async () => assert.fail('nothing is to be read'))
  await assert.rejects(importFrom(4), /block 4 is past the cursor, which is at 3/)
  const wrong = { ...request, appid: 'nobody', fromBlock: 1 }
  await assert.rejects(importFromBlock(pool, rules, unread, wrong), UsageError)
})
