import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { depositKey } from '../../src/callbacks/outbox/callback.ts'
import { addMerchantCommands } from '../../src/cli/merchant-commands.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import { depositUnclaimed } from '../../src/credits/deposit-unclaimed.ts'
import { releaseHeld } from '../../src/credits/release-held.ts'
import { rescan } from '../../src/credits/rescan.ts'
import { retryQuarantined } from '../../src/credits/retry-quarantined.ts'
import { settleDue } from '../../src/credits/settle.ts'
import { inTransaction, type Pool } from '../../src/db/pool.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { differencesOf } from '../audit/audited-database.ts'
import { commandInProcess } from '../support/command-in-process.ts'
import { addressIdOf } from '../support/seed.ts'
import { anyShop } from '../support/seed-merchant.ts'
import {
  addAddress,
  addOrder,
  assertNoneHomeless,
  at,
  type CreditedChain,
  creditedChain,
  orderOf,
  waiting,
} from './credited-chain.ts'
import { playedHosts, rulesFor } from './played-hosts.ts'

const deposits = (pool: Pool, on: boolean) => pool.query('update merchant set deposits = $1', [on])

/** A chain of a merchant with deposits on, and a user's address. */
async function depositChain(seed?: string, quorumAmount?: bigint) {
  const it = await creditedChain(seed, quorumAmount)
  await deposits(it.pool, true)
  return { ...it, to: await addAddress(it.pool, 'u1') }
}

/** Amount, sum of the address, and what is announced, in the order of writing. */
async function deposited(pool: Pool): Promise<[amount: bigint, received: bigint, announced: bigint][]> {
  const { rows } = await pool.query(
    'select amount_units, received_units, body_amount from report.deposits order by deposit_id',
  )
  return rows.map(row => [row.amount_units, row.received_units, row.body_amount])
}

async function assertClean(pool: Pool): Promise<void> {
  await assertNoneHomeless(pool)
  const { checks, said } = await differencesOf(pool)
  assert.deepEqual(checks, {}, said)
}

const pay = (toBytes: Buffer, units: bigint) => [{ toBytes, units }]

test('a transfer without an order is a deposit at once, announced once under its own key', async () => {
  const { pool, rules, block, credit, to } = await depositChain()
  const paid = block(3, [pay(to, 3_000_050n)])
  const done = await credit([paid])
  assert.deepEqual([done!.credits, done!.deposits, done!.callbacks, done!.unclaimed], [0, 1, 1, 0])
  assert.deepEqual(await deposited(pool), [[3_000_050n, 3_000_050n, 30_000n]])
  const { rows } = await pool.query(
    `select c.key, c.order_id, c.order_state, c.late, l.origin, x.state
       from callback c join callback_lane l on l.id = c.lane_id join callback_outbox x on x.callback_id = c.id`,
  )
  const key = depositKey(rules.genesisId, rules.usdtContract, paid.transfers[0]!.txid, 0)
  const origin = 'https://shop.example:443'
  assert.match(key, /^dp_[0-9a-f]{32}$/)
  assert.deepEqual(rows, [{ key, order_id: null, order_state: null, late: false, origin, state: 'due' }])
  assert.deepEqual(await waiting(pool), [])
  await assertClean(pool)
})

test('no order that comes later claims a deposit, and nobody is told that it is unclaimed', async () => {
  const { pool, block, credit, to } = await depositChain()
  await pool.query(`update merchant set events = '{deposit.unclaimed}'`)
  await credit([block(3, [pay(to, 500n)])])
  await addOrder(pool, 'u1', 'o-1', 500, 4)
  await credit([block(6, []), block(1_000_000, [])])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 0n, announced: 0n })
  assert.deepEqual(await deposited(pool), [[500n, 500n, 5n]])
  assert.equal((await pool.query('select from event')).rowCount, 0)
  await assertClean(pool)
})

test('an order that is eligible gets the transfer, before and between deposits, in one batch as block by block', async () => {
  const results = []
  for (const together of [true, false]) {
    const { pool, block, credit, to } = await depositChain('same')
    await addOrder(pool, 'u1', 'o-1', 700, 5)
    const blocks = [block(3, [pay(to, 500n)]), block(6, [pay(to, 700n)]), block(9, [pay(to, 90n)])]
    for (const batch of together ? [blocks] : blocks.map(one => [one])) await credit(batch)
    // The third is paid to the newest order, as attribution has it.
    assert.deepEqual(await orderOf(pool, 'o-1'), { received: 790n, announced: 7n })
    results.push(await deposited(pool))
    await assertClean(pool)
  }
  assert.deepEqual(results[0], [[500n, 500n, 5n]])
  assert.deepEqual(results[1], results[0])
})

