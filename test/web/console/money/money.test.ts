import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { TestAnswer, TestVisitor } from '../../../support/console-under-test.ts'
import { openMoneyShop } from './money-shop.ts'

const money = await openMoneyShop()
const { pool, signedIn, unclaimed, held, quarantined, foreign, order } = money
let finance: TestVisitor
let support: TestVisitor
let admin: TestVisitor
before(async () => {
  finance = await signedIn(money.finance)
  support = await signedIn(money.support)
  admin = await signedIn(money.admin)
})

const transfer = (id: bigint) => `/console/money/transfers/${id}`
const reason = 'the payer wrote us'

/** Follows where a form led. */
async function followed(visit: TestVisitor, answer: TestAnswer): Promise<TestAnswer> {
  assert.equal(answer.status, 303, answer.text.slice(0, 2_000))
  return visit.get(answer.location!)
}

async function stateOf(id: bigint): Promise<string> {
  return (await pool.query('select state from report.transfers where transfer_id = $1', [id])).rows[0].state
}

test("each list shows what is in it, and a merchant's people see their merchant's alone", async () => {
  const listed = async (visit: TestVisitor, list: string) =>
    (await visit.get(`/console/money?list=${list}`)).text
  const own = await listed(finance, 'unclaimed')
  assert.match(own, new RegExp(transfer(unclaimed.transferId)))
  assert.doesNotMatch(own, new RegExp(transfer(foreign.transferId)))
  assert.match(await listed(admin, 'unclaimed'), new RegExp(transfer(foreign.transferId)))
  assert.match(await listed(finance, 'held'), new RegExp(transfer(held.transferId)))
  const parked = await listed(finance, 'quarantine')
  assert.match(parked, /its amount was refused/)
  assert.doesNotMatch(parked, /not understood/, 'a log is of nobody')
  assert.match(await listed(admin, 'quarantine'), /not understood/)
  assert.match(await listed(admin, 'discrepancies'), /holds more than it received/)
  assert.doesNotMatch(await listed(finance, 'discrepancies'), /holds more than it received/)
  assert.equal((await finance.get(transfer(foreign.transferId))).status, 404)
})

test('a transaction leads to its transfer, in any spelling, and one that is not there says what to do', async () => {
  const upper = `0x${unclaimed.txid.toUpperCase()}`
  const { status, location } = await finance.get(`/console/money?txid=${upper}`)
  assert.deepEqual([status, location], [303, transfer(unclaimed.transferId)])
  assert.match(
    (await finance.get(`/console/money?txid=${foreign.txid}`)).text,
    /No transfer of this transaction/,
  )
  assert.match((await admin.get(`/console/money?txid=${'cd'.repeat(32)}`)).location!, /\/money\/logs\/\d+/)
})

test('who may not decide about money sees no form, and is not answered', async () => {
  const { text } = await support.get(transfer(unclaimed.transferId))
  assert.match(text, /Transfer of 3 USDT/)
  assert.doesNotMatch(text, /action="[^"]*\/(assign|settle|mark|decide)/)
  for (const path of ['assign', 'settle', 'mark'])
    assert.equal((await support.post(`${transfer(unclaimed.transferId)}/${path}`, { reason })).status, 404)
  assert.equal(
    (await finance.post(`${transfer(held.transferId)}/decide`, { reason, decision: 'release' })).status,
    404,
  )
  assert.equal(await stateOf(held.transferId), 'held')
})

test('a form without a reason or with a wrong order is shown again, and keeps what was typed', async () => {
  const path = `${transfer(unclaimed.transferId)}/assign`
  const unreasoned = await finance.post(path, { orderid: 'sh-2' })
  assert.equal(unreasoned.status, 400)
  assert.match(unreasoned.text, /Say why, on one line/)
  assert.match(unreasoned.text, /value="sh-2"/)
  const unknown = await finance.post(path, { orderid: 'nobodys', reason })
  assert.deepEqual([unknown.status, /There is no such order/.test(unknown.text)], [400, true])
  const user = await finance.post(path, { user: 'u2', reason })
  assert.match(user.text, /takes no deposits/)
  assert.equal((await finance.post(path, { reason })).status, 400)
  assert.equal(await stateOf(unclaimed.transferId), 'unclaimed')
})

