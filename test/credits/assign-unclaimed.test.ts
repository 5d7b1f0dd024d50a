import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MarkId, MerchantId, TransferId } from '../../src/base/ids.ts'
import { callbackKey, depositKey } from '../../src/callbacks/outbox/callback.ts'
import { assignUnclaimed } from '../../src/credits/assign-unclaimed.ts'
import { rejectHeld } from '../../src/credits/decide-held.ts'
import { retryQuarantined } from '../../src/credits/retry-quarantined.ts'
import { settleOutside, withdrawMark } from '../../src/credits/settle-outside.ts'
import { listUnclaimedPage } from '../../src/credits/unclaimed-store.ts'
import { firstPage } from '../../src/db/id-page.ts'
import type { Pool } from '../../src/db/pool.ts'
import { differencesOf, tamper } from '../audit/audited-database.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { addressIdOf, seedAddress, seedOrders } from '../support/seed.ts'
import { seedMerchant } from '../support/seed-merchant.ts'
import {
  addAddress,
  addOrder,
  assertTotalsAddUp,
  at,
  creditedChain,
  orderOf,
  waiting,
} from './credited-chain.ts'

const because = { actor: 'command line alice@host', reason: 'the payer wrote us' }
const pay = (toBytes: Buffer, units: bigint) => [{ toBytes, units }]

/** u1 has paid 3 USDT without an order; u2, another user of the same shop, has an order of 3 USDT. */
async function unclaimedChain(seed?: string) {
  const it = await creditedChain(seed)
  const u1 = await addAddress(it.pool, 'u1')
  const u2 = await addAddress(it.pool, 'u2')
  await addOrder(it.pool, 'u2', 'o-2', 3_000_000, 1)
  const paid = it.block(3, [pay(u1, 3_000_000n)])
  await it.credit([paid])
  const { txid, logIndex } = paid.transfers[0]!
  const key = callbackKey(it.rules.genesisId, it.rules.usdtContract, txid, logIndex)
  return { ...it, u1, u2, txid, logIndex, key, id: await unclaimedId(it.pool) }
}

async function unclaimedId(pool: Pool): Promise<TransferId> {
  const { rows } = await pool.query(
    `select transfer_id as id from waiting_transfer where reason = 'unclaimed' order by 1 limit 1`,
  )
  return rows[0].id
}

async function callbacks(pool: Pool) {
  const { rows } = await pool.query(
    'select key, body_amount, received, order_state, late from callback order by id',
  )
  return rows
}

async function actions(pool: Pool): Promise<string[]> {
  return (await pool.query('select action from audit_event where chain_position > 1 order by id')).rows.map(
    ({ action }) => action,
  )
}

async function assertClean(pool: Pool): Promise<void> {
  await assertTotalsAddUp(pool)
  const { checks, said } = await differencesOf(pool)
  assert.deepEqual(checks, {}, said)
}

test('an unclaimed transfer is credited to the order it is assigned to, once, and announced under its usual key', async () => {
  const { pool, rules, id, key } = await unclaimedChain()
  const assign = () => assignUnclaimed(pool, rules, id, { orderid: 'o-2' }, because)
  assert.deepEqual(await assign(), { kind: 'done', state: 'credited', credits: 1 })
  assert.deepEqual(await assign(), { kind: 'already', state: 'credited' })
  assert.deepEqual(await orderOf(pool, 'o-2'), { received: 3_000_000n, announced: 30_000n })
  assert.deepEqual(await callbacks(pool), [
    { key, body_amount: 30_000n, received: 3_000_000n, order_state: 'paid', late: false },
  ])
  assert.equal((await pool.query('select from callback_outbox')).rowCount, 1)
  assert.deepEqual(await waiting(pool), [])
  const { rows } = await pool.query(
    'select actor, subject, reason, detail from audit_event where chain_position > 1',
  )
  assert.equal(rows.length, 1)
  assert.deepEqual([rows[0].actor, rows[0].subject], [because.actor, `transfer ${id}`])
  assert.deepEqual([rows[0].reason, rows[0].detail.to], [because.reason, 'order o-2'])
  await assertClean(pool)
})

test('it goes to no other order once it is credited, and to none that it is assigned to later', async () => {
  const { pool, rules, id } = await unclaimedChain()
  await addOrder(pool, 'u2', 'o-3', 3_000_000, 1)
  await assignUnclaimed(pool, rules, id, { orderid: 'o-2' }, because)
  assert.deepEqual(await assignUnclaimed(pool, rules, id, { orderid: 'o-3' }, because), {
    kind: 'impossible',
    state: 'credited',
  })
  assert.deepEqual(await orderOf(pool, 'o-3'), { received: 0n, announced: 0n })
  await assertClean(pool)
})