test('many deposits to one address are planned with an order between them', async () => {
  const { pool, block, credit, to } = await depositChain()
  await addOrder(pool, 'u1', 'o-1', 1000, 61)
  // More than are planned with one reading.
  await credit(Array.from({ length: 70 }, (_, n) => block(n + 1, [pay(to, 100n)])))
  assert.deepEqual((await orderOf(pool, 'o-1')).received, 1000n)
  const made = await deposited(pool)
  assert.equal(made.length, 60)
  assert.deepEqual(made.at(-1), [100n, 6000n, 1n])
  await assertClean(pool)
})

test('what is below 1/10000 USDT is carried by address; what announces nothing has no callback', async () => {
  const { pool, block, credit, to } = await depositChain()
  const other = await addAddress(pool, 'u2')
  await credit([block(3, [pay(to, 150n), pay(other, 60n)]), block(6, [pay(to, 30n)])])
  await credit([block(9, [pay(to, 30n), pay(other, 39n)]), block(12, [pay(other, 1n), pay(to, 1_000n)])])
  assert.deepEqual(await deposited(pool), [
    [150n, 150n, 1n],
    [60n, 60n, 0n],
    [30n, 180n, 0n],
    [30n, 210n, 1n],
    [39n, 99n, 0n],
    [1n, 100n, 1n],
    [1_000n, 1_210n, 10n],
  ])
  assert.equal((await pool.query('select from callback')).rowCount, 4)
  await assertClean(pool)
})

test('what was unclaimed before stays for an order, also after it has waited behind another', async () => {
  const it = await creditedChain('before', 1_000n)
  const { pool, rules, block, credit } = it
  const to = await addAddress(pool, 'u1')
  const early = block(3, [pay(to, 5_000n)])
  await credit([block(6, [pay(to, 500n)])])
  await deposits(pool, true)
  await credit([block(9, [])])
  assert.deepEqual(
    (await waiting(pool)).map(({ reason }) => reason),
    ['unclaimed'],
  )
  // A rescan finds an earlier one, which is held, so the unclaimed one waits behind it.
  await pool.query(
    `insert into chain_block (height, hash, parent_hash, block_time, transaction_count, transfer_count)
     values ($1, $2, $3, $4, 1, 1) on conflict do nothing`,
    [early.height, early.hash, early.parentHash, early.time],
  )
  await rescanBlock(it, early)
  assert.deepEqual(
    (await waiting(pool)).map(({ reason }) => reason),
    ['held', 'behind'],
  )
  await releaseHeld(pool, rules, async () => ({ kind: 'agreed' }))
  assert.deepEqual(await deposited(pool), [[5_000n, 5_000n, 50n]])
  assert.deepEqual(
    (await waiting(pool)).map(({ reason }) => reason),
    ['unclaimed'],
  )
  await addOrder(pool, 'u1', 'o-1', 500, 10)
  await credit([block(12, [])])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 500n, announced: 5n })
  await assertNoneHomeless(pool)
})

async function rescanBlock({ pool, rules }: CreditedChain, block: SolidBlock) {
  const nodes = { solidBlock: async () => block, distrust: () => undefined }
  return await rescan(pool, rules, nodes, { from: block.height, to: block.height })
}

test('off again, new ones are unclaimed, and those made stay', async () => {
  const { pool, block, credit, to } = await depositChain()
  await credit([block(3, [pay(to, 500n)])])
  await deposits(pool, false)
  await credit([block(6, [pay(to, 600n)])])
  await addOrder(pool, 'u1', 'o-1', 600, 7)
  await credit([block(9, [])])
  assert.deepEqual(await deposited(pool), [[500n, 500n, 5n]])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 600n, announced: 6n })
  await assertClean(pool)
})

test('of two watchers one makes the deposit, and a rescan makes no second one', async () => {
  const it = await depositChain()
  const { pool, rules, block, to } = it
  const paid = block(3, [pay(to, 500n)])
  const cursor = (await readCursor(pool))!
  const both = await Promise.all([
    creditBlocks(pool, rules, cursor, [paid]),
    creditBlocks(pool, rules, cursor, [paid]),
  ])
  assert.equal(both.filter(done => done?.deposits === 1).length, 1)
  await addOrder(pool, 'u1', 'o-1', 500, 1)
  const again = await rescanBlock(it, paid)
  assert.deepEqual([again.recorded, again.credited], [0, 0])
  assert.deepEqual(await deposited(pool), [[500n, 500n, 5n]])
  await assertClean(pool)
})

