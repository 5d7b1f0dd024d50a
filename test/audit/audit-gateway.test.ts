import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditGateway } from '../../src/audit/audit-gateway.ts'
import { inSnapshot } from '../../src/audit/read-snapshot.ts'
import { UsageError } from '../../src/base/errors.ts'
import { copyDatabase } from '../support/copy-database.ts'
import { auditedDatabase, differencesOf, tamper } from './audited-database.ts'

// Each difference is written past triggers and foreign keys into a copy of one database that is in order. These rows are wrong
// on purpose, so they are written by hand and not by the seed kit.
const it = await auditedDatabase()
const url = it.pool.options.connectionString!

test('what the gateway wrote is clean; what waits and what is exhausted is shown', async () => {
  const { checks, merchants, open } = await auditGateway(it.pool, { appid: null, dueMaxS: 900 })
  assert.deepEqual(
    checks.filter(({ differences }) => differences > 0),
    [],
  )
  assert.deepEqual(
    merchants.map(({ name, ...sums }) => [name, ...Object.values(sums).map(String)]),
    [
      [
        'other shop',
        'Other0therOther1',
        ...['1', '1', '7000000', '0', '0', '0', '7000000', '0', '7000000', '0', '0', '70000', '0', '1', '0'],
      ],
      [
        'shop',
        'VunTq7Zk2Lm9h1l8',
        ...['3', '6', '66000100', '59000000', '0', '0', '7000100', '0', '7000100', '0', '0'],
        ...['70001', '10000', '1', '1'],
      ],
    ],
  )
  assert.deepEqual(open.unclaimed, { transfers: 1n, units: 9_000_000n })
  assert.deepEqual(open.held, { transfers: 1n, units: 50_000_000n })
  assert.equal(open.exhaustedCallbacks, 1n)
})