test('settled outside and withdrawn it is unclaimed again; assigned it is credited once, by the person who did it', async () => {
  const path = transfer(unclaimed.transferId)
  const settled = await followed(finance, await finance.post(`${path}/settle`, { reason }))
  assert.match(settled.text, /Marked as settled outside/)
  assert.match(settled.text, /Note a refund or a correction/)
  const [, mark] = /action="([^"]*\/marks\/\d+\/withdraw)/.exec(settled.text)!
  assert.equal((await finance.post(mark!)).status, 400)
  const withdrawn = await followed(finance, await finance.post(mark!, { reason: 'a mistake' }))
  assert.match(withdrawn.text, /Withdrawn\./)
  assert.equal(await stateOf(unclaimed.transferId), 'unclaimed')
  const assign = () => finance.post(`${path}/assign`, { orderid: 'sh-2', reason })
  assert.match((await followed(finance, await assign())).text, /Assigned\. The merchant is called back/)
  assert.match((await followed(finance, await assign())).text, /That was so already/)
  const { rows } = await pool.query(
    `select actor, action from audit_event where subject like 'transfer %' or subject like 'mark %' order by id`,
  )
  const actor = 'Fin <fin@shop.example>'
  assert.deepEqual(rows, [
    { actor, action: 'transfer.settled_outside' },
    { actor, action: 'mark.withdrawn' },
    { actor, action: 'transfer.assigned' },
  ])
  const { rows: received } = await pool.query('select received from recharge_order where id = $1', [
    order.orderId,
  ])
  assert.deepEqual(received, [{ received: 3_000_000n }])
  assert.equal((await pool.query('select from callback')).rowCount, 1)
})

test('a refund and a correction are noted, refused when too large, and listed', async () => {
  const path = `${transfer(unclaimed.transferId)}/mark`
  const txid = 'ab'.repeat(32)
  const refund = { kind: 'refund', amount: '1.5', txid, reason: 'paid twice' }
  assert.match((await followed(finance, await finance.post(path, refund))).text, /Noted\./)
  const tooMuch = await finance.post(path, { ...refund, amount: '2', txid: 'cd'.repeat(32) })
  assert.deepEqual([tooMuch.status, /more than was received/.test(tooMuch.text)], [400, true])
  for (const [wrong, said] of [
    [{ amount: 'a lot' }, /Decimal USDT such as 3\.5/],
    [{ txid: 'no' }, /64 hex digits/],
    [{ txid: '' }, /needs the transaction that paid it back/],
    [{ txid: unclaimed.txid }, /own transaction/],
    [{ amount: '-1' }, /Above 0/],
    [{ reason: '' }, /Say why/],
  ] as const) {
    const answer = await finance.post(path, { ...refund, ...wrong })
    assert.equal(answer.status, 400)
    assert.match(answer.text, said)
  }
  const { rows } = await pool.query('select ordersn from recharge_order where id = $1', [order.orderId])
  const ofOrder = `/console/money/orders/${rows[0].ordersn}`
  const correction = { kind: 'correction', amount: '-0.5', reason: 'agreed' }
  const noted = await followed(finance, await finance.post(`${ofOrder}/mark`, correction))
  assert.match(noted.text, /-0\.50/)
  const list = (await finance.get('/console/money?list=marks')).text
  assert.match(list, /Refund/)
  assert.match(list, new RegExp(ofOrder))
})