test('one that a rescan finds missing is a deposit', async () => {
  const it = await depositChain()
  const { pool, block, credit, to } = it
  const known = await addAddress(pool, 'u2')
  const paid = block(3, [pay(to, 500n), pay(known, 7n)])
  await credit([{ ...paid, transfers: paid.transfers.slice(1) }])
  assert.equal((await rescanBlock(it, paid)).credited, 1)
  assert.equal((await rescanBlock(it, paid)).credited, 0)
  assert.deepEqual((await deposited(pool)).at(-1), [500n, 500n, 5n])
  await assertClean(pool)
})

test('a held transfer becomes a deposit when it is released, and those behind it with it, unless an order is eligible', async () => {
  const { pool, rules, block, credit, to } = await depositChain('held', 1_000n)
  await credit([block(3, [pay(to, 5_000n), pay(to, 70n)])])
  await addOrder(pool, 'u1', 'o-1', 80, 5)
  await credit([block(6, [pay(to, 80n)])])
  assert.deepEqual(await deposited(pool), [])
  await releaseHeld(pool, rules, async () => ({ kind: 'agreed' }))
  assert.deepEqual(await deposited(pool), [
    [5_000n, 5_000n, 50n],
    [70n, 5_070n, 0n],
  ])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 80n, announced: 0n })
  await assertClean(pool)
})

test('one that waits for proof is a deposit once it is proved', async () => {
  const it = await depositChain()
  const { pool, block, to } = it
  const rules = { ...it.rules, proof: rulesFor(2) }
  const made = block(3, [pay(to, 500n)])
  const shown = { ...made, node: 'a', transfers: made.transfers.map(one => ({ ...one, signed: false })) }
  const done = await creditBlocks(pool, rules, (await readCursor(pool))!, [shown])
  assert.equal(done!.unproved, 1)
  await addOrder(pool, 'u1', 'o-1', 500, 5)
  await settleDue(pool, rules, playedHosts({ a: () => shown, b: () => shown }))
  assert.deepEqual(await deposited(pool), [[500n, 500n, 5n]])
  assert.equal((await orderOf(pool, 'o-1')).received, 0n)
})

test('one that cannot be written is quarantined, and is a deposit when it is tried again', async () => {
  const { pool, rules, block, credit, to } = await depositChain()
  await pool.query(
    `create function refuse_deposit() returns trigger language plpgsql as $$
     begin raise exception 'not now' using errcode = '23514'; end $$;
     create trigger refuse_deposit before insert on credit for each row when (new.amount = 500) execute function refuse_deposit()`,
  )
  const done = await credit([block(3, [pay(to, 500n), pay(to, 70n)])])
  assert.deepEqual([done!.quarantined, done!.deposits], [1, undefined])
  await pool.query('drop trigger refuse_deposit on credit')
  const { rows } = await pool.query('select id from quarantine')
  const retried = await retryQuarantined(pool, rules, rows[0].id)
  assert.equal(retried.became, 'credited')
  assert.deepEqual(await deposited(pool), [
    [500n, 500n, 5n],
    [70n, 570n, 0n],
  ])
  await assertClean(pool)
})

test('what is paid to a skipped address is nobody’s, and no deposit', async () => {
  const { pool, block, credit } = await depositChain()
  const skipped = await addAddress(pool, '')
  await credit([block(3, [pay(skipped, 500n)])])
  assert.deepEqual(await deposited(pool), [])
  assert.deepEqual(
    (await waiting(pool)).map(({ reason }) => reason),
    ['unclaimed'],
  )
})

test('the database keeps a deposit and an order’s credit of one transfer apart', async () => {
  const { pool, block, credit, to } = await depositChain()
  await credit([block(3, [pay(to, 500n)])])
  await addOrder(pool, 'u1', 'o-1', 500, 1)
  const second = `insert into credit (transfer_id, order_id, deposit_address_id, amount, received, late)
                  select t.id, o.id, null, 500, 500, false from transfer t, recharge_order o`
  await assert.rejects(pool.query(second), /credit_transfer_id_key/)
  await assert.rejects(pool.query(second.replace('null', 't.deposit_address_id')), /credit_owner/)
})

