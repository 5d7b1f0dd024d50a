import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MerchantId, TransferId } from '../../../../src/base/ids.ts'
import { listHeld, listPending } from '../../../../src/credits/list-waiting.ts'
import { listMarks, listMarksOf } from '../../../../src/credits/mark-store.ts'
import { listUnclaimedPage } from '../../../../src/credits/unclaimed-store.ts'
import { listDiscrepancies } from '../../../../src/transfers/discrepancy-store.ts'
import { listQuarantined } from '../../../../src/transfers/quarantine-store.ts'
import {
  findConsoleAddress,
  readAddresses,
} from '../../../../src/web/console/addresses/address-list-store.ts'
import {
  latestOrdersOf,
  readMoneyOrder,
  readMoneyTransfer,
  readTransaction,
} from '../../../../src/web/console/money/money-store.ts'
import { cloneDatabase } from '../../../support/database.ts'
import { assertPlans, planReader } from '../../../support/read-plans.ts'
import { bigRow, seedBigDatabase } from '../../../support/seed-big.ts'

// Of the big merchant 6 000 transfers are unclaimed, and 25 000 credited ones are marked. The small one has ten orders, the last: of it
// two transfers are unclaimed, one is held, quarantined, marked and doubted. Open proofs and discrepancies are the big one's.
const { pool } = await cloneDatabase()
const { big, small } = await seedBigDatabase(pool)
const { rows: smalls } = await pool.query<{ transferId: TransferId; addressId: bigint; address: string }>(
  `select t.id as "transferId", a.id as "addressId", a.address
     from transfer t
     join deposit_address a on a.id = t.deposit_address_id
    where a.merchant_id = $1
    order by t.id`,
  [small],
)
await pool.query(
  `insert into waiting_transfer (transfer_id, deposit_address_id, reason)
   select id, deposit_address_id, (array['unclaimed', 'unclaimed', 'held', 'quarantined'])[row_number() over (order by id)]
     from transfer where id = any($1)`,
  [smalls.slice(0, 4).map(({ transferId }) => transferId)],
)
await pool.query(
  `insert into quarantine (txid, log_index, block_height, tx_index, reason, log, transfer_id)
   select txid, log_index, block_height, 0, 'too large', '{}', id from transfer where id = $1`,
  [smalls[3]!.transferId],
)
await pool.query(
  `insert into money_mark (kind, merchant_id, transfer_id, amount, reason, made_by)
   select 'correction', o.merchant_id, c.transfer_id, 1, 'why', 'who'
     from credit c join recharge_order o on o.id = c.order_id order by c.id desc`,
)
await pool.query(
  `insert into discrepancy (kind, subject, detail, resolved_at)
   select 'balance_excess', a.address, '{}', case when n < 6000 then now() end
     from (select address, row_number() over (order by id) as n from deposit_address) a where n % 4 = 0`,
)
await pool.query(
  `insert into pending_proof (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index, node, hosts)
   select 'c' || lpad(to_hex(block_height), 63, '0'), 0, deposit_address_id, from_address, amount, block_height, 'hash', now(), 0, 'n', '{n}'
     from transfer where id % 100 = 0`,
)
await pool.query('analyze')

const limit = 51
const scopes: [string, MerchantId | null][] = [
  ['a large merchant', big],
  ['a small one', small],
  ['all', null],
]

/**
 * Reads with the plans of all statements, none of which may read more rows than so many. The few merchants count too: Postgres
 * reads them whole where it joins one.
 */
async function reads<T>(rowsMax: number, read: (db: typeof pool) => Promise<T>): Promise<T> {
  const { db, plans } = await planReader(pool)
  const found = await read(db as typeof pool)
  assertPlans(plans, rowsMax)
  return found
}

for (const [whose, merchantId] of scopes) {
  test(`the lists of money of ${whose} are read by indexes, on the first page and in the middle`, async () => {
    const full = merchantId === small ? 2 : limit
    const first = await reads(5 * limit, db => listUnclaimedPage(db, { merchantId, after: null, limit }))
    assert.equal(first.length, full)
    const after = first.at(-1)!.id
    const second = await reads(5 * limit, db => listUnclaimedPage(db, { merchantId, after, limit }))
    assert.equal(second.length, merchantId === small ? 0 : limit)

    const held = await reads(5 * limit, db => listHeld(db, { merchantId, after: null, limit }))
    assert.equal(held.length, merchantId === big ? 0 : 1)
    const quarantined = await reads(5 * limit, db => listQuarantined(db, { merchantId, after: null, limit }))
    assert.equal(quarantined.length, merchantId === null ? limit : merchantId === small ? 1 : 0)

    const marks = await reads(15 * limit, db => listMarks(db, { merchantId, after: null, limit }))
    assert.equal(marks.length, merchantId === small ? 10 : limit)
    const older = await reads(15 * limit, db => listMarks(db, { merchantId, after: marks.at(-1)!.id, limit }))
    assert.equal(older.length, merchantId === small ? 0 : limit)
  })

  test(`addresses of ${whose} are read by indexes, from the first on, further down and of one user`, async () => {
    const read = (user: string | null, after: Parameters<typeof readAddresses>[1]['after']) =>
      reads(10 * limit, db => readAddresses(db, { scope: merchantId, user, after, limit }))
    const first = await read(null, null)
    assert.equal(first.length, merchantId === small ? 10 : limit)
    await read(null, first.at(-1)!)
    await read(bigRow.user(7_000), null)
    const { address } = first[0]!
    const one = await reads(200, db => findConsoleAddress(db, address, merchantId))
    assert.equal(one!.address, address)
  })

  test(`a transfer, its marks and a transaction of ${whose} are read by their keys`, async () => {
    const id = merchantId === big ? 7_000n : smalls[0]!.transferId
    const transfer = await reads(200, db => readMoneyTransfer(db, id, merchantId))
    assert.equal(transfer!.id, id)
    assert.equal((await reads(200, db => listMarksOf(db, { transferId: transfer!.id }))).length, 1)
    assert.equal((await reads(200, db => readTransaction(db, transfer!.txid, merchantId))).length, 1)
    const [latest] = await reads(200, db => latestOrdersOf(db, transfer!))
    assert.equal(latest!.merchantId, transfer!.merchantId)
    const order = await reads(200, db => readMoneyOrder(db, latest!.ordersn, merchantId))
    assert.equal(order!.id, latest!.id)
    assert.equal((await reads(200, db => listMarksOf(db, { orderId: order!.id }))).length, 0)
  })
}

test('what is open for admins alone is read by indexes, of all merchants, and within what is open of one', async () => {
  const open = await reads(5 * limit, db => listDiscrepancies(db, { merchantId: null, after: null, limit }))
  assert.equal(open.length, limit)
  const next = { merchantId: null, after: open.at(-1)!.id, limit }
  assert.equal((await reads(5 * limit, db => listDiscrepancies(db, next))).length, limit)
  assert.equal(
    (await reads(5 * limit, db => listPending(db, 'waits', { ...next, after: null }))).length,
    limit,
  )
})