const seeded: [what: string, sql: string, found: Record<string, number>, named: RegExp][] = [
  [
    'a credit deleted',
    `delete from credit where transfer_id = 1`,
    {
      'transfer.settled': 1,
      'order.received': 1,
      'credit.received': 2,
      'callback.credit': 1,
      'callback.amount': 1,
      'callback.facts': 1,
      'merchant.sums': 1,
    },
    /order o-1: has received 1000100 units, its credits are 50$/m,
  ],
  [
    'a credit deleted that announced nothing',
    `delete from credit where transfer_id = 2`,
    {
      'transfer.settled': 1,
      'order.received': 1,
      'credit.received': 1,
      'callback.amount': 1,
      'callback.facts': 1,
      'merchant.sums': 1,
    },
    /transfer [0-9a-f]{64}:0: neither has a credit nor waits/,
  ],
  [
    'a credit added for a transfer that waits',
    `insert into credit (transfer_id, order_id, amount, received, late) values (3, 1, 9000000, 12000150, false)`,
    {
      'transfer.settled': 1,
      'credit.order': 1,
      'order.received': 1,
      'credit.received': 1,
      'callback.missing': 1,
      'merchant.sums': 1,
    },
    /has a credit and also waits: unclaimed/,
  ],
  [
    'a credit added for no transfer',
    `insert into credit (transfer_id, order_id, amount, received, late) values (99, 1, 5, 1000155, false)`,
    { 'credit.transfer': 1, 'order.received': 1, 'credit.received': 1, 'merchant.sums': 1 },
    /VunTq7Zk2Lm9h1l8 credit \d+: of 5 units is for no transfer/,
  ],
  [
    'a credit of another amount',
    `update credit set amount = 6000001, received = 6000001 where transfer_id = 5`,
    { 'credit.amount': 1, 'order.received': 1, 'callback.facts': 1, 'merchant.sums': 1 },
    /:0: 6000001 units credited, 6000000 transferred/,
  ],
  [
    'a credit on an order at another address',
    `update credit set order_id = 2 where transfer_id = 2`,
    {
      'credit.order': 1,
      'credit.late': 1,
      'order.received': 2,
      'credit.received': 3,
      'callback.amount': 1,
      'callback.facts': 2,
    },
    /credited to o-2, an order at another address/,
  ],
  [
    'a credit that should be late',
    `update credit set late = false where transfer_id = 5`,
    { 'credit.late': 1, 'callback.facts': 1 },
    /its late flag contradicts its block's time/,
  ],
  [
    "an order's received too high",
    `update recharge_order set received = received + 100 where orderid = 'o-1'`,
    { 'order.received': 1, 'order.announced': 1, 'merchant.sums': 1 },
    /order o-1: has received 1000200 units, its credits are 1000100/,
  ],
  [
    "an order's announced too low",
    `update recharge_order set announced = announced - 1 where orderid = 'o-1'`,
    { 'order.announced': 1, 'order.callbacks': 1 },
    /order o-1: has announced 10000 of 10001/,
  ],
  [
    "an order at another user's address",
    `update recharge_order set localusermark = 'u9' where orderid = 'o-1'`,
    { 'order.address': 1 },
    /order o-1: is at an address of another user/,
  ],
  [
    'an announcement too few',
    `delete from callback where credit_id = (select id from credit where transfer_id = 6); delete from callback_outbox x where not exists (select from callback where id = x.callback_id)`,
    { 'order.callbacks': 1, 'callback.missing': 1 },
    /on order o-4: has 70000 \(1\/10000 USDT\) to announce and no callback/,
  ],
  [
    'an announcement too many',
    `insert into callback (key, merchant_id, order_id, credit_id, body_amount, received, order_state, late, lane_id, delivered_at) select 'cb_' || repeat('0', 32), 1, 1, id, 1, received, 'underpaid', false, 1, now() from credit where transfer_id = 2`,
    { 'order.callbacks': 1, 'callback.amount': 1, 'callback.key': 1 },
    /on order o-1: cb_0{32} announces 1 instead of 0/,
  ],
  [
    'an announcement of another amount',
    `update callback set body_amount = 10001 where order_id = 1 and body_amount = 10000`,
    { 'order.callbacks': 1, 'callback.amount': 1 },
    /on order o-1: cb_[0-9a-f]{32} announces 10001 instead of 10000/,
  ],
  [
    'a wrong key',
    `update callback set key = 'cb_' || repeat('0', 32) where order_id = 1 and body_amount = 10000`,
    { 'callback.key': 1 },
    /on order o-1: its callback has the key cb_0{32} instead of cb_[0-9a-f]{32}/,
  ],
  [
    'a callback without a credit',
    `update callback set credit_id = 99 where order_id = 1 and body_amount = 10000`,
    { 'callback.credit': 1, 'callback.missing': 1 },
    /callback cb_[0-9a-f]{32}: announces 10000 and has no credit/,
  ],
  [
    'a callback that says another state',
    `update callback set order_state = 'paid' where order_id = 2`,
    { 'callback.facts': 1 },
    /on order o-2: cb_[0-9a-f]{32} has another order, merchant, received, state or lateness/,
  ],
  [
    'a callback nobody will send',
    `delete from callback_outbox where callback_id = (select id from callback where order_id = 3)`,
    { 'callback.owed': 1 },
    /Other0therOther1 callback cb_[0-9a-f]{32}: is neither acknowledged nor exhausted/,
  ],
  [
    'an exhausted callback that waits',
    `insert into callback_outbox (callback_id, lane_id) select id, lane_id from callback where exhausted_at is not null`,
    { 'callback.owed': 1 },
    /is exhausted, but also waits for an attempt/,
  ],
  [
    'an outbox row of no callback',
    `insert into callback_outbox (callback_id, lane_id) values (99, 1)`,
    { 'callback.owed': 1 },
    /outbox row 99: belongs to no callback/,
  ],
  [
    "a callback in another merchant's lane",
    `update callback_outbox set lane_id = (select min(id) from callback_lane) where callback_id = (select id from callback where order_id = 3)`,
    { 'callback.owed': 1 },
    /waits in another merchant's lane/,
  ],
  [
    'a callback due for an hour',
    `update callback_outbox set due_at = now() - interval '1 hour'`,
    { 'callback.overdue': 2 },
    /callback cb_[0-9a-f]{32}: has been due since 2/,
  ],
  [
    'a lease that ran out an hour ago',
    `update callback_outbox set state = 'in_flight', due_at = now(), leased_until = now() - interval '1 hour' where callback_id = (select id from callback where order_id = 3)`,
    { 'callback.overdue': 1 },
    /was leased until 2/,
  ],
  [
    'a header missing',
    `delete from chain_block where height = 3`,
    { 'chain.linked': 1 },
    /null block 4: follows block 2: 1 missing/,
  ],
  [
    'a header of another parent',
    `update chain_block set parent_hash = repeat('0', 64) where height = 3`,
    { 'chain.linked': 1 },
    /block 3: names 0{64} as its parent/,
  ],
  [
    'the last header missing',
    `delete from chain_block where height = 5`,
    { 'chain.cursor': 1 },
    /cursor: is at 5 [0-9a-f]{64}, the last recorded block is 4 /,
  ],
  [
    'a transfer of another amount',
    `update transfer set amount = 8000000 where id = 6`,
    { 'credit.amount': 1, 'merchant.sums': 1 },
    /8000000 units arrived, 0 of them wait, 7000000 are credited, its orders received 7000000/,
  ],
  [
    'a transfer of another block',
    `update transfer set block_hash = repeat('0', 64) where id = 6`,
    { 'transfer.block': 1 },
    /is of block 4 0{64} at .*, but that block is recorded as [0-9a-f]{64} at/,
  ],
  [
    'a transfer past the cursor',
    `update transfer set block_height = 6 where id = 6`,
    { 'transfer.block': 1 },
    /is of block 6 .*, past the cursor/,
  ],
  [
    'a transfer deleted',
    `delete from transfer where id = 6`,
    { 'credit.transfer': 1, 'transfer.proof': 1, 'merchant.sums': 1 },
    /credit \d+: of 7000000 units is for no transfer/,
  ],
  [
    'a transfer added',
    `insert into transfer (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index) select txid, 9, deposit_address_id, from_address, 5, block_height, block_hash, block_time, 0 from transfer where id = 6`,
    { 'transfer.settled': 1, 'transfer.proof': 1, 'merchant.sums': 1 },
    /:9: neither has a credit nor waits/,
  ],
  [
    'a transfer that waits for nothing',
    `delete from waiting_transfer where transfer_id = 3`,
    { 'transfer.settled': 1, 'merchant.sums': 1 },
    /neither has a credit nor waits/,
  ],
  [
    'a transfer that waits elsewhere',
    `update waiting_transfer set deposit_address_id = 1 where transfer_id = 3`,
    { 'transfer.waiting': 1 },
    /waits at another address than it was paid to/,
  ],
  [
    'a transfer that waits with another merchant',
    `update waiting_transfer set merchant_id = merchant_id + 1000 where transfer_id = 3`,
    { 'transfer.waiting': 1 },
    /waits in the list of another merchant than was paid/,
  ],
  [
    'something that waits and is not recorded',
    `insert into waiting_transfer (transfer_id, deposit_address_id, reason) values (99, 1, 'unclaimed')`,
    { 'transfer.waiting': 1 },
    /waiting transfer 99: waits, but is not recorded/,
  ],
  [
    'a transfer that is rejected and waits',
    `insert into rejection (transfer_id, reason, rejected_by) values (3, 'why', 'who')`,
    { 'transfer.settled': 1, 'merchant.sums': 1 },
    /is rejected, and waits: unclaimed/,
  ],
  [
    'a transfer that is rejected and credited',
    `insert into rejection (transfer_id, reason, rejected_by) values (1, 'why', 'who')`,
    { 'transfer.settled': 1, 'merchant.sums': 1 },
    /is rejected, and has a credit/,
  ],
  [
    'a rejection of what is not recorded',
    `insert into rejection (transfer_id, reason, rejected_by) values (99, 'why', 'who')`,
    { 'transfer.rejected': 1 },
    /is of a transfer that is not recorded/,
  ],
  [
    'a rejection of nothing that is quarantined',
    `insert into rejection (quarantine_id, reason, rejected_by) values (99, 'why', 'who')`,
    { 'transfer.rejected': 1 },
    /is of something quarantined that is not there/,
  ],
  [
    'a proof deleted',
    `delete from transfer_proof where transfer_id = 3`,
    { 'transfer.proof': 1 },
    /transfer [0-9a-f]{64}:0: has no proof/,
  ],
  [
    'one host that agrees with itself',
    `update transfer_proof set proof = 'agreed' where transfer_id = 3`,
    { 'transfer.proof': 1 },
    /is agreed, but of its hosts only 1 are known/,
  ],
  [
    'a transfer that is recorded while it waits for proof',
    `insert into pending_proof (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index, node, hosts, ended_as, ended_at) select txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index, 'n', '{n}', null, null from transfer where id = 3`,
    { 'proof.open': 1 },
    /transfer p1 [0-9a-f]{64}:0: waits for proof, but is recorded as transfer 3/,
  ],
  [
    'a transfer that is recorded though it was rejected',
    `insert into pending_proof (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index, node, hosts, ended_as, ended_at) select txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index, 'n', '{n}', 'rejected', now() from transfer where id = 3`,
    { 'proof.open': 1 },
    /rejected, but is recorded as transfer 3/,
  ],
  [
    'a proof that led to no transfer',
    `insert into pending_proof (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index, node, hosts, ended_as, ended_at) select txid, log_index, deposit_address_id, from_address, amount + 1, block_height, block_hash, block_time, tx_index, 'n', '{n}', 'credited', now() from transfer where id = 3`,
    { 'proof.credited': 1 },
    /has its proof, but is not recorded as it was shown/,
  ],
  [
    'a counter that goes back',
    `update address_counter set next_index = 4`,
    { 'address.counter': 1 },
    /counter 1: would hand out 4 next, but 4 is handed out already/,
  ],
]
for (const [what, sql, found, named] of seeded) {
  test(`found and named: ${what}`, async () => {
    const { pool } = await copyDatabase(url)
    await tamper(pool, sql)
    const { checks, said } = await differencesOf(pool)
    assert.deepEqual(checks, found)
    assert.match(said, named)
  })
}

