import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MarkId, OrderId, TransferId } from '../../src/base/ids.ts'
import { usdt } from '../../src/base/money.ts'
import { addMarkCommands } from '../../src/cli/mark-commands.ts'
import { addUnclaimedCommands } from '../../src/cli/unclaimed-commands.ts'
import { rejectHeld } from '../../src/credits/decide-held.ts'
import { makeMark, type WantedMark } from '../../src/credits/make-mark.ts'
import { listMarks } from '../../src/credits/mark-store.ts'
import { settleOutside, withdrawMark } from '../../src/credits/settle-outside.ts'
import { firstPage } from '../../src/db/id-page.ts'
import type { Pool } from '../../src/db/pool.ts'
import { readStatement } from '../../src/orders/statement-store.ts'
import { differencesOf, tamper } from '../audit/audited-database.ts'
import { commandInProcess } from '../support/command-in-process.ts'
import { seedMerchant } from '../support/seed-merchant.ts'
import { addAddress, addOrder, creditedChain, ledger, orderOf } from './credited-chain.ts'

const because = { actor: 'command line alice@host', reason: 'paid twice' }
const txid = (digit: string) => digit.repeat(64)
const pay = (toBytes: Buffer, units: bigint) => [{ toBytes, units }]

/** u1's order o-1 was paid 100 and 50; u2 paid 70 without an order. Above 1000 a transfer is held. */
async function markedChain() {
  const it = await creditedChain('marked', 1_000n)
  const [u1, u2] = [await addAddress(it.pool, 'u1'), await addAddress(it.pool, 'u2')]
  await addOrder(it.pool, 'u1', 'o-1', 150, 1)
  await it.credit([it.block(3, [pay(u1, 100n), pay(u1, 50n), pay(u2, 70n)])])
  const { rows } = await it.pool.query('select id, txid from transfer order by id')
  const [first, second, loose] = rows.map(({ id }) => id as TransferId)
  const { rows: orders } = await it.pool.query('select id from recharge_order')
  const orderId: OrderId = orders[0].id
  const mark = (wanted: Partial<WantedMark> & Pick<WantedMark, 'target'>, decision = because) =>
    makeMark(it.pool, it.rules, { kind: 'refund', amount: usdt(10n), txid: txid('a'), ...wanted }, decision)
  /** Done, or already there, or the code of the refusal. */
  const said = async (...wanted: Parameters<typeof mark>) => {
    const marked = await mark(...wanted)
    return marked.kind === 'refused' ? marked.code : marked.kind
  }
  const withdraw = (id: MarkId) => withdrawMark(it.pool, it.rules, id, because)
  const target = { transferId: first! }
  return { ...it, u1, u2, ids: [first!, second!, loose!], rows, orderId, target, mark, said, withdraw }
}

async function assertClean(pool: Pool): Promise<void> {
  const { checks, said } = await differencesOf(pool)
  assert.deepEqual(checks, {}, said)
}

async function markSums(pool: Pool) {
  const { rows } = await pool.query('select refunded_units, corrected_units from report.audit_merchants')
  return [rows[0].refunded_units, rows[0].corrected_units]
}

test('a refund is noted once for its transaction, changes no credit, and says who, why and how much', async () => {
  const { pool, target, mark } = await markedChain()
  const before = await ledger(pool)
  const done = await mark({ target })
  assert.equal(done.kind, 'done')
  assert.deepEqual(await mark({ target }), { ...done, kind: 'already' })
  const [noted, ...others] = await listMarks(pool, firstPage(10))
  assert.equal(others.length, 0)
  const { kind, amount, txid: by, reason, madeBy, transferId, orderid, withdrawnBy } = noted!
  assert.deepEqual(
    [kind, amount, by, reason, madeBy, transferId, orderid, withdrawnBy],
    ['refund', 10n, txid('a'), 'paid twice', because.actor, target.transferId, 'o-1', null],
  )
  const { rows } = await pool.query(
    'select actor, action, subject, reason, detail from audit_event where chain_position > 1',
  )
  assert.deepEqual(
    rows.map(({ actor, action, subject, reason, detail }) => [actor, action, subject, reason, detail.usdt]),
    [[because.actor, 'mark.refund', `transfer ${target.transferId}`, 'paid twice', '0.00001']],
  )
  assert.deepEqual(await ledger(pool), before)
  assert.deepEqual(await markSums(pool), [10n, 0n])
  await assertClean(pool)
})

