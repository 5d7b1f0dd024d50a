import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaseEvents, recordEvent } from '../../../src/callbacks/leasing/event-lease-store.ts'
import { insertEvents } from '../../../src/callbacks/outbox/event-store.ts'
import type { Pool } from '../../../src/db/pool.ts'
import type { Merchant } from '../../../src/merchants/merchant.ts'
import { cloneDatabase } from '../../support/database.ts'
import { seedMerchants } from '../../support/seed-merchant.ts'

const limits = { slots: 16, perMerchant: 2, perOrigin: 2 }

let seededBefore = 0

async function seedEvents(
  pool: Pool,
  merchant: Merchant,
  count: number,
  notifyUrl: string | null = null,
): Promise<void> {
  const first = seededBefore
  seededBefore += count
  const number = (i: number) => (first + i).toString(16).padStart(32, '0')
  await insertEvents(
    pool,
    Array.from({ length: count }, (_, i) => ({
      key: `ev_${number(i)}`,
      merchantId: merchant.id,
      event: 'order.seen' as const,
      notifyUrl,
      says: { orderid: `${i}` },
    })),
  )
}

async function seeded(merchants: readonly Partial<Merchant>[], counts: readonly number[]) {
  const { pool } = await cloneDatabase()
  const added = await seedMerchants(
    pool,
    merchants.map(one => ({ events: ['order.seen'] as const, ...one })),
  )
  for (const [i, count] of counts.entries()) await seedEvents(pool, added[i]!, count)
  return { pool, added }
}

test('a merchant has at most its few under way, however many are due, at several couriers too', async () => {
  const { pool, added } = await seeded([{}, {}], [5_000, 1])
  const [many, one] = added
  const together = await Promise.all([1, 2, 3].map(() => leaseEvents(pool, limits, [])))
  const leased = [...together.flat(), ...(await leaseEvents(pool, limits, []))]
  assert.deepEqual(
    leased.filter(({ merchantId }) => merchantId === one!.id).map(({ fields }) => fields.event_orderid),
    ['0'],
  )
  const ofMany = leased.filter(({ merchantId }) => merchantId === many!.id)
  assert.equal(new Set(ofMany.map(({ id }) => id)).size, ofMany.length, 'each is leased once')
  assert.equal(ofMany.length, 2)
})

test('nothing is leased of resting origins or disabled merchants, nor beyond the slots', async () => {
  const { pool, added } = await seeded(
    [{ callbackUrl: 'https://SHOP.example/a' }, { disabledAt: new Date() }, {}, {}],
    [1, 1, 9, 9],
  )
  assert.deepEqual(await leaseEvents(pool, { ...limits, slots: 0 }, []), [])
  const leased = await leaseEvents(pool, { ...limits, slots: 3 }, [
    { merchantId: added[0]!.id, origin: 'https://shop.example', restMs: 60_000 },
  ])
  assert.equal(leased.length, 3)
  const [resting, disabled] = added
  assert(leased.every(({ merchantId }) => merchantId !== resting!.id && merchantId !== disabled!.id))
})

test('an attempt counts from when it is leased, and only the last lease may record', async () => {
  const { pool } = await seeded([{}], [1])
  const [first] = await leaseEvents(pool, limits, [])
  assert.deepEqual(await leaseEvents(pool, limits, []), [], 'it is leased')
  await pool.query(`update event set leased_until = now(), due_at = now()`)
  const [second] = await leaseEvents(pool, limits, [])
  assert.deepEqual([first!.attempts, second!.attempts, second!.id], [1, 2, first!.id])
  await recordEvent(pool, { ...first!, outcome: 'acknowledged', status: 200, next: { kind: 'delivered' } })
  assert.equal((await pool.query(`select state from report.events`)).rows[0].state, 'due', 'it came too late')
  await recordEvent(pool, {
    ...second!,
    outcome: 'refused',
    status: 404,
    next: { kind: 'retry', inMs: 60_000 },
  })
  const { rows } = await pool.query(
    `select attempts, last_outcome, last_status, leased_until, due_at > now() + interval '50 seconds' as later from event`,
  )
  assert.deepEqual(rows, [
    { attempts: 2, last_outcome: 'refused', last_status: 404, leased_until: null, later: true },
  ])
})

test('events of a resting origin are put off without an attempt, and let those of another through', async () => {
  const { pool, added } = await seeded([{ callbackUrl: 'https://fails.example/callback?a=1' }], [3_000])
  const [merchant] = added
  await seedEvents(pool, merchant!, 1, 'http://works.example:8080')
  const resting = [{ merchantId: merchant!.id, origin: 'https://fails.example', restMs: 60_000 }]
  assert.deepEqual(await leaseEvents(pool, limits, resting), [], 'behind the oldest ones')
  const [leased] = await leaseEvents(pool, limits, resting)
  assert.equal(leased!.origin, 'http://works.example:8080')
  const { rows } = await pool.query(
    `select count(*)::int as count from event where attempts = 0 and due_at > now() + interval '50 seconds'`,
  )
  assert.deepEqual(rows, [{ count: 3_000 }])
})

test('an origin of a merchant has at most its few under way, and its others have the rest', async () => {
  const { pool, added } = await seeded([{ callbackUrl: 'https://a.example' }], [5])
  await seedEvents(pool, added[0]!, 5, 'https://b.example/1')
  await seedEvents(pool, added[0]!, 5, 'https://c.example/1')
  const four = { slots: 16, perMerchant: 4, perOrigin: 2 }
  const origins = (await leaseEvents(pool, four, [])).map(({ origin }) => origin).sort()
  assert.deepEqual(origins, [
    'https://a.example',
    'https://a.example',
    'https://b.example',
    'https://b.example',
  ])
  assert.deepEqual(await leaseEvents(pool, four, []), [])
})
