import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../../src/base/metrics.ts'
import { leaseCallbacks } from '../../../src/callbacks/leasing/lease-store.ts'
import { createCallbackMetrics } from '../../../src/callbacks/sending/callback-metrics.ts'
import { createPool } from '../../../src/db/pool.ts'
import { cloneDatabase } from '../../support/database.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

test('due, in flight, held and overdue callbacks are counted at each scrape', async () => {
  const { pool } = await cloneDatabase()
  const registry = createMetrics()
  createCallbackMetrics(registry, pool).attempts.inc({ outcome: 'refused' })
  const value = async (line: string) => {
    const found = (await registry.metrics()).split('\n').find(text => text.startsWith(`${line} `))
    return Number(found?.split(' ')[1])
  }
  assert.equal(await value('gateway_callback_oldest_due_seconds{circuit="closed"}'), 0)
  assert.equal(await value('gateway_callback_circuits_open'), 0)
  const merchant = await seedMerchant(pool)
  const disabled = await seedMerchant(pool, { disabledAt: new Date() })
  await seedCallbacks(pool, [{ merchant }, { merchant }, { merchant }, { merchant: disabled }])
  await leaseCallbacks(pool, 1, 30_000)
  await pool.query(`update callback_outbox set due_at = now() - interval '1 hour' where callback_id = (
    select max(callback_id) from callback_outbox where state = 'due')`)
  assert.equal(await value('gateway_callbacks{state="due"}'), 2)
  assert.equal(await value('gateway_callbacks{state="in_flight"}'), 1)
  assert.equal(await value('gateway_callbacks{state="held"}'), 1)
  const oldest = (circuit: 'closed' | 'open') =>
    value(`gateway_callback_oldest_due_seconds{circuit="${circuit}"}`)
  /** How long the oldest one has been due by now. */
  const overdue = async () => {
    const { rows } = await pool.query(
      `select extract(epoch from now() - min(due_at))::float8 as seconds from callback_outbox where state = 'due'`,
    )
    return rows[0].seconds
  }
  const before = await overdue()
  const closed = await oldest('closed')
  assert(closed >= before && closed <= (await overdue()), `${closed} after ${before}`)
  assert.equal(await oldest('open'), 0)
  await pool.query(`update callback_lane set opened_at = now(), probe_at = now() where merchant_id = $1`, [
    merchant.id,
  ])
  assert.equal(await value('gateway_callback_circuits_open'), 1)
  assert.equal(await oldest('closed'), 0)
  const open = await oldest('open')
  assert(open >= closed && open <= (await overdue()), `${open} after ${closed}`)
  assert.equal(await value('gateway_callback_attempts_total{outcome="refused"}'), 1)
})

test('without a database these numbers are unknown, and the others are still reported', async () => {
  const registry = createMetrics()
  const pool = createPool('postgres://127.0.0.1:1/nowhere')
  createCallbackMetrics(registry, pool)
  const text = await registry.metrics()
  assert.match(text, /^gateway_callbacks\{state="due"\} Nan$/im)
  assert.match(text, /^process_cpu_seconds_total /m)
  await pool.end()
})