test('more than was received is not refunded: of a transfer, of an order, and of the two together', async () => {
  const { ids, orderId, said, pool } = await markedChain()
  const [first, second] = ids.map(transferId => ({ transferId }))
  const order = { orderId }
  assert.equal(await said({ target: first!, amount: usdt(101n) }), 'too_much')
  assert.equal(await said({ target: first!, amount: usdt(60n) }), 'done')
  assert.equal(await said({ target: first!, amount: usdt(41n), txid: txid('b') }), 'too_much')
  assert.equal(await said({ target: order, amount: usdt(91n), txid: txid('b') }), 'too_much')
  assert.equal(await said({ target: order, amount: usdt(80n), txid: txid('b') }), 'done')
  // 150 - 60 - 80 = 10 are left of the order, though 50 of this transfer are.
  assert.equal(await said({ target: second!, amount: usdt(11n), txid: txid('c') }), 'too_much')
  assert.equal(await said({ target: second!, amount: usdt(10n), txid: txid('c') }), 'done')
  assert.equal(await said({ target: order, amount: usdt(1n), txid: txid('d') }), 'too_much')
  assert.deepEqual(await markSums(pool), [150n, 0n])
  await assertClean(pool)
})

test('two people who refund the rest at once refund it once', async () => {
  const { target, said, pool } = await markedChain()
  const results = await Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map(digit => said({ target, amount: usdt(100n), txid: txid(digit) })),
  )
  assert.deepEqual(results.sort(), ['done', 'too_much', 'too_much', 'too_much', 'too_much'])
  await assertClean(pool)
})

test('a correction is signed, needs no transaction, and one that adds makes room for no refund', async () => {
  const { target, said, pool } = await markedChain()
  const correct = (amount: bigint, reason = because.reason) =>
    said({ kind: 'correction', target, amount: usdt(amount), txid: null }, { ...because, reason })
  assert.equal(await correct(30n), 'done')
  assert.equal(await correct(30n), 'already')
  assert.equal(await correct(30n, 'once more'), 'done')
  assert.equal(await correct(-101n), 'too_much')
  assert.equal(await correct(-40n), 'done')
  assert.equal(await correct(0n), 'bad_amount')
  assert.equal(await said({ target, amount: usdt(61n) }), 'too_much')
  assert.equal(await said({ target, amount: usdt(60n) }), 'done')
  assert.deepEqual(await markSums(pool), [60n, 20n])
  await assertClean(pool)
})

test('wrong targets, amounts and transactions are refused, each by its code', async () => {
  const { pool, rules, target, rows, ids, orderId, said, mark } = await markedChain()
  assert.equal(await said({ target, amount: usdt(0n) }), 'bad_amount')
  assert.equal(await said({ target, amount: usdt(-1n) }), 'bad_amount')
  assert.equal(await said({ target, txid: null }), 'no_txid')
  assert.equal(await said({ target, txid: rows[0].txid }), 'own_txid')
  assert.equal(await said({ target: { orderId }, txid: rows[1].txid }), 'own_txid')
  assert.equal(
    await said({ target, txid: rows[1].txid }),
    'own_txid',
    "another payment of the transfer's order",
  )
  assert.equal(await said({ target: { transferId: 999n as TransferId } }), 'unknown')
  assert.equal(await said({ target: { orderId: 999n as OrderId } }), 'unknown')
  assert.equal(await said({ target: { transferId: ids[2]! } }), 'waits')
  await mark({ target })
  assert.equal(await said({ target, amount: usdt(11n) }), 'txid_used')
  const other = await seedMerchant(pool, { callbackUrl: 'https://other.example/cb' })
  const wanted: WantedMark = { kind: 'refund', target, amount: usdt(1n), txid: txid('b') }
  assert.deepEqual(await makeMark(pool, rules, wanted, because, other.id), {
    kind: 'refused',
    code: 'unknown',
  })
  assert.equal((await listMarks(pool, firstPage(10))).length, 1)
})

test("corrections without measure keep no sum from being read, and are nobody else's", async () => {
  const { pool, orderId, said } = await markedChain()
  const largest = usdt(999_999_999_999_999_999n)
  for (let i = 0; i < 10; i++) {
    const correction = { kind: 'correction', target: { orderId }, amount: largest, txid: null } as const
    assert.equal(await said(correction, { ...because, reason: `mistake ${i}` }), 'done')
  }
  const [, corrected] = await markSums(pool)
  assert.equal(corrected, 2n ** 63n - 1n)
  await assertClean(pool)
  const merchantId = (await pool.query('select merchant_id from money_mark')).rows[0].merchant_id
  const dayMs = 86_400_000
  const { days } = await readStatement(
    pool,
    merchantId,
    new Date(Date.now() - dayMs),
    new Date(Date.now() + dayMs),
  )
  assert(days.some(({ corrected: sum }) => sum === corrected))
})

