import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openConsoleUnderTest } from '../../support/console-under-test.ts'
import { seedAttempt, seedCallback } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

const center = await openConsoleUnderTest()
const { pool } = center
const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
const other = await seedMerchant(pool, { callbackUrl: 'https://other.example/cb' })
const owner = await center.addPerson('owner@example.com', {
  roles: [[merchant, 'owner']],
  name: 'Ann <owner>',
})
const stranger = await center.addPerson('stranger@example.com', { roles: [[other, 'owner']] })
const support = await center.addPerson('support@example.com', { roles: [[merchant, 'support']] })

async function paid(orderid?: string) {
  const callback = await seedCallback(pool, { merchant, ...(orderid && { orderid }) })
  const { rows } = await pool.query('select ordersn from recharge_order where id = $1', [callback.orderId])
  return { ...callback, path: `/console/orders/${rows[0].ordersn}` }
}

test('an order shows what happened to it, with its pay page, to the people of its merchant alone', async () => {
  const { path, callbackId, key } = await paid('sh-<1>')
  await seedAttempt(pool, {
    callbackId,
    outcome: 'refused',
    status: 503,
    answer: `<script>alert(1)</script>`,
    scheduleStep: 0,
    retryInMs: 3_600_000,
  })
  const visit = await center.signedIn(owner)
  const page = await visit.get(path)
  assert.equal(page.status, 200)
  assert.match(page.text, /<h1>Order sh-&lt;1><\/h1>/)
  assert.match(page.text, /&lt;script>alert\(1\)/)
  assert.doesNotMatch(page.text, /<script>alert/)
  assert.match(page.text, /1\.0 h|1 h|60 min/)
  assert.match(page.text, /as the endpoint asked by Retry-After/)
  assert.match(page.text, new RegExp(`href="/console/callbacks/${key}"`))
  assert.match(page.text, /href="https:\/\/pay\.example\/pay\/[\w-]{22}"/)
  assert.match(page.text, /<svg[^>]*aria-label="QR code of the address"/)
  assert.equal((await (await center.signedIn(stranger)).get(path)).status, 404)
  for (const wrong of ['/console/orders/cz-none', `${path}%00`, `${path}'`])
    assert.equal((await visit.get(wrong)).status, 404, wrong)
  const chinese = await visit.get(`${path}?lang=zh`)
  assert.match(chinese.text, /订单经过|What happened/)
})

test('a paid order shows when its payment was first seen, where that is known', async () => {
  const { path, orderId } = await paid()
  const visit = await center.signedIn(owner)
  assert.doesNotMatch((await visit.get(path)).text, /First seen/)
  await pool.query(
    `insert into first_seen (transfer_id, seen_at)
     select transfer_id, '2026-03-04T05:06:07Z' from credit where order_id = $1`,
    [orderId],
  )
  const { text } = await visit.get(path)
  assert.match(text, /First seen[\s\S]{0,200}2026-03-04T05:06:07/)
  assert(text.indexOf('First seen') < text.indexOf('Credited'))
})

test('a note is added by whoever may, shown as text, and stays in the form when it is too long', async () => {
  const { path } = await paid()
  const visit = await center.signedIn(owner)
  await visit.get(path)
  const text = `called them\r\n<b>'"& 元 😀\u0000`
  const added = await visit.post(`${path}/notes`, { text })
  assert.equal(added.location, `${path}?done=noted`)
  const shown = await visit.get(added.location!)
  assert.match(shown.text, /The note was added/)
  assert.match(
    shown.text,
    /called them\n&lt;b>'"&amp; 元 😀<|called them\n&lt;b&gt;&#39;&quot;&amp; 元 😀<|called them\n&lt;b>'&quot;&amp; 元 😀</,
  )
  assert.match(shown.text, /Ann &lt;owner/)
  for (const wrong of ['', '  \n', 'x'.repeat(2_001)]) {
    const refused = await visit.post(`${path}/notes`, { text: wrong })
    assert.equal(refused.status, 400)
    assert.match(refused.text, /Write 1 to 2 000 characters/)
  }
  assert.equal((await visit.post(`${path}/notes`, { text: '元'.repeat(2_000) })).status, 303)
  const notes = await pool.query('select author from order_note')
  // Two people may have one name.
  assert.deepEqual(notes.rows, Array(2).fill({ author: 'Ann <owner> <owner@example.com>' }))
  const audit = await pool.query(`select actor, merchant_id from audit_event where action = 'order.noted'`)
  assert.deepEqual(
    audit.rows,
    Array(2).fill({ actor: 'Ann <owner> <owner@example.com>', merchant_id: merchant.id }),
  )
})

test('who may only look gets no forms, and cannot send them either', async () => {
  const { path } = await paid()
  const visit = await center.signedIn(support)
  const page = await visit.get(path)
  assert.equal(page.status, 200)
  assert.doesNotMatch(page.text, /\/(resend|notes)"/)
  for (const what of ['resend', 'notes'])
    assert.equal((await visit.post(`${path}/${what}`, { text: 'x' })).status, 404)
  const foreign = await center.signedIn(stranger)
  for (const what of ['resend', 'notes'])
    assert.equal((await foreign.post(`${path}/${what}`, { text: 'x' })).status, 404)
})

test("resending makes the order's callbacks due, once for each form, and records by whom", async () => {
  const { path, callbackId } = await paid()
  await pool.query(
    `update callback_outbox set due_at = now() + interval '1 hour', schedule_step = 3 where callback_id = $1`,
    [callbackId],
  )
  const visit = await center.signedIn(owner)
  await visit.get(path)
  assert.equal((await visit.post(`${path}/resend`, {}, { csrf: false })).status, 403)
  const sent = await visit.post(`${path}/resend`)
  assert.equal(sent.location, `${path}?done=resent`)
  assert.match((await visit.get(sent.location!)).text, /are due now/)
  const { rows } = await pool.query(
    `select due_at <= now() as due, schedule_step from callback_outbox where callback_id = $1`,
    [callbackId],
  )
  assert.deepEqual(rows, [{ due: true, schedule_step: 0 }])
  const audit = await pool.query(`select actor from audit_event where action = 'order.callbacks_resent'`)
  assert.deepEqual(audit.rows, [{ actor: 'Ann <owner> <owner@example.com>' }])
})

test('a person sends again no more in a minute than the API lets a merchant', async () => {
  const { path } = await paid()
  const visit = await center.signedIn(owner)
  await visit.get(path)
  // Without the checks of references.
  await pool.query(
    `begin;
     set local session_replication_role = replica;
     insert into callback (key, merchant_id, order_id, credit_id, body_amount, received, order_state, late, lane_id)
     select 'cb_' || md5(n::text), c.merchant_id, c.order_id, c.id + 1000000 + n, 1, 1, 'paid', false, c.lane_id
       from callback c, generate_series(1, 999) n
      where c.order_id = (select id from recharge_order where ordersn = '${path.split('/').at(-1)}');
     commit`,
  )
  const statuses = []
  for (let n = 0; n < 11; n++) statuses.push((await visit.post(`${path}/resend`)).status)
  assert.deepEqual([statuses[0], statuses.at(-1)], [303, 429])
})

test('an order of an older version gets its link when it is looked at', async () => {
  const { path, orderId } = await paid()
  await pool.query('delete from pay_link where order_id = $1', [orderId])
  const page = await (await center.signedIn(owner)).get(path)
  assert.match(page.text, /https:\/\/pay\.example\/pay\/[\w-]{22}/)
  assert.equal((await pool.query('select from pay_link where order_id = $1', [orderId])).rowCount, 1)
})