test('--include-unclaimed makes deposits of what is unclaimed, once, in slices, and leaves the rest alone', async () => {
  const it = await creditedChain('include', 1_000_000n)
  const { pool, rules, block, credit } = it
  const [to, skipped, other] = [
    await addAddress(pool, 'u1'),
    await addAddress(pool, ''),
    await addAddress(pool, 'u2'),
  ]
  // More than one slice.
  const many = Array.from({ length: 600 }, () => pay(to, 33n))
  await credit([block(3, [...many, pay(skipped, 7n), pay(other, 2_000_000n), pay(other, 9n)])])
  assert.equal(await depositUnclaimed(pool, rules, anyShop.appid), 0, 'deposits are off')
  await deposits(pool, true)
  assert.equal(await depositUnclaimed(pool, rules, anyShop.appid, { actor: 'alice' }), 600)
  assert.equal(await depositUnclaimed(pool, rules, anyShop.appid, { actor: 'alice' }), 0)
  const made = await deposited(pool)
  assert.deepEqual(made.at(-1), [33n, 19_800n, 1n])
  assert.equal(
    made.reduce((sum, [, , announced]) => sum + announced, 0n),
    198n,
  )
  assert.deepEqual(
    (await waiting(pool)).map(({ reason, amount }) => [reason, amount]),
    [
      ['unclaimed', 7n],
      ['held', 2_000_000n],
      ['behind', 9n],
    ],
  )
  const { rows } = await pool.query(
    `select actor, detail from audit_event where action = 'deposits.included' order by id`,
  )
  assert.deepEqual(rows, [
    { actor: 'alice', detail: { transfers: 500 } },
    { actor: 'alice', detail: { transfers: 100 } },
  ])
  await assert.rejects(depositUnclaimed(pool, rules, 'nobody'), /no merchant has the appid "nobody"/)
  await assertClean(pool)
})

test('the command turns deposits on, includes what is unclaimed if told so, and shows it in the list', async t => {
  const { pool, block, credit } = await creditedChain('command')
  await credit([block(3, [pay(await addAddress(pool, 'u1'), 500n)])])
  process.env.DATABASE_URL = pool.options.connectionString
  const merchant = (...args: string[]) => commandInProcess(t, addMerchantCommands, 'merchant', ...args)
  const set = (...args: string[]) => merchant('set', anyShop.appid, ...args)
  await assert.rejects(set('--include-unclaimed'), /--include-unclaimed: only with --deposits on/)
  await assert.rejects(set('--deposits', 'off', '--include-unclaimed'), /only with --deposits on/)
  assert.equal(await set('--deposits', 'on'), `${anyShop.appid}: set`)
  assert.deepEqual(await deposited(pool), [])
  const included = (transfers: number) =>
    `${anyShop.appid}: set\n${anyShop.appid}: ${transfers} unclaimed transfers are deposits now`
  assert.equal(await set('--deposits', 'on', '--include-unclaimed'), included(1))
  assert.equal(await set('--deposits', 'on', '--include-unclaimed'), included(0))
  assert.deepEqual(await deposited(pool), [[500n, 500n, 5n]])
  await assert.rejects(set('--callback-url', ''), /deposits have no order that could name a URL/)
  assert.match(await merchant('list'), /deposits .*\n.* on /)
})

test('beside orders that claim and a watcher that credits, each transfer is an order’s or a deposit', async () => {
  const it = await creditedChain('beside')
  const { pool, rules, block, credit } = it
  const users = ['u1', 'u2', 'u3', 'u4']
  const to = await Promise.all(users.map(user => addAddress(pool, user)))
  await credit(
    Array.from({ length: 50 }, (_, n) =>
      block(
        n + 1,
        to.map(bytes => pay(bytes, 101n)),
      ),
    ),
  )
  await deposits(pool, true)
  const follow = async () => {
    for (let second = 60; second < 90; second++) {
      const user = users[second % 4]!
      await addOrder(pool, user, `o-${second}`, 500, second - 1)
      await credit([block(second, [pay(to[second % 4]!, 7n)])])
    }
  }
  const include = async () => {
    for (let n = 0; n < 5; n++) await depositUnclaimed(pool, rules, anyShop.appid)
  }
  await Promise.all([follow(), include(), include()])
  await include()
  assert.deepEqual(await waiting(pool), [])
  const { rows } = await pool.query('select sum(amount)::bigint as sum, count(*)::int as count from credit')
  assert.deepEqual(rows[0], { sum: 200n * 101n + 30n * 7n, count: 230 })
  await assertClean(pool)
})

test('an order in a transaction that is not committed yet does not get what became a deposit meanwhile', async () => {
  const { pool, block, credit, to } = await depositChain()
  const depositAddressId = await addressIdOf(pool, { localusermark: 'u1' })
  await inTransaction(pool, async tx => {
    await tx.query(
      `insert into recharge_order (merchant_id, orderid, username, localusermark, deposit_address_id, amount, created_at, expires_at)
       select merchant_id, 'o-1', 'u1', 'u1', id, 500, $2, $3 from deposit_address where id = $1`,
      [depositAddressId, at(1), at(1000)],
    )
    await credit([block(3, [pay(to, 500n)])])
  })
  await credit([block(6, [])])
  assert.deepEqual(await deposited(pool), [[500n, 500n, 5n]])
  assert.equal((await orderOf(pool, 'o-1')).received, 0n)
  await assertClean(pool)
})
