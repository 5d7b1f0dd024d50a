import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaseEvents, recordEvent } from '../../../src/callbacks/leasing/event-lease-store.ts'
import { insertEvents } from '../../../src/callbacks/outbox/event-store.ts'
import type { Pool } from '../../../src/db/pool.ts'
import type { Merchant } from '../../../src/merchants/merchant.ts'
import { cloneDatabase } from '../../support/database.ts'
import { seedMerchants } from '../../support/seed-merchant.ts'

const limits = { slots: 16, perMerchant: 2 }

async function seedEvents(pool: Pool, merchant: Merchant, count: number): Promise<void> {
  const number = (i: number) => (Number(merchant.id) * 100_000 + i).toString(16).padStart(32, '0')
  await insertEvents(
    pool,
    Array.from({ length: count }, (_, i) => ({
      key: `ev_${number(i)}`,
      merchantId: merchant.id,
      event: 'order.seen' as const,
      notifyUrl: null,
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

test('nothing is leased of resting or disabled merchants, nor beyond the slots', async () => {
  const { pool, added } = await seeded([{}, { disabledAt: new Date() }, {}, {}], [1, 1, 9, 9])
  assert.deepEqual(await leaseEvents(pool, { ...limits, slots: 0 }, []), [])
  const leased = await leaseEvents(pool, { ...limits, slots: 3 }, [added[0]!.id])
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