test("an order at the payer's own address is not the one that gets it, when another is named", async () => {
  const { pool, rules, id, block, credit, u1, u2 } = await unclaimedChain()
  // Made after the payment: the chain has not reached it, so it has claimed nothing yet.
  await addOrder(pool, 'u1', 'o-1', 3_000_000, 60)
  await assignUnclaimed(pool, rules, id, { orderid: 'o-2' }, because)
  await credit([block(90, [pay(u1, 1_000_000n)]), block(93, [pay(u2, 500n)])])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 1_000_000n, announced: 10_000n })
  assert.deepEqual(await orderOf(pool, 'o-2'), { received: 3_000_500n, announced: 30_005n })
  await assertClean(pool)
})

test("another merchant's order, an unknown one and a user of nobody's are refused by their codes", async () => {
  const { pool, rules, id } = await unclaimedChain()
  const other = await seedMerchant(pool, { callbackUrl: 'https://other.example/cb' })
  const { addressId } = await seedAddress(pool, { merchantId: other.id, localusermark: 'x1' })
  await seedOrders(pool, [
    { addressId, orderid: 'x-1', amount: 3_000_000n, createdAt: at(0), expiresAt: at(100) },
  ])
  const { rows } = await pool.query(`select ordersn from recharge_order where orderid = 'x-1'`)
  const code = async (target: Parameters<typeof assignUnclaimed>[3]) => {
    const assigned = await assignUnclaimed(pool, rules, id, target, because)
    return assigned.kind === 'refused' ? assigned.code : assigned
  }
  assert.equal(await code({ ordersn: rows[0].ordersn }), 'other_merchant')
  assert.equal(await code({ orderid: 'x-1' }), 'unknown_order')
  assert.equal(await code({ ordersn: 'cz-none' }), 'unknown_order')
  assert.equal(await code({ localusermark: 'u2' }), 'deposits_off')
  await pool.query('update merchant set deposits = true')
  assert.equal(await code({ localusermark: 'x1' }), 'unknown_user')
  assert.equal(await code({ localusermark: '' }), 'unknown_user')
  await pool.query(`update deposit_address set localusermark = '' where localusermark = 'u1'`)
  assert.equal(await code({ orderid: 'o-2' }), 'nobodys')
  assert.deepEqual(await settleOutside(pool, rules, id, because), { kind: 'refused', code: 'nobodys' })
  assert.deepEqual(await orderOf(pool, 'x-1'), { received: 0n, announced: 0n })
  assert.deepEqual(await actions(pool), [])
})

test("for a merchant's own people another merchant's transfer is not there", async () => {
  const { pool, rules, id } = await unclaimedChain()
  const other = await seedMerchant(pool, { callbackUrl: 'https://other.example/cb' })
  const unknown = { kind: 'impossible', state: 'unknown' }
  assert.deepEqual(await assignUnclaimed(pool, rules, id, { orderid: 'o-2' }, because, other.id), unknown)
  assert.deepEqual(await settleOutside(pool, rules, id, because, other.id), unknown)
  assert.deepEqual(await settleOutside(pool, rules, 999n as TransferId, because), unknown)
  await settleOutside(pool, rules, id, because)
  const { rows } = await pool.query('select id from money_mark')
  assert.deepEqual(await withdrawMark(pool, rules, rows[0].id, because, other.id), unknown)
})

test("assigned to a user it is a deposit: at the paid address if that is the user's, else at the base address", async () => {
  for (const [user, isOwn] of [
    ['u1', true],
    ['u2', false],
  ] as const) {
    const { pool, rules, id, txid, logIndex } = await unclaimedChain(`deposit ${user}`)
    await pool.query('update merchant set deposits = true')
    const assign = () => assignUnclaimed(pool, rules, id, { localusermark: user }, because)
    assert.deepEqual(await assign(), { kind: 'done', state: 'credited', credits: 1 })
    assert.deepEqual(await assign(), { kind: 'already', state: 'credited' })
    const { rows } = await pool.query(
      'select localusermark, deposit_address, key, body_amount from callback_facts',
    )
    const paid = await pool.query(`select a.address from deposit_address a where a.localusermark = $1`, [
      user,
    ])
    const key = depositKey(rules.genesisId, rules.usdtContract, txid, logIndex)
    const said = { localusermark: user, deposit_address: paid.rows[0].address, key, body_amount: 30_000n }
    assert.deepEqual(rows, [said])
    const { rows: assigned } = await pool.query(
      'select paid_address = user_address as own, localusermark from report.assignments',
    )
    assert.deepEqual(assigned, [{ own: isOwn, localusermark: user }])
    await assertClean(pool)
  }
})