test('what was rejected counts as not received, so none of it is refunded', async () => {
  const { pool, rules, block, credit, u1, said } = await markedChain()
  await credit([block(6, [pay(u1, 5_000n)])])
  const { rows } = await pool.query(`select transfer_id as id from waiting_transfer where reason = 'held'`)
  const target = { transferId: rows[0].id }
  assert.equal(await said({ target }), 'waits')
  await rejectHeld(pool, rules, rows[0].id, because, null)
  assert.equal(await said({ target }), 'rejected')
})

test('a mark is withdrawn once, by a mark, and can then be made anew; a withdrawal is not withdrawn', async () => {
  const { pool, target, mark, withdraw } = await markedChain()
  const done = await mark({ target })
  assert(done.kind !== 'refused')
  const results = await Promise.all([withdraw(done.id), withdraw(done.id), withdraw(done.id)])
  assert.deepEqual(results.map(({ kind }) => kind).sort(), ['already', 'already', 'done'])
  const [withdrawal] = await listMarks(pool, firstPage(1))
  assert.deepEqual(
    [withdrawal!.kind, withdrawal!.withdraws, withdrawal!.amount],
    ['withdrawal', done.id, 10n],
  )
  assert.deepEqual(await withdraw(withdrawal!.id), { kind: 'impossible', state: 'a withdrawal' })
  assert.deepEqual(await withdraw(999n as MarkId), { kind: 'impossible', state: 'unknown' })
  assert.deepEqual(await markSums(pool), [0n, 0n])
  const anew = await mark({ target, amount: usdt(100n) })
  assert.equal(anew.kind, 'done')
  assert.equal((await listMarks(pool, firstPage(10))).length, 3)
  assert.deepEqual(
    (await listMarks(pool, firstPage(10), 'refund')).map(({ withdrawnBy }) => withdrawnBy),
    [null, withdrawal!.id],
  )
  await assertClean(pool)
})

test('money settled outside can be refunded, and is not unclaimed again before that is withdrawn', async () => {
  const { pool, rules, block, credit, ids, said, withdraw } = await markedChain()
  const target = { transferId: ids[2]! }
  await settleOutside(pool, rules, ids[2]!, because)
  assert.equal(await said({ target, amount: usdt(71n) }), 'too_much')
  assert.equal(await said({ target, amount: usdt(70n) }), 'done')
  await assertClean(pool)
  const [refund, settled] = await listMarks(pool, firstPage(10))
  assert.deepEqual([settled!.kind, settled!.amount], ['settled_outside', 70n])
  assert.deepEqual(await withdraw(settled!.id), { kind: 'impossible', state: 'refunded' })
  await addOrder(pool, 'u2', 'o-2', 70, 4)
  assert.equal((await withdraw(refund!.id)).kind, 'done')
  await credit([block(6, [])])
  assert.equal((await orderOf(pool, 'o-2')).received, 0n)
  assert.deepEqual(await withdraw(settled!.id), { kind: 'done', state: 'withdrawn', credits: 1 })
  assert.equal((await orderOf(pool, 'o-2')).received, 70n)
  await assertClean(pool)
})

test("the list goes on where a page ended, newest first, and has one merchant's marks alone", async () => {
  const { pool, target, mark } = await markedChain()
  for (const digit of ['a', 'b', 'c']) await mark({ target, txid: txid(digit) })
  const other = await seedMerchant(pool, { callbackUrl: 'https://other.example/cb' })
  const page = await listMarks(pool, firstPage(2))
  assert.deepEqual(
    page.map(one => one.txid),
    [txid('c'), txid('b')],
  )
  const rest = await listMarks(pool, { ...firstPage(2), after: page[1]!.id })
  assert.deepEqual(
    rest.map(one => one.txid),
    [txid('a')],
  )
  assert.deepEqual(await listMarks(pool, { ...firstPage(2), merchantId: other.id }), [])
})

