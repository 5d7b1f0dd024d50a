import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventKey } from '../../src/callbacks/outbox/event.ts'
import { openTellingSeen } from '../../src/credits/tell-seen.ts'
import { assertDescribed } from '../support/described-event.ts'
import { seedAddress, seedOrders } from '../support/seed.ts'
import { seedSeen } from '../support/seed-transfer.ts'
import { at, creditedChain } from './credited-chain.ts'

async function asking() {
  const { pool, rules } = await creditedChain()
  await pool.query(`update merchant set events = '{order.seen}'`)
  const { addressId, address } = await seedAddress(pool)
  const tell = openTellingSeen(pool, rules)
  const told = async () => {
    const { rows } = await pool.query(
      `select fields->>'event_orderid' as orderid, fields->>'event_txid' as txid from event order by id`,
    )
    return rows.map(({ orderid, txid }) => `${txid} pays ${orderid}`)
  }
  const seen = (txid: string, amount: bigint, second: number, height = second) =>
    seedSeen(pool, { addressId, txid, amount, height, blockTime: at(second) })
  return { pool, rules, addressId, address, tell, told, seen }
}

const open = { createdAt: at(0), expiresAt: at(1_000) }

test('a payment at the head is told of once, as one of the order that it would pay', async () => {
  const { pool, rules, addressId, address, tell, told, seen } = await asking()
  await seedOrders(pool, [
    { addressId, orderid: 'first', amount: 5_000_000n, ...open },
    { addressId, orderid: 'exact', amount: 3_000_050n, ...open, notifyUrl: 'https://own.example/cb' },
  ])
  await seen('t1', 3_000_050n, 10)
  assert.equal(await tell(), 1)
  assert.equal(await tell(), 0)
  const key = eventKey(rules, 'order.seen', 't1:0')
  const { rows } = await pool.query(`select key, notify_url, fields from event`)
  for (const { fields } of rows) assertDescribed(fields)
  const { event_ordersn: _, ...fields } = rows[0].fields
  assert.deepEqual([rows.length, rows[0].key, rows[0].notify_url], [1, key, 'https://own.example/cb'])
  assert.deepEqual(fields, {
    event: 'order.seen',
    event_id: key,
    event_orderid: 'exact',
    event_localusermark: 'u1',
    event_address: address,
    event_txid: 't1',
    event_log_index: '0',
    event_amount_usdt: '3.00005',
    event_block: '10',
  })
  // The same amount again: the exact order has its payment at the head already.
  await seen('t2', 3_000_050n, 11)
  await tell()
  assert.deepEqual(await told(), ['t1 pays exact', 't2 pays first'])
  assert.equal((await pool.query(`select sum(received)::int as n from recharge_order`)).rows[0].n, 0)
})

test('one that comes back after a fork is not told of again, by another watcher neither', async () => {
  const { pool, rules, addressId, tell, told, seen } = await asking()
  await seedOrders(pool, [{ addressId, orderid: 'o', ...open }])
  await seen('t1', 3_000_000n, 10)
  await tell()
  await pool.query('delete from seen_transfer')
  assert.equal(await tell(), 0)
  await seen('t1', 3_000_000n, 12)
  assert.equal(await tell(), 0)
  assert.equal(await openTellingSeen(pool, rules)(), 0)
  assert.deepEqual(await told(), ['t1 pays o'])
})

test('one without an order is told of when its order comes, and nothing to those who do not ask', async () => {
  const { pool, addressId, tell, told, seen } = await asking()
  await seen('t1', 3_000_000n, 10)
  assert.equal(await tell(), 0)
  await seedOrders(pool, [{ addressId, orderid: 'late', ...open, createdAt: at(10) }])
  assert.equal(await tell(), 1)
  await pool.query(`update merchant set events = '{order.expired}'`)
  await seen('t2', 3_000_000n, 11)
  assert.equal(await tell(), 0)
  assert.deepEqual(await told(), ['t1 pays late'])
})
