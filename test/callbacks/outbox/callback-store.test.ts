import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import type { CreditId } from '../../../src/base/ids.ts'
import { legacy, usdt } from '../../../src/base/money.ts'
import { dueChannel, insertCallbacks, originOf } from '../../../src/callbacks/outbox/callback-store.ts'
import { inTransaction } from '../../../src/db/pool.ts'
import { cloneDatabase } from '../../support/database.ts'
import { seedCallback, seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'
import { waitUntil } from '../../support/wait-until.ts'

test("a URL's origin is its scheme, host and port, default ports spelled out", () => {
  const cases: [url: string | null, origin: string][] = [
    ['https://shop.example/cb?a=1', 'https://shop.example:443'],
    ['https://SHOP.example:443', 'https://shop.example:443'],
    ['https://shop.example:8443/', 'https://shop.example:8443'],
    ['http://127.0.0.1/', 'http://127.0.0.1:80'],
    ['http://2130706433:8080/', 'http://127.0.0.1:8080'],
    ['https://[2606:4700::1111]/', 'https://[2606:4700::1111]:443'],
    [null, 'none'],
    ['not a URL', 'none'],
  ]
  for (const [url, origin] of cases) assert.equal(originOf(url), origin, `${url}`)
})

test('callbacks of one merchant and origin share a lane, others have their own', async () => {
  const { pool } = await cloneDatabase()
  const [a, b] = [await seedMerchant(pool), await seedMerchant(pool)]
  await seedCallbacks(pool, [
    { merchant: a, notifyUrl: 'https://one.example/x' },
    { merchant: a, notifyUrl: 'https://one.example/y' },
    { merchant: a, notifyUrl: 'https://two.example/' },
    { merchant: b, notifyUrl: 'https://one.example/x' },
    { merchant: b },
  ])
  await seedCallback(pool, { merchant: a, notifyUrl: 'https://one.example/z' })
  const { rows } = await pool.query(
    `select l.merchant_id, l.origin, count(*)::int as callbacks
       from callback_lane l
       join callback c on c.lane_id = l.id
      group by l.id
      order by 1, 2`,
  )
  assert.deepEqual(rows, [
    { merchant_id: a.id, origin: 'https://one.example:443', callbacks: 3 },
    { merchant_id: a.id, origin: 'https://two.example:443', callbacks: 1 },
    { merchant_id: b.id, origin: 'https://one.example:443', callbacks: 1 },
    { merchant_id: b.id, origin: 'none', callbacks: 1 },
  ])
})

test("a disabled merchant's callbacks are written held, the others due now", async () => {
  const { pool } = await cloneDatabase()
  const disabled = await seedMerchant(pool, { disabledAt: new Date() })
  const enabled = await seedMerchant(pool)
  await seedCallbacks(pool, [{ merchant: disabled }, { merchant: enabled }])
  const { rows } = await pool.query(
    `select b.state, c.attempts, b.due_at <= now() as now
       from callback c
       join callback_outbox b on b.callback_id = c.id
      order by c.id`,
  )
  assert.deepEqual(rows, [
    { state: 'held', attempts: 0, now: true },
    { state: 'due', attempts: 0, now: true },
  ])
})

test('couriers are notified once at commit, and not when nothing was written or it was rolled back', async () => {
  const { pool, url } = await cloneDatabase()
  const merchant = await seedMerchant(pool)
  const listener = new pg.Client({ connectionString: url })
  await listener.connect()
  let notices = 0
  listener.on('notification', () => notices++)
  await listener.query(`listen ${dueChannel}`)
  await inTransaction(pool, tx => insertCallbacks(tx, []))
  const failed = inTransaction(pool, async tx => {
    await tx.query(`select pg_notify($1, '')`, [dueChannel])
    throw new Error('rolled back')
  })
  await assert.rejects(failed, /rolled back/)
  await seedCallbacks(pool, [{ merchant }, { merchant }, { merchant }])
  await waitUntil('a notice', () => notices > 0)
  // Notifications sent before this answer arrive before it.
  await listener.query('select 1')
  assert.equal(notices, 1)
  await listener.end()
})

test('the same key is written once: a second callback for a transfer fails', async () => {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool)
  const seeded = await seedCallback(pool, { merchant })
  const again = inTransaction(pool, tx =>
    insertCallbacks(tx, [
      {
        key: seeded.key,
        merchantId: merchant.id,
        orderId: seeded.orderId,
        creditId: 1n as CreditId,
        bodyAmount: legacy(1n),
        received: usdt(100n),
        orderState: 'paid',
        late: false,
        origin: 'none',
      },
    ]),
  )
  await assert.rejects(again, { code: '23505' })
})

test('concurrent transactions make the lanes they need once, in whatever order they name them', async () => {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool)
  const urls = Array.from({ length: 20 }, (_, i) => `https://shop${i}.example/`)
  await Promise.all(
    Array.from({ length: 6 }, (_, i) =>
      seedCallbacks(
        pool,
        (i % 2 ? urls : urls.toReversed()).map(notifyUrl => ({ merchant, notifyUrl })),
      ),
    ),
  )
  const { rows } = await pool.query(`select count(*)::int as lanes from callback_lane`)
  assert.equal(rows[0].lanes, urls.length)
})
