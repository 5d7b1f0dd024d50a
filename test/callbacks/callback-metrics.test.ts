import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../src/base/metrics.ts'
import { createCallbackMetrics } from '../../src/callbacks/callback-metrics.ts'
import { leaseCallbacks } from '../../src/callbacks/lane-store.ts'
import { createPool } from '../../src/db/pool.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedCallbacks, seedMerchant } from '../support/seed-order.ts'

test('what is due, in flight, held and overdue is counted when it is asked for', async () => {
  const { pool } = await cloneDatabase()
  const registry = createMetrics()
  createCallbackMetrics(registry, pool).attempts.inc({ outcome: 'refused' })
  const value = async (line: string) => {
    const found = (await registry.metrics()).split('\n').find(text => text.startsWith(`${line} `))
    return Number(found?.split(' ')[1])
  }
  assert.equal(await value('gateway_callback_oldest_due_seconds'), 0)
  const merchant = await seedMerchant(pool)
  const disabled = await seedMerchant(pool, { disabledAt: new Date() })
  await seedCallbacks(pool, [{ merchant }, { merchant }, { merchant }, { merchant: disabled }])
  await leaseCallbacks(pool, 1, 30_000)
  await pool.query(`update callback_outbox set due_at = now() - interval '1 hour' where callback_id = (
    select max(callback_id) from callback_outbox where state = 'due')`)
  assert.equal(await value('gateway_callbacks{state="due"}'), 2)
  assert.equal(await value('gateway_callbacks{state="in_flight"}'), 1)
  assert.equal(await value('gateway_callbacks{state="held"}'), 1)
  const oldest = await value('gateway_callback_oldest_due_seconds')
  assert(oldest >= 3_600 && oldest < 3_700)
  assert.equal(await value('gateway_callback_attempts_total{outcome="refused"}'), 1)
})

test('a database that is away makes these numbers unknown and leaves the others', async () => {
  const registry = createMetrics()
  const pool = createPool('postgres://127.0.0.1:1/nowhere')
  createCallbackMetrics(registry, pool)
  const text = await registry.metrics()
  assert.match(text, /^gateway_callbacks\{state="due"\} Nan$/im)
  assert.match(text, /^process_cpu_seconds_total /m)
  await pool.end()
})
