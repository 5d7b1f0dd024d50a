import assert from 'node:assert/strict'
import { test } from 'node:test'
import { search } from '../../../../src/web/console/search/find-everywhere.ts'
import { amountOrdersMax } from '../../../../src/web/console/search/search-store.ts'
import { cloneDatabase } from '../../../support/database.ts'
import { assertPlans, planReader, type ReadPlan } from '../../../support/read-plans.ts'
import { bigRow, seedBigDatabase } from '../../../support/seed-big.ts'

const { pool } = await cloneDatabase()
const { big, small } = await seedBigDatabase(pool)
const { db, plans } = await planReader(pool)

test('every search reads by indexes, for one with nearly all records, for one with few, and for all', async () => {
  const [order] = (
    await pool.query(
      `select o.ordersn, l.token, d.address from recharge_order o join pay_link l on l.order_id = o.id
         join deposit_address d on d.id = o.deposit_address_id where o.orderid = $1`,
      [bigRow.orderid(7_000)],
    )
  ).rows
  const [seen] = (await pool.query('select txid from seen_transfer limit 1')).rows
  const [quarantined] = (await pool.query('select txid from quarantine limit 1')).rows
  const texts: [text: string, found: number][] = [
    [bigRow.orderid(7_000), 1],
    [order.ordersn, 1],
    [`https://pay.example/pay/${order.token.toString('base64url')}`, 1],
    // The address's text has the form of one and no checksum: it is looked up below.
    [bigRow.txid(7_000), 1],
    [bigRow.txid(28_000), 1],
    [seen.txid, 1],
    [quarantined.txid, 0],
    [bigRow.key(7_000), 1],
    [bigRow.user(7_000), 1],
    // Of an order that is not among the newest, and of a transfer that waits.
    ['70', 0],
    ['309.99 USDT', 1],
    ['nothing that is there', 0],
    ['ab'.repeat(32), 0],
    ['TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', 0],
  ]
  for (const [text, found] of texts) {
    assert.equal((await search(db, big, text)).hits.length, found, text)
    assert.equal((await search(db, small, text)).hits.length, 0, text)
    const all = await search(db, null, text)
    assert.equal(all.hits.length, text === quarantined.txid ? 1 : found, text)
  }
  // A bounded look at what is newest costs the most; an id, a few rows and a look-up for each merchant.
  const looksAtAmounts = ({ text }: ReadPlan) => /received = \$2|waiting_transfer order by/.test(text)
  const amounts = plans.filter(looksAtAmounts)
  assert.equal(amounts.length, 2 * 2 * 3)
  assertPlans(amounts, amountOrdersMax + 100)
  assertPlans(
    plans.filter(plan => !looksAtAmounts(plan)),
    100,
  )
})

test('a merchant with few orders finds them by their amount, however many newer ones others have', async () => {
  plans.length = 0
  const amount = (25_000 / 100).toFixed(2)
  assert.equal((await search(db, small, amount)).hits.length, 1)
  assertPlans(plans, 2_100)
})

test('a plan that reads a table from one end to the other is noticed', async () => {
  plans.length = 0
  await db.query('select count(*) from recharge_order where username = $1', ['nobody'])
  assert.deepEqual(plans[0]!.scanned, ['recharge_order'])
  assert(plans[0]!.rows >= 25_000)
})