test('ten differences of a check are named, the others counted', async () => {
  const { pool } = await copyDatabase(url)
  await tamper(
    pool,
    `insert into waiting_transfer (transfer_id, deposit_address_id, reason) select n, 1, 'unclaimed' from generate_series(101, 125) n`,
  )
  const { checks, said } = await differencesOf(pool)
  assert.deepEqual(checks, { 'transfer.waiting': 25 })
  assert.equal(said.split('\n').length, 10)
})

test('callbacks behind a circuit, or of a disabled merchant, may be due for as long as it takes', async () => {
  const { pool } = await copyDatabase(url)
  await pool.query(`update callback_outbox set due_at = now() - interval '1 year'`)
  await pool.query(
    `update callback_lane set opened_at = now(), probe_at = now() where merchant_id = (select id from merchant where name = 'shop')`,
  )
  assert.deepEqual((await differencesOf(pool)).checks, { 'callback.overdue': 1 })
  await pool.query(`update merchant set disabled_at = now() where name = 'other shop'`)
  assert.deepEqual((await differencesOf(pool)).checks, {})
  await pool.query(
    `update callback_lane set opened_at = null, probe_at = null, slow_start = 2 where opened_at is not null`,
  )
  assert.deepEqual((await differencesOf(pool)).checks, {}, 'one that is closing again')
})