test('the deposits of an address go on from the one that was assigned there, in the same batch too', async () => {
  const { pool, rules, id, block, credit, u2 } = await unclaimedChain()
  await pool.query('update merchant set deposits = true')
  await pool.query(`delete from recharge_order`)
  await assignUnclaimed(pool, rules, id, { localusermark: 'u2' }, because)
  await credit([block(6, [pay(u2, 150n)]), block(9, [pay(u2, 50n)])])
  const { rows } = await pool.query('select received, amount from credit order by id')
  assert.deepEqual(rows, [
    { received: 3_000_000n, amount: 3_000_000n },
    { received: 3_000_150n, amount: 150n },
    { received: 3_000_200n, amount: 50n },
  ])
  await assertClean(pool)
})

test('assigned late, below and above the amount, it is announced as such', async () => {
  const { pool, rules, id } = await unclaimedChain()
  await addOrder(pool, 'u2', 'o-9', 1_000_000, 0, 1)
  await assignUnclaimed(pool, rules, id, { orderid: 'o-9' }, because)
  const [callback] = await callbacks(pool)
  assert.deepEqual([callback.order_state, callback.late], ['overpaid', true])
  await assertClean(pool)
})

test('two people who assign it at once, to different orders, credit it once', async () => {
  const { pool, rules, id } = await unclaimedChain()
  for (let n = 3; n < 9; n++) await addOrder(pool, 'u2', `o-${n}`, 3_000_000, 1)
  const results = await Promise.all(
    [2, 3, 4, 5, 6, 7, 8].flatMap(n => [
      assignUnclaimed(pool, rules, id, { orderid: `o-${n}` }, because),
      settleOutside(pool, rules, id, because),
    ]),
  )
  assert.equal(results.filter(({ kind }) => kind === 'done').length, 1)
  const { rows } = await pool.query(
    `select (select count(*) from credit) as credits, (select count(*) from money_mark) as marks,
            (select count(*) from callback) as callbacks`,
  )
  const { credits, marks, callbacks: told } = rows[0]
  assert.equal(credits + marks, 1n)
  assert.equal(told, credits)
  assert.equal((await actions(pool)).length, 1)
  await assertClean(pool)
})

test('beside a watcher that credits an order of the same address it is credited once', async () => {
  const { pool, rules, id, block, credit } = await unclaimedChain()
  await addOrder(pool, 'u1', 'o-1', 3_000_000, 4)
  const [assigned] = await Promise.all([
    assignUnclaimed(pool, rules, id, { orderid: 'o-2' }, because),
    credit([block(6, [])]),
  ])
  const received = async (orderid: string) => (await orderOf(pool, orderid)).received
  assert.equal((await received('o-1')) + (await received('o-2')), 3_000_000n)
  assert.equal(await received('o-2'), assigned.kind === 'done' ? 3_000_000n : 0n)
  await assertClean(pool)
})

test('what cannot be credited now goes where it was assigned when its wait ends', async () => {
  const { pool, rules, id } = await unclaimedChain()
  await addOrder(pool, 'u1', 'o-1', 3_000_000, 60)
  await pool.query(`alter table credit add constraint none check (amount <> 3000000)`)
  assert.deepEqual(await assignUnclaimed(pool, rules, id, { orderid: 'o-2' }, because), {
    kind: 'done',
    state: 'quarantined',
    credits: 0,
  })
  await pool.query(`alter table credit drop constraint none`)
  assert.deepEqual(await assignUnclaimed(pool, rules, id, { orderid: 'o-2' }, because), {
    kind: 'already',
    state: 'quarantined',
  })
  const { rows } = await pool.query('select id from quarantine')
  const decision = { actor: 'carol', reason: 'the constraint is gone' }
  assert.equal((await retryQuarantined(pool, rules, rows[0].id, decision)).became, 'credited')
  const why = await pool.query(`select reason as why from audit_event where actor = 'carol'`)
  assert.deepEqual(why.rows, [{ why: decision.reason }])
  assert.equal((await orderOf(pool, 'o-2')).received, 3_000_000n)
  await assertClean(pool)
})

test('only what is unclaimed is assigned: not what is held, nor what waits behind it', async () => {
  const it = await creditedChain('held', 100n)
  const to = await addAddress(it.pool, 'u1')
  await it.credit([it.block(3, [pay(to, 500n), pay(to, 60n)])])
  await addAddress(it.pool, 'u2')
  await addOrder(it.pool, 'u2', 'o-2', 500, 1)
  const { rows } = await it.pool.query('select transfer_id as id, reason from waiting_transfer order by 1')
  for (const { id, reason } of rows) {
    const expected = { kind: 'impossible', state: reason }
    assert.deepEqual(await assignUnclaimed(it.pool, it.rules, id, { orderid: 'o-2' }, because), expected)
    assert.deepEqual(await settleOutside(it.pool, it.rules, id, because), expected)
  }
  await rejectHeld(it.pool, it.rules, rows[0].id, because, null)
  assert.equal(
    (await assignUnclaimed(it.pool, it.rules, rows[1].id, { orderid: 'o-2' }, because)).kind,
    'done',
  )
  assert.equal((await orderOf(it.pool, 'o-2')).received, 60n)
})

