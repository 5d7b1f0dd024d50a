import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usdt } from '../../../../src/base/money.ts'
import type { OrderListFilter, OrderPlace } from '../../../../src/web/console/orders/order-filter.ts'
import {
  readOrderCells,
  readOrderPage,
  scanMax,
} from '../../../../src/web/console/orders/order-list-store.ts'
import { cloneDatabase } from '../../../support/database.ts'
import { assertPlans, planReader } from '../../../support/read-plans.ts'
import { bigRow, seedBigDatabase } from '../../../support/seed-big.ts'

const { pool } = await cloneDatabase()
const { big, small } = await seedBigDatabase(pool)
const { db, plans } = await planReader(pool)
const limit = 50
const any: OrderListFilter = {
  state: null,
  order: null,
  localusermark: null,
  amount: null,
  from: null,
  to: null,
}

test('every filter reads by an index, on the first page and far down, for a merchant with all, with few, and for all', async () => {
  const dayMs = 86_400_000
  const from = new Date(Date.now() - 40 * dayMs)
  const times = { from, to: new Date(from.getTime() + dayMs) }
  const [{ micros, id }] = (
    await pool.query(
      `select (extract(epoch from created_at) * 1000000)::bigint as micros, id from recharge_order where orderid = $1`,
      [bigRow.orderid(2_000)],
    )
  ).rows
  const quick: Partial<OrderListFilter>[] = [
    {},
    { state: 'pending' },
    { state: 'underpaid' },
    { state: 'paid' },
    { state: 'overpaid' },
    { order: bigRow.orderid(7_000) },
    { localusermark: bigRow.user(7_000) },
    times,
    { ...times, state: 'paid' },
    { ...times, localusermark: bigRow.user(7_000) },
  ]
  const scanning: Partial<OrderListFilter>[] = [
    { amount: usdt(70_000_000n) },
    { state: 'late' },
    { state: 'paid', localusermark: bigRow.user(7_000) },
    { ...times, amount: usdt(1n) },
    { amount: usdt(1n), state: 'pending' },
  ]
  for (const filters of [quick, scanning]) {
    for (const scope of [big, small, null]) {
      for (const filter of filters) {
        for (const before of [null, { micros, id }]) {
          plans.length = 0
          await readOrderPage(db, scope, { ...any, ...filter }, { before, limit })
          // A page has 51 rows, each with its credits. Of all 32 merchants it may be 51 rows of each.
          const isMerged =
            scope === null &&
            (filter.state !== undefined || filter.localusermark !== undefined || filter.from)
          assertPlans(plans, filters === scanning ? 3.5 * scanMax : isMerged ? 32 * 60 + scanMax : 300)
        }
      }
    }
  }
  plans.length = 0
  const page = await readOrderPage(db, big, any, { before: null, limit: 1_000 })
  await readOrderCells(
    db,
    page.orders.map(one => one.id),
    'Asia/Shanghai',
  )
  assertPlans(plans, 7_000)
})

test('an amount that few orders have is found, however far down: each page looks at some and says where the next begins', async () => {
  const amount = usdt(70_000_000n)
  for (const scope of [big, null]) {
    const found: string[] = []
    let before: OrderPlace | null = null
    let pages = 0
    do {
      const page = await readOrderPage(pool, scope, { ...any, amount }, { before, limit })
      found.push(...page.orders.map(({ orderid }) => orderid))
      assert.equal(page.looked, page.next && scanMax)
      before = page.next
      pages++
    } while (before && pages < 20)
    assert.deepEqual(found, [bigRow.orderid(7_000)])
    assert.equal(pages, scope === null ? 6 : 5)
  }
})
