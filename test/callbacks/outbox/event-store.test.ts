import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventKey, type NewEvent } from '../../../src/callbacks/outbox/event.ts'
import { deleteOldEvents, dropOldEvents, insertEvents } from '../../../src/callbacks/outbox/event-store.ts'
import type { Merchant } from '../../../src/merchants/merchant.ts'
import { cloneDatabase } from '../../support/database.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

const chain = { genesisId: '0'.repeat(64), usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t' }

function unclaimed(merchant: Merchant, subject: string): NewEvent {
  const event = 'deposit.unclaimed' as const
  const key = eventKey(chain, event, subject)
  return { key, merchantId: merchant.id, event, notifyUrl: null, says: { txid: subject } }
}

test('an event is written for merchants who ask for it, once, and its fields are none of the six', async () => {
  const { pool } = await cloneDatabase()
  const asks = await seedMerchant(pool, { events: ['deposit.unclaimed'] })
  const other = await seedMerchant(pool, { events: ['order.seen'] })
  const none = await seedMerchant(pool)
  const events = [unclaimed(asks, 'a'), unclaimed(other, 'b'), unclaimed(none, 'c'), unclaimed(asks, 'd')]
  assert.equal(await insertEvents(pool, events), 2)
  assert.equal(await insertEvents(pool, events), 0)
  const { rows } = await pool.query(`select key, merchant_id, event, fields from event order by id`)
  assert.deepEqual(
    rows,
    ['a', 'd'].map(subject => {
      const { key, merchantId, event } = unclaimed(asks, subject)
      return { key, merchant_id: merchantId, event, fields: { event, event_id: key, event_txid: subject } }
    }),
  )
})

test('the key of an event is of its kind and its chain, too', () => {
  const keys = [
    eventKey(chain, 'order.seen', 'a:0'),
    eventKey(chain, 'deposit.unclaimed', 'a:0'),
    eventKey(chain, 'order.seen', 'a:1'),
    eventKey({ ...chain, genesisId: '1'.repeat(64) }, 'order.seen', 'a:0'),
  ]
  assert.equal(new Set(keys).size, keys.length)
  for (const key of keys) assert.match(key, /^ev_[0-9a-f]{32}$/)
})

test('what nobody took for a day is dropped, and everything is deleted after a week', async () => {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool, { events: ['deposit.unclaimed'] })
  await insertEvents(
    pool,
    ['new', 'old', 'delivered', 'ancient'].map(subject => unclaimed(merchant, subject)),
  )
  const age = (subject: string, age: string, more = '') =>
    pool.query(
      `update event set created_at = now() - $2::interval ${more} where fields->>'event_txid' = $1`,
      [subject, age],
    )
  await age('new', '23 hours')
  await age('old', '25 hours', `, leased_until = now() + interval '1 minute'`)
  await age('delivered', '25 hours', ', delivered_at = now()')
  await age('ancient', '8 days')
  assert.equal(await dropOldEvents(pool), 2)
  assert.equal(await dropOldEvents(pool), 0)
  assert.equal(await deleteOldEvents(pool), 1)
  assert.equal(await deleteOldEvents(pool), 0)
  const { rows } = await pool.query(
    `select fields->>'event_txid' as of, state from report.events order by event_id`,
  )
  assert.deepEqual(rows, [
    { of: 'new', state: 'due' },
    { of: 'old', state: 'dropped' },
    { of: 'delivered', state: 'delivered' },
  ])
})
