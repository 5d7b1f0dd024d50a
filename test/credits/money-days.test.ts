import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addToDays, readMoneyDays } from '../../src/credits/money-day-store.ts'
import { run } from '../../src/db/pool.ts'
import { readStatement } from '../../src/orders/statement-store.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedAddress } from '../support/seed.ts'
import { seedCallback, seedDeposit } from '../support/seed-callback.ts'
import { seedMerchant } from '../support/seed-merchant.ts'
import { seedTransfer, seedTransfers } from '../support/seed-transfer.ts'

const from = new Date('2031-03-01T00:00:00Z')

test('days are sums of what was recorded, whether they are kept, partly kept or not yet', async () => {
  const { pool } = await cloneDatabase()
  const shop = await seedMerchant(pool, { deposits: true, callbackUrl: 'https://shop.example/cb' })
  const other = await seedMerchant(pool)
  const { addressId } = await seedAddress(pool, { merchantId: shop.id })
  const elsewhere = await seedAddress(pool, { merchantId: other.id, localusermark: 'u2' })
  const pay = (blockTime: string, amount: bigint, at = addressId) =>
    seedTransfer(pool, { addressId: at, amount, blockTime: new Date(blockTime) })
  await pay('2031-02-28T23:59:59Z', 1_000_000n)
  await pay('2031-03-01T00:00:00Z', 2_000_000n)
  await pay('2031-03-01T23:59:59.999Z', 3_500_001n)
  await pay('2031-03-03T08:00:00Z', 7_000_000n, elsewhere.addressId)
  const deposited = { blockTime: new Date('2031-03-03T00:00:00Z'), amount: 40_000_099n }
  await seedDeposit(pool, { merchant: shop, addressId, ...deposited })
  await pool.query(`alter table callback disable trigger user`)
  await pool.query(`update callback set created_at = '2031-03-04T00:00:01Z'`)
  const { transferId } = await pay('2031-03-05T12:00:00Z', 5_000_000n)
  const expected = [
    { day: '2031-03-01', transfers: 2n, received: 5_500_001n, callbacks: 0n, announced: 0n },
    { day: '2031-03-03', transfers: 1n, received: 40_000_099n, callbacks: 0n, announced: 0n },
    { day: '2031-03-04', transfers: 0n, received: 0n, callbacks: 1n, announced: 400_000n },
    { day: '2031-03-05', transfers: 1n, received: 5_000_000n, callbacks: 0n, announced: 0n },
  ]
  const all = expected.map(one =>
    one.day === '2031-03-03' ? { ...one, transfers: 2n, received: 47_000_099n } : one,
  )
  const check = async (what: string) => {
    assert.deepEqual(await readMoneyDays(pool, shop.id, from), expected, what)
    assert.deepEqual(await readMoneyDays(pool, null, from), all, `${what}, all merchants`)
  }
  await check('none is kept')
  for (let added = 1; await addToDays(pool, 1); added++) await check(`${added} of each are kept`)
  await check('all are kept')
  assert.equal(await addToDays(pool), false)
  await check('nothing was new')
  const { rows } = await pool.query(
    `select sum(received) as received, sum(announced) as announced from money_day`,
  )
  assert.deepEqual(rows, [{ received: '58500100', announced: '400000' }])

  // A late find: read again, a block of long ago shows a transfer.
  await pay('2031-03-01T05:00:00Z', 1n)
  expected[0] = { ...expected[0]!, transfers: 3n, received: 5_500_002n }
  all[0] = expected[0]
  await check('one of before was found')
  await addToDays(pool)
  await check('and is kept')
  // What is rejected does not count, and counts again once that is taken back.
  await run(pool, `insert into rejection (transfer_id, reason, rejected_by) values ($1, 'no', 'test')`, [
    transferId,
  ])
  const gone = expected.pop()!
  all.pop()
  await check('one was rejected')
  await run(pool, `delete from rejection`)
  expected.push(gone)
  all.push(gone)
  await check('and taken up')
})

test('the days are those of the statement', async () => {
  const { pool } = await cloneDatabase()
  const shop = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
  for (const amount of [1_000_000n, 25_990_000n, 399n]) await seedCallback(pool, { merchant: shop, amount })
  await addToDays(pool)
  await seedCallback(pool, { merchant: shop, amount: 12_345_678n })
  const start = new Date(Date.now() - 3 * 86_400_000)
  const { days } = await readStatement(pool, shop.id, start, new Date(Date.now() + 86_400_000))
  const kept = await readMoneyDays(pool, shop.id, start)
  assert.deepEqual(
    kept.map(({ day, transfers, received, announced }) => ({ day, transfers, received, announced })),
    days.map(({ day, transfers, received, announced }) => ({ day, transfers, received, announced })),
  )
  assert.equal(
    kept.reduce((sum, { received }) => sum + received, 0n),
    39_336_077n,
  )
})

test('of several that add at once, each transfer is added by one', async () => {
  const { pool } = await cloneDatabase()
  const shop = await seedMerchant(pool)
  const { addressId } = await seedAddress(pool, { merchantId: shop.id })
  await seedTransfers(
    pool,
    Array.from({ length: 40 }, () => ({ addressId, amount: 1n, blockTime: new Date('2031-03-02') })),
  )
  const work = async () => {
    for (let i = 0; i < 30; i++) await addToDays(pool, 3)
  }
  await Promise.all([work(), work(), work()])
  const { rows } = await pool.query(`select transfers::int, received::int from money_day`)
  assert.deepEqual(rows, [{ transfers: 40, received: 40 }])
})