test("one merchant's audit leaves the others' rows alone, and looks at what is nobody's", async () => {
  const { pool } = await copyDatabase(url)
  await tamper(
    pool,
    `update recharge_order set received = 7000001 where orderid = 'o-4';
     update callback set order_state = 'underpaid' where order_id = (select id from recharge_order where orderid = 'o-4');
     delete from callback_outbox where callback_id = (select id from callback where order_state = 'underpaid' and body_amount = 70000);
     update transfer set amount = 8000000 where amount = 7000000`,
  )
  const other = {
    'credit.amount': 1,
    'order.received': 1,
    'callback.facts': 1,
    'callback.owed': 1,
    'merchant.sums': 1,
  }
  assert.deepEqual((await differencesOf(pool, 'Other0therOther1')).checks, other)
  assert.deepEqual((await differencesOf(pool, 'VunTq7Zk2Lm9h1l8')).checks, {})
  await tamper(
    pool,
    `delete from chain_block where height = 3; insert into callback_outbox (callback_id, lane_id) values (99, 99)`,
  )
  assert.deepEqual((await differencesOf(pool, 'VunTq7Zk2Lm9h1l8')).checks, {
    'callback.owed': 1,
    'chain.linked': 1,
  })
  const { merchants } = await auditGateway(pool, { appid: 'VunTq7Zk2Lm9h1l8', dueMaxS: 900 })
  assert.deepEqual(
    merchants.map(({ name }) => name),
    ['shop'],
  )
  await assert.rejects(auditGateway(pool, { appid: 'nobody', dueMaxS: 900 }), UsageError)
})

test('what is written while an audit runs does not disturb it: it sees one moment', async () => {
  const { pool } = await copyDatabase(url)
  const seen = await inSnapshot(pool, async read => {
    const before = await read<{ count: bigint }>('select count(*) from transfer')
    await tamper(pool, 'delete from transfer')
    return [before, await read('select count(*) from transfer')]
  })
  assert.deepEqual(seen[0], seen[1])
  await assert.rejects(
    inSnapshot(pool, read => read('delete from chain_block')),
    /read-only transaction/,
  )
})