test('the audit finds marks that take too much, are about something else, or are of what waits', async () => {
  const { pool, target, mark, ids, orderId } = await markedChain()
  const other = await seedMerchant(pool, { callbackUrl: 'https://other.example/cb' })
  const done = await mark({ target })
  assert(done.kind !== 'refused')
  await tamper(pool, `update money_mark set amount = 151`)
  assert.deepEqual((await differencesOf(pool)).checks, { 'mark.amount': 2 })
  await tamper(pool, `update money_mark set amount = 1, merchant_id = ${other.id}`)
  assert.deepEqual((await differencesOf(pool)).checks, { 'mark.target': 1 })
  const [merchantId, waits] = ['(select min(id) from merchant)', ids[2]!]
  await tamper(pool, `update money_mark set merchant_id = ${merchantId}, transfer_id = ${waits}`)
  assert.deepEqual((await differencesOf(pool)).checks, { 'mark.settled': 1 })
  const withdrawal = `insert into money_mark (kind, merchant_id, order_id, withdraws, reason, made_by)
                      values ('withdrawal', ${merchantId}, ${orderId}, ${done.id}, 'x', 'x')`
  await tamper(pool, withdrawal)
  assert.deepEqual((await differencesOf(pool)).checks, { 'mark.target': 1 })
})

test('the commands note, list and withdraw, and say what is wrong', async t => {
  const { pool, ids } = await markedChain()
  const config = { DATABASE_URL: pool.options.connectionString! }
  Object.assign(process.env, config)
  const marks = (...args: string[]) => commandInProcess(t, addMarkCommands, 'marks', ...args)
  const refund = (...args: string[]) =>
    marks('refund', '--transfer', `${ids[0]}`, '--reason', 'paid twice', '--txid', `0x${txid('A')}`, ...args)
  assert.equal(await marks('list'), 'there are no marks')
  assert.equal(await refund('--amount', '0.00005'), 'mark 1')
  assert.equal(await refund('--amount', '0.00005'), 'mark 1 says so already')
  await assert.rejects(refund('--amount', '0.00006'), /\(txid_used\)$/)
  await assert.rejects(refund('--amount', '-1'), /\(bad_amount\)$/)
  await assert.rejects(refund('--amount', '1e3'), /--amount: decimal USDT such as 3\.5, got "1e3"/)
  await assert.rejects(refund('--amount', '1', '--ordersn', 'cz-1'), /give --transfer or --ordersn/)
  const { rows } = await pool.query('select ordersn from recharge_order')
  const correct = ['correct', '--ordersn', rows[0].ordersn, '--reason', 'agreed', '--by', 'bob']
  assert.equal(await marks(...correct, '--amount', '-0.00001'), 'mark 2')
  assert.equal(await marks('withdraw', '1', '--reason', 'it came back'), 'mark 1: withdrawn')
  const listed = JSON.parse(await marks('list', '--json', '--kind', 'correction'))
  assert.equal(listed.length, 1)
  const [{ id, usdt: amount, orderid, by, reason }] = listed
  assert.deepEqual([id, amount, orderid, by, reason], ['2', '-0.00001', 'o-1', 'command line bob', 'agreed'])
  await assert.rejects(marks('list', '--appid', 'nobody'), /no merchant has the appid "nobody"/)
})

test('the commands list, assign and settle what is unclaimed', async t => {
  const { pool, ids, block, credit, u2 } = await markedChain()
  await credit([block(6, [pay(u2, 80n)])])
  process.env.DATABASE_URL = pool.options.connectionString!
  const unclaimed = (...args: string[]) => commandInProcess(t, addUnclaimedCommands, 'unclaimed', ...args)
  const because = ['--reason', 'the payer wrote us']
  const listed = JSON.parse(await unclaimed('list', '--json'))
  assert.deepEqual(
    listed.map((one: { id: string; usdt: string }) => [one.id, one.usdt]),
    [
      [`${ids[2]}`, '0.00007'],
      ['4', '0.00008'],
    ],
  )
  await assert.rejects(unclaimed('assign', '4', ...because), /give one of --ordersn, --orderid and --user/)
  await assert.rejects(unclaimed('assign', '4', '--user', 'u2', ...because), /\(deposits_off\)$/)
  await assert.rejects(unclaimed('assign', '9', '--orderid', 'o-1', ...because), /there is no transfer 9/)
  const assigned = 'transfer 4: credited, 1 credits written'
  assert.equal(await unclaimed('assign', '4', '--orderid', 'o-1', ...because), assigned)
  assert.equal(
    await unclaimed('assign', '4', '--orderid', 'o-1', ...because),
    'transfer 4 is credited already',
  )
  assert.equal(await unclaimed('settle', `${ids[2]}`, ...because), `transfer ${ids[2]}: settled_outside`)
  assert.equal(await unclaimed('list'), 'nothing is unclaimed')
  await assertClean(pool)
})
