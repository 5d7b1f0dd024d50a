import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addAddress, addOrder, creditedChain } from '../credits/credited-chain.ts'
import { copyDatabase } from '../support/copy-database.ts'
import { seedMerchant } from '../support/seed-merchant.ts'
import { differencesOf, tamper } from './audited-database.ts'

// u1's deposits are transfers 1, 2 and 3: the second announces nothing, the third the rest of both. u2's order is paid by 4.
const it = await creditedChain('deposits')
await it.pool.query('update merchant set deposits = true')
const [u1, u2] = [await addAddress(it.pool, 'u1'), await addAddress(it.pool, 'u2')]
await addOrder(it.pool, 'u2', 'o-1', 3_000_000, 0)
await seedMerchant(it.pool, { appid: 'Other0therOther1', callbackUrl: 'https://other.example/cb' })
await it.credit([
  it.block(3, [[{ toBytes: u1, units: 1_000_050n }]]),
  it.block(6, [[{ toBytes: u1, units: 40n }], [{ toBytes: u1, units: 10n }]]),
  it.block(9, [[{ toBytes: u2, units: 3_000_000n }]]),
])
const url = it.pool.options.connectionString!

test('deposits are clean, and no difference between what arrived and what was credited', async () => {
  const { checks, said } = await differencesOf(it.pool)
  assert.deepEqual(checks, {}, said)
  const { rows } = await it.pool.query(
    `select arrived_units, credited_units, received_units, deposited_units, announced, due
       from report.audit_merchants where appid <> 'Other0therOther1'`,
  )
  assert.deepEqual(rows, [
    {
      ...{ arrived_units: 4_000_100n, credited_units: 3_000_000n, received_units: 3_000_000n },
      ...{ deposited_units: 1_000_100n, announced: 40_001n, due: 3n },
    },
  ])
})

const seeded: [what: string, sql: string, found: Record<string, number>, named: RegExp][] = [
  [
    'a deposit deleted',
    'delete from credit where transfer_id = 1',
    {
      'transfer.settled': 1,
      'credit.received': 2,
      'callback.credit': 1,
      'callback.amount': 1,
      'callback.facts': 1,
      'merchant.sums': 1,
    },
    /4000100 units arrived, 0 of them wait, 50 are deposits, 3000000 are credited/,
  ],
  [
    'a deposit of another amount',
    'update credit set amount = 41 where transfer_id = 2',
    { 'credit.amount': 1, 'credit.received': 2, 'callback.facts': 1, 'merchant.sums': 1 },
    /:0 at T\w{33}: its received is 1000090 units, the sum of its address's deposits up to it is 1000091/,
  ],
  [
    'a remainder that was lost',
    'update credit set received = 1000040 where transfer_id = 2',
    { 'credit.received': 1 },
    /its received is 1000040 units/,
  ],
  [
    'a deposit at another address',
    'update credit set deposit_address_id = 2 where transfer_id = 1',
    { 'deposit.address': 1, 'credit.received': 2, 'callback.amount': 1, 'callback.facts': 1 },
    /is a deposit at another address, or at nobody's/,
  ],
  [
    'a deposit at an address that is nobody’s',
    `update deposit_address set localusermark = '' where id = 1`,
    { 'deposit.address': 3 },
    /is a deposit at another address, or at nobody's/,
  ],
  [
    'a transfer that is a deposit and credited',
    `alter table credit drop constraint credit_transfer_id_key;
     insert into credit (transfer_id, order_id, amount, received, late) select transfer_id, 1, amount, amount, false from credit where transfer_id = 2;
     update transfer set deposit_address_id = 2 where id = 2;`,
    {
      'deposit.only': 2,
      'deposit.address': 1,
      'credit.received': 1,
      'order.received': 1,
      'merchant.sums': 1,
    },
    /has more than one credit or deposit/,
  ],
  [
    'a deposit that is an order’s credit too',
    `alter table credit drop constraint credit_owner;
     update credit set deposit_address_id = 2 where transfer_id = 4;`,
    { 'deposit.only': 1, 'callback.key': 1, 'merchant.sums': 1 },
    /is credited to an order and a deposit at once/,
  ],
  [
    'a credit of nobody',
    `alter table credit drop constraint credit_owner;
     update credit set deposit_address_id = null where transfer_id = 2;`,
    {
      'deposit.only': 1,
      'credit.order': 1,
      'credit.received': 2,
      'callback.amount': 1,
      'callback.facts': 1,
      'merchant.sums': 1,
    },
    /has a credit that is neither an order's nor a deposit/,
  ],
  [
    'an announcement too few',
    `delete from callback_outbox where callback_id = 1;
     delete from callback where id = 1;`,
    { 'callback.missing': 1 },
    /has 10000 \(1\/10000 USDT\) to announce and no callback/,
  ],
  [
    'an announcement of another amount',
    'update callback set body_amount = 9999 where id = 1',
    { 'callback.amount': 1 },
    /announces 9999 instead of 10000/,
  ],
  [
    'the key of an order’s callback',
    `alter table callback drop constraint callback_owner;
     update callback set key = 'cb_' || right(key, 32) where id = 1`,
    { 'callback.key': 1 },
    /has the key cb_[0-9a-f]{32} instead of dp_/,
  ],
  [
    'a deposit announced to another merchant',
    `update callback set merchant_id = (select id from merchant where appid = 'Other0therOther1') where id = 1`,
    { 'callback.facts': 1, 'callback.owed': 1 },
    /dp_[0-9a-f]{32} has another order, merchant/,
  ],
  [
    'a deposit announced of an order',
    `alter table callback drop constraint callback_owner;
     update callback set order_id = 1 where id = 1`,
    { 'callback.facts': 1, 'order.callbacks': 1 },
    /dp_[0-9a-f]{32} has another order/,
  ],
  [
    'a deposit that waits, too',
    `insert into waiting_transfer (transfer_id, deposit_address_id, reason, merchant_id)
     select 1, id, 'unclaimed', merchant_id from deposit_address where id = 1`,
    { 'transfer.settled': 1, 'merchant.sums': 1 },
    /has a credit and also waits: unclaimed/,
  ],
]
for (const [what, sql, found, named] of seeded) {
  test(`found and named: ${what}`, async () => {
    const { pool } = await copyDatabase(url)
    await tamper(pool, sql)
    const { checks, said } = await differencesOf(pool)
    assert.deepEqual(checks, found, said)
    assert.match(said, named)
  })
}