test('settled outside it is unclaimed no more, and no order claims it, until that is withdrawn', async () => {
  const { pool, rules, id, block, credit } = await unclaimedChain()
  const settle = () => settleOutside(pool, rules, id, because)
  assert.deepEqual(await settle(), { kind: 'done', state: 'settled_outside', credits: 0 })
  assert.deepEqual(await settle(), { kind: 'already', state: 'settled_outside' })
  await addOrder(pool, 'u1', 'o-1', 3_000_000, 4)
  await credit([block(6, []), block(1_000_000, [])])
  assert.equal((await orderOf(pool, 'o-1')).received, 0n)
  assert.deepEqual(await assignUnclaimed(pool, rules, id, { orderid: 'o-1' }, because), {
    kind: 'impossible',
    state: 'settled_outside',
  })
  const { rows: states } = await pool.query('select state from report.transfers')
  assert.deepEqual(states, [{ state: 'settled_outside' }])
  await assertClean(pool)
  // Withdrawn, it is as if nothing had happened: the order that waits for it gets it at once.
  const { rows } = await pool.query('select id from money_mark')
  const mark: MarkId = rows[0].id
  assert.deepEqual(await withdrawMark(pool, rules, mark, because), {
    kind: 'done',
    state: 'withdrawn',
    credits: 1,
  })
  assert.deepEqual(await withdrawMark(pool, rules, mark, because), { kind: 'already', state: 'withdrawn' })
  assert.equal((await orderOf(pool, 'o-1')).received, 3_000_000n)
  const noted = ['transfer.settled_outside', 'mark.withdrawn']
  assert.deepEqual(await actions(pool), noted)
  await assertClean(pool)
})

test("unclaimed transfers are listed page by page, those of one merchant without what is nobody's", async () => {
  const { pool, block, credit, u1 } = await unclaimedChain()
  const other = await seedMerchant(pool, { callbackUrl: 'https://other.example/cb' })
  const theirs = bytesFor('x1')
  await seedAddress(pool, { merchantId: other.id, localusermark: 'x1', bytes: theirs })
  const nobodys = bytesFor('nobody')
  const shopId = await merchantOf(pool, 'u1')
  await seedAddress(pool, { merchantId: shopId, localusermark: '', isBase: false, bytes: nobodys })
  await credit([block(6, [pay(u1, 2n), pay(theirs, 3n)]), block(9, [pay(nobodys, 4n), pay(u1, 5n)])])
  const amounts = async (page: Parameters<typeof listUnclaimedPage>[1]) =>
    (await listUnclaimedPage(pool, page)).map(({ amount }) => amount)
  assert.deepEqual(await amounts(firstPage(10)), [3_000_000n, 2n, 3n, 4n, 5n])
  const [first, second] = await listUnclaimedPage(pool, { ...firstPage(2), merchantId: shopId })
  assert.deepEqual([first!.amount, second!.amount], [3_000_000n, 2n])
  assert.deepEqual(await amounts({ merchantId: shopId, after: second!.id, limit: 2 }), [5n])
  assert.deepEqual(await amounts({ ...firstPage(2), merchantId: other.id }), [3n])
})

async function merchantOf(pool: Pool, localusermark: string): Promise<MerchantId> {
  const { rows } = await pool.query(
    'select merchant_id as id from deposit_address where localusermark = $1',
    [localusermark],
  )
  return rows[0].id
}

test('the audit finds a credit elsewhere than where it was assigned, and a settled one that waits', async () => {
  const { pool, rules, id } = await unclaimedChain()
  await addOrder(pool, 'u2', 'o-3', 3_000_000, 1)
  await assignUnclaimed(pool, rules, id, { orderid: 'o-2' }, because)
  await tamper(
    pool,
    `update transfer_assignment set order_id = (select id from recharge_order where orderid = 'o-3')`,
  )
  const { checks } = await differencesOf(pool)
  assert.deepEqual(checks, { 'credit.assigned': 1, 'credit.order': 1 })
  const settled = await unclaimedChain('settled')
  await settleOutside(settled.pool, settled.rules, settled.id, because)
  const addressId = await addressIdOf(settled.pool, { localusermark: 'u1' })
  await tamper(
    settled.pool,
    `insert into waiting_transfer (transfer_id, deposit_address_id, reason) values (${settled.id}, ${addressId}, 'unclaimed')`,
  )
  const found = await differencesOf(settled.pool)
  assert.equal(found.checks['transfer.settled'], 1, found.said)
})
