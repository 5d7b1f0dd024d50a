import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCursor } from '../../src/blocks/chain-store.ts'
import { eventKey } from '../../src/callbacks/outbox/event.ts'
import { tellExpired } from '../../src/orders/tell-expired.ts'
import { cloneDatabase } from '../support/database.ts'
import { assertDescribed } from '../support/described-event.ts'
import { seedAddress, seedOrders } from '../support/seed.ts'
import { seedMerchant } from '../support/seed-merchant.ts'

const chain = {
  network: 'private',
  genesisId: '0'.repeat(64),
  usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
}
const hourMs = 3_600_000

/** A chain whose time is now, and a merchant who asks from now on; `order` makes one, of the next seconds. */
async function askingMerchant() {
  const { pool } = await cloneDatabase()
  const start = Date.now()
  await createCursor(pool, chain, { height: 1, hash: 'a'.repeat(64), time: new Date(start) })
  const merchant = await seedMerchant(pool, { events: ['order.expired'] })
  await tellExpired(pool, chain)
  const { addressId, address } = await seedAddress(pool, { merchantId: merchant.id })
  const at = (s: number) => new Date(start + s * 1000)
  let second = 5
  return {
    pool,
    merchant,
    address,
    at,
    addressId,
    async orders(
      all: readonly { orderid: string; received?: bigint; windowMs?: number; notifyUrl?: string }[],
    ) {
      await seedOrders(
        pool,
        all.map(({ windowMs = hourMs, ...order }) => {
          const createdAt = at(second++)
          return { addressId, ...order, createdAt, expiresAt: new Date(createdAt.getTime() + windowMs) }
        }),
      )
    },
    async tellAt(time: Date) {
      await pool.query(`update chain_cursor set block_time = $1`, [time])
      const written = await tellExpired(pool, chain)
      const { rows } = await pool.query(`select fields->>'event_orderid' as orderid from event order by id`)
      assert(written <= rows.length)
      return rows.map(({ orderid }) => orderid)
    },
  }
}

test('an order is told of once the chain is past its window, unless it is fully paid', async () => {
  const { pool, merchant, address, at, orders, tellAt } = await askingMerchant()
  await orders([
    { orderid: 'unpaid', notifyUrl: 'https://own.example/cb' },
    { orderid: 'part', received: 1_000_000n },
    { orderid: 'paid', received: 3_000_000n },
    { orderid: 'over', received: 4_000_000n },
    { orderid: 'later' },
  ])
  assert.deepEqual(await tellAt(at(3600)), [])
  assert.deepEqual(await tellAt(at(3605)), [], 'its last moment is still in the window')
  assert.deepEqual(await tellAt(at(3605.001)), ['unpaid'])
  assert.deepEqual(await tellAt(at(3608.5)), ['unpaid', 'part'])
  assert.deepEqual(await tellAt(at(3608.5)), ['unpaid', 'part'])
  assert.deepEqual(await tellAt(at(9000)), ['unpaid', 'part', 'later'])
  const { rows } = await pool.query(`select key, notify_url, fields from event order by id limit 2`)
  for (const { fields } of rows) assertDescribed(fields)
  const { event_ordersn, ...unpaid } = rows[0].fields
  assert.match(event_ordersn, /^cz-/)
  const key = eventKey(chain, 'order.expired', `${merchant.appid}:unpaid`)
  assert.equal(rows[0].key, key)
  assert.equal(rows[0].notify_url, 'https://own.example/cb')
  assert.deepEqual(unpaid, {
    event: 'order.expired',
    event_id: key,
    event_orderid: 'unpaid',
    event_localusermark: 'u1',
    event_address: address,
    event_state: 'pending',
    event_expected_usdt: '3',
    event_received_usdt: '0',
    event_expires_at: `${Math.floor(at(3605).getTime() / 1000)}`,
  })
  assert.equal(rows[1].fields.event_state, 'underpaid')
  assert.equal(rows[1].fields.event_received_usdt, '1')
})

test('more orders than one transaction takes are told of, each once, by two watchers too', async () => {
  const { pool, at, orders, tellAt } = await askingMerchant()
  const ids = Array.from({ length: 1_203 }, (_, i) => `o-${i}`)
  await orders(ids.map(orderid => ({ orderid })))
  await pool.query(`update chain_cursor set block_time = $1`, [at(90_000)])
  await Promise.all([tellExpired(pool, chain), tellExpired(pool, chain)])
  assert.deepEqual(await tellAt(at(90_000)), ids)
})

test('a merchant who asks later is told of orders from then on, and one who asks no more of none', async () => {
  const { pool, merchant, at, orders, tellAt, addressId } = await askingMerchant()
  const set = (events: string[]) =>
    pool.query(`update merchant set events = $2 where id = $1`, [merchant.id, events])
  await set([])
  await orders([{ orderid: 'unasked' }])
  assert.deepEqual(await tellAt(at(9_000)), [])
  await set(['order.expired'])
  const old = { createdAt: new Date(Date.now() - 2 * hourMs), expiresAt: new Date(Date.now() - hourMs) }
  await seedOrders(pool, [{ addressId, orderid: 'before', ...old }])
  assert.deepEqual((await tellAt(at(9_000))).includes('before'), false)
})

test('where the window was made shorter, newer orders wait for the last one of before, and are told of then', async () => {
  const { at, orders, tellAt } = await askingMerchant()
  await orders([{ orderid: 'long', windowMs: 4 * hourMs }, { orderid: 'short' }])
  assert.deepEqual(await tellAt(at(2 * 3600)), [])
  assert.deepEqual(await tellAt(at(5 * 3600)), ['long', 'short'])
})