test('an admin releases, rejects and reopens what waits, and nothing for a decision that is none', async () => {
  const path = `${transfer(quarantined.transferId)}/decide`
  await admin.get(transfer(quarantined.transferId))
  assert.equal((await admin.post(path, { reason, decision: 'release' })).status, 400)
  assert.equal(await stateOf(quarantined.transferId), 'quarantined')
  await followed(admin, await admin.post(path, { reason, decision: 'reject' }))
  assert.equal(await stateOf(quarantined.transferId), 'rejected')
  await followed(admin, await admin.post(path, { reason, decision: 'reopen' }))
  assert.equal(await stateOf(quarantined.transferId), 'quarantined')
  await followed(admin, await admin.post(path, { reason, decision: 'retry' }))
  assert.equal(await stateOf(quarantined.transferId), 'unclaimed')
  const heldPath = `${transfer(held.transferId)}/decide`
  await followed(admin, await admin.post(heldPath, { reason, decision: 'reject' }))
  assert.equal(await stateOf(held.transferId), 'rejected')
  await followed(admin, await admin.post(heldPath, { reason, decision: 'reopen' }))
  await followed(admin, await admin.post(heldPath, { reason, decision: 'release' }))
  assert.equal(await stateOf(held.transferId), 'unclaimed')
})

test('an admin rejects a log and reopens it, and acknowledges a discrepancy', async () => {
  const { rows } = await pool.query('select id from quarantine where transfer_id is null')
  const log = `/console/money/logs/${rows[0].id}`
  assert.match((await admin.get(log)).text, /not understood/)
  await followed(admin, await admin.post(`${log}/decide`, { reason, decision: 'reject' }))
  assert.match((await admin.get(log)).text, /the payer wrote us \(Root &lt;root@example\.com>\)/)
  await followed(admin, await admin.post(`${log}/decide`, { reason, decision: 'reopen' }))
  const { rows: found } = await pool.query('select id from discrepancy')
  const one = `/console/money/discrepancies/${found[0].id}`
  assert.equal((await admin.post(`${one}/acknowledge`)).status, 400)
  const done = await followed(admin, await admin.post(`${one}/acknowledge`, { reason: 'known' }))
  assert.match(done.text, /known \(Root/)
  assert.match((await followed(admin, await admin.post(`${one}/acknowledge`, { reason }))).text, /so already/)
})

test('what waits for proof is shown to admins, rejected and reopened', async () => {
  await pool.query(
    `insert into pending_proof (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time,
                                tx_index, node, hosts, denied)
     select repeat('ef', 32), 0, deposit_address_id, from_address, 1500000, 9, block_hash, block_time, 0, 'a', '{a}', '{}'
       from transfer limit 1`,
  )
  const { rows } = await pool.query('select id from pending_proof')
  const proof = `/console/money/proofs/${rows[0].id}`
  assert.match((await admin.get('/console/money?list=held')).text, new RegExp(proof))
  assert.doesNotMatch((await finance.get('/console/money?list=held')).text, new RegExp(proof))
  assert.match((await admin.get(proof)).text, /1\.5 USDT waits for proof/)
  assert.equal((await admin.post(`${proof}/decide`, { reason, decision: 'what' })).status, 400)
  await followed(admin, await admin.post(`${proof}/decide`, { reason, decision: 'reject' }))
  await followed(admin, await admin.post(`${proof}/decide`, { reason, decision: 'reopen' }))
  const { rows: ended } = await pool.query('select ended_as from pending_proof')
  assert.deepEqual(ended, [{ ended_as: null }])
})

test('a list goes on where a page ended', async () => {
  await pool.query(
    `with more as (
       insert into transfer (txid, log_index, deposit_address_id, from_address, amount, block_height, block_time, tx_index, block_hash)
       select repeat('a1', 32), n, $1, 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', n, 20, now(), 0, 'hash' from generate_series(1, 60) n
       returning id, deposit_address_id)
     insert into waiting_transfer (transfer_id, deposit_address_id, reason) select id, deposit_address_id, 'unclaimed' from more`,
    [money.u1.addressId],
  )
  const first = await finance.get('/console/money')
  const ids = (text: string) => [...text.matchAll(/\/money\/transfers\/(\d+)/g)].map(([, id]) => Number(id))
  assert.equal(ids(first.text).length, 50)
  const [, next] = /rel="next" href="([^"]*)"/.exec(first.text)!
  const second = await finance.get(next!.replaceAll('&amp;', '&'))
  const all = [...ids(first.text), ...ids(second.text)]
  assert.deepEqual(
    all,
    [...new Set(all)].sort((a, b) => a - b),
  )
  assert.equal(all.length, 62)
  assert.match(second.text, /Back to the beginning/)
})
