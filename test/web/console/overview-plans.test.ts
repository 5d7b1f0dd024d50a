import { test } from 'node:test'
import type { MerchantId } from '../../../src/base/ids.ts'
import { addToDays, sumDays } from '../../../src/credits/money-day-store.ts'
import { readStatus } from '../../../src/credits/read-status.ts'
import {
  listMerchantRows,
  readUnderWay,
  underWayMax,
} from '../../../src/web/console/merchants/merchants-store.ts'
import {
  countOrders,
  deliveriesMax,
  readDeliveries,
  readOwed,
  readWaitingMoney,
} from '../../../src/web/console/overview/overview-store.ts'
import { cloneDatabase } from '../../support/database.ts'
import { assertPlans, planReader } from '../../support/read-plans.ts'
import { seedBigDatabase } from '../../support/seed-big.ts'

const { pool } = await cloneDatabase()
const { big, small } = await seedBigDatabase(pool)
const week = 7 * 24 * 12

async function readsAtMost(
  rowsMax: number,
  read: (db: Awaited<ReturnType<typeof planReader>>['db']) => Promise<unknown>,
) {
  const { db, plans } = await planReader(pool)
  await read(db)
  assertPlans(plans, rowsMax)
}

for (const [what, scope] of [
  ['a large merchant', big],
  ['a small one', small],
  ['all', null],
] as readonly [string, MerchantId | null][]) {
  test(`the overview of ${what} scans no table`, async () => {
    await readsAtMost(1_000, db => readOwed(db, scope))
    await readsAtMost(deliveriesMax + 10, db => readDeliveries(db, scope))
    // The orders of a week, and of each merchant those of none.
    await readsAtMost(week + 200, db => countOrders(db, scope))
  })
}

test('what waits of a merchant is summed up without what waits of others', async () => {
  await readsAtMost(100, db => readWaitingMoney(db, small))
})

test('the list of merchants reads the orders of a day, and of each merchant the first due callbacks', async () => {
  await readsAtMost(24 * 12 + 1_000, db => listMerchantRows(db, { text: '', before: null, limit: 51 }))
})

test('what is under way for a merchant is counted by indexes, up to a limit', async () => {
  await readsAtMost(2 * (underWayMax + 1) + 200, db => readUnderWay(db, small))
  await pool.query(`update recharge_order set received = 0, announced = 0 where merchant_id = $1`, [big])
  await pool.query('analyze recharge_order')
  await readsAtMost(underWayMax + 200, db => readUnderWay(db, big))
})

test('sums by day read the days that are kept, and what was recorded since', async () => {
  while (await addToDays(pool)) {}
  await pool.query('analyze money_day')
  const from = new Date(Date.now() - 29 * 86_400_000)
  for (const scope of [big, small, null]) await readsAtMost(200, db => sumDays(db, scope, from))
})

test('the status counts what waits up to a limit, and scans no table', async () => {
  await pool.query('analyze waiting_transfer, quarantine')
  await readsAtMost(1_100, db => readStatus(db, new Date(), 1_000))
})
