import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LaneId } from '../../../src/base/ids.ts'
import { addToHours, deleteOldHours } from '../../../src/callbacks/sending/callback-hour-store.ts'
import { openCallbackHours } from '../../../src/callbacks/sending/callback-hours.ts'
import type { Pool } from '../../../src/db/pool.ts'
import { readCountedAttempts } from '../../../src/web/console/callbacks/origin-store.ts'
import { ratesOf, ratesOfLanes } from '../../../src/web/console/callbacks/show-origins.ts'
import { cloneDatabase } from '../../support/database.ts'
import { startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { stateOf, withCourier } from '../../support/open-courier.ts'
import { seedCallback, seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'
import { waitUntil } from '../../support/wait-until.ts'

const at = (text: string) => new Date(`2026-03-01T${text}Z`)
const acknowledged = { outcome: 'acknowledged' as const, status: 200 }

test('attempts are counted by lane, hour, outcome and status, whoever counts them', async () => {
  const { pool, laneIds } = await withLanes(2)
  const [one, two] = laneIds as [LaneId, LaneId]
  const couriers = [openCallbackHours(), openCallbackHours()]
  for (const hours of couriers) {
    hours.count(one, { ...acknowledged, startedAt: at('09:59:59'), durationMs: 5 })
    hours.count(one, { ...acknowledged, startedAt: at('10:00:00'), durationMs: 6 })
    hours.count(one, { ...acknowledged, startedAt: at('10:59:59'), durationMs: 400 })
    hours.count(one, { outcome: 'timeout', status: null, startedAt: at('10:01:00'), durationMs: 10_001 })
    hours.count(two, { outcome: 'refused', status: 500, startedAt: at('10:01:00'), durationMs: 1 })
  }
  await Promise.all(couriers.map(hours => hours.write(pool)))
  await Promise.all(couriers.map(hours => hours.write(pool)))
  const { rows } = await pool.query(
    `select lane_id, hour, outcome, status, attempts, array_to_string(durations, ' ') as durations
       from callback_hour order by lane_id, hour, outcome`,
  )
  assert.deepEqual(
    rows.map(row => Object.values(row)),
    [
      [one, at('09:00:00'), 'acknowledged', 200, 2n, '2 0 0 0 0 0 0 0 0 0 0 0'],
      [one, at('10:00:00'), 'acknowledged', 200, 4n, '0 2 0 0 0 0 2 0 0 0 0 0'],
      [one, at('10:00:00'), 'timeout', 0, 2n, '0 0 0 0 0 0 0 0 0 0 0 2'],
      [two, at('10:00:00'), 'refused', 500, 2n, '2 0 0 0 0 0 0 0 0 0 0 0'],
    ],
  )
  const counted = await readCountedAttempts(pool, laneIds, at('10:30:00'))
  const rates = ratesOfLanes(counted)
  assert.deepEqual(rates.get(one), {
    attempts: 6,
    acknowledged: 4,
    share: 4 / 6,
    p50Ms: 500,
    p95Ms: null,
    codes: [
      { outcome: 'acknowledged', status: 200, attempts: 4 },
      { outcome: 'timeout', status: 0, attempts: 2 },
    ],
  })
  assert.equal(rates.get(two)!.p95Ms, 5)
  assert.equal(ratesOf(counted).attempts, 8)
  assert.deepEqual(ratesOf([]), {
    attempts: 0,
    acknowledged: 0,
    share: null,
    p50Ms: null,
    p95Ms: null,
    codes: [],
  })
})

test('what cannot be written now is written later, and counted once', async () => {
  const { pool, laneIds } = await withLanes(1)
  const hours = openCallbackHours()
  const count = () => hours.count(laneIds[0]!, { ...acknowledged, startedAt: at('10:00:00'), durationMs: 5 })
  count()
  await pool.query('alter table callback_hour rename to elsewhere')
  await assert.rejects(hours.write(pool), /callback_hour/)
  count()
  await pool.query('alter table elsewhere rename to callback_hour')
  await hours.write(pool)
  await hours.write(pool)
  assert.deepEqual((await pool.query('select attempts from callback_hour')).rows, [{ attempts: 2n }])
})

test('a courier that stops has written what it counted, and each attempt its place in the schedule', async () => {
  const { pool, url } = await cloneDatabase()
  const endpoint = await startMerchantEndpoint({
    status: 503,
    body: 'not now',
    headers: { 'retry-after': '120' },
  })
  const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url })
  const callback = await seedCallback(pool, { merchant })
  await withCourier({ pool, url, redisUrl: undefined, merchants: [merchant] }, async () => {
    await waitUntil('an attempt', async () => (await stateOf(pool, callback)).attempts === 1)
  })
  const { rows } = await pool.query('select outcome, status, attempts from callback_hour')
  assert.deepEqual(rows, [{ outcome: 'refused', status: 503, attempts: 1n }])
  const history = await pool.query('select schedule_step, retry_in_ms, answer from callback_attempt')
  assert.deepEqual(history.rows, [{ schedule_step: 0, retry_in_ms: 120_000, answer: 'not now' }])
})

test('hours of more than five weeks ago are deleted', async () => {
  const { pool, laneIds } = await withLanes(1)
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000)
  const durations = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  await addToHours(
    pool,
    [34, 36, 400].map(days => ({ laneId: laneIds[0]!, hour: daysAgo(days), ...acknowledged, durations })),
  )
  await pool.query(
    `insert into callback_hour (lane_id, hour, outcome, status, attempts, durations)
     select lane_id, hour, outcome, status + n, attempts, durations
       from callback_hour, generate_series(1, 5000) n
      where hour < now() - interval '300 days'`,
  )
  await deleteOldHours(pool)
  assert.equal((await pool.query('select from callback_hour')).rowCount, 1)
})

async function withLanes(count: number): Promise<{ pool: Pool; laneIds: LaneId[] }> {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool)
  await seedCallbacks(
    pool,
    Array.from({ length: count }, (_, i) => ({ merchant, notifyUrl: `https://shop${i}.example/` })),
  )
  const { rows } = await pool.query<{ id: LaneId }>('select id from callback_lane order by id')
  return { pool, laneIds: rows.map(({ id }) => id) }
}
