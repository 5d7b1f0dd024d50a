import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Pool, run } from '../src/db/pool.ts'
import type { Merchant } from '../src/merchants/merchant.ts'
import { cloneDatabase } from './support/database.ts'
import { startMerchantEndpoint } from './support/merchant-endpoint.ts'
import { withCourier } from './support/open-courier.ts'
import { recordLog } from './support/recorded-log.ts'
import { seedCallbacks } from './support/seed-callback.ts'
import { seedMerchant } from './support/seed-merchant.ts'
import { waitUntil } from './support/wait-until.ts'

// Three couriers on one database, a circuit with short intervals, and receivers that count their open requests.

const tuning = { slots: 32, circuit: { failuresToOpen: 5, probeFirstMs: 100, probeMaxMs: 400 } }

test('a dead endpoint with thousands waiting gets probes until it recovers; other lanes, of the same merchant too, are not affected', async () => {
  const { pool, url } = await withFixedCaps()
  const dead = await startMerchantEndpoint({ status: 503 })
  const good = await startMerchantEndpoint({ status: 200, delayMs: 5 })
  const merchant = await seedMerchant(pool, { callbackUrl: dead.url })
  const other = await seedMerchant(pool, { callbackUrl: good.url })
  const { log, lines } = recordLog()
  await withThreeCouriers({ pool, url, merchants: [merchant, other], log }, async () => {
    await seedCallbacks(pool, Array(2_000).fill({ merchant }))
    await waitUntil('the circuit open', () => lines('callback.circuit_opened').length > 0)
    const before = dead.requests.length
    await seedCallbacks(pool, [
      ...Array(100).fill({ merchant, notifyUrl: good.url }),
      ...Array(100).fill({ merchant: other }),
    ])
    await waitUntil('the others', async () => (await delivered(pool)) === 200)
    await waitUntil('probes', () => dead.requests.length >= before + 3)
    // Each probe was an attempt of its callback. The others have none.
    const { rows } = await pool.query(
      `select sum(attempts)::int as n from callback where delivered_at is null`,
    )
    assert(rows[0].n <= dead.requests.length)
    assert(dead.requests.length < 60, `${dead.requests.length} requests to a dead endpoint`)
    dead.answer = { status: 200 }
    await waitUntil('recovered', () => lines('callback.circuit_closed').length > 0)
    await pool.query(
      `delete from callback_outbox where callback_id > 300 and state = 'due' and lease_epoch = 0`,
    )
    await waitUntil('a hundred', async () => (await delivered(pool)) >= 300)
  })
  assert(dead.inFlightMax <= 8, `${dead.inFlightMax} at once`)
  // Two lanes go there, one of each merchant.
  assert(good.inFlightMax <= 16, `${good.inFlightMax} at once`)
  const [opened] = lines('callback.circuit_opened')
  const [closed] = lines('callback.circuit_closed')
  for (const line of [opened!, closed!]) {
    assert.deepEqual([line.appid, line.origin], [merchant.appid, new URL(dead.url).origin])
  }
})

test('an endpoint that hangs uses one slot once its circuit is open', async () => {
  const { pool, url } = await cloneDatabase()
  const hanging = await startMerchantEndpoint({ hang: true })
  const merchant = await seedMerchant(pool, { callbackUrl: hanging.url })
  const { log, lines } = recordLog()
  await withThreeCouriers({ pool, url, merchants: [merchant], log, deadlineMs: 500 }, async () => {
    await seedCallbacks(pool, Array(200).fill({ merchant }))
    await waitUntil('the circuit open', () => lines('callback.circuit_opened').length > 0)
    await waitUntil('the first attempts timed out', async () => (await inFlight(pool)) <= 1)
    for (let probes = 0; probes < 4; probes++) {
      await waitUntil('a probe', async () => (await inFlight(pool)) === 1)
      await waitUntil('its end', async () => {
        const now = await inFlight(pool)
        assert(now <= 1)
        return now === 0
      })
    }
  })
})

test('three couriers together never pass a cap', async () => {
  const { pool, url } = await withFixedCaps()
  const endpoints = [1, 2, 3].map(() => startMerchantEndpoint({ status: 200, delayMs: 3 }))
  const receivers = await Promise.all(endpoints)
  const merchants: Merchant[] = []
  for (const { url: callbackUrl } of receivers) merchants.push(await seedMerchant(pool, { callbackUrl }))
  await withThreeCouriers({ pool, url, merchants }, async () => {
    await seedCallbacks(
      pool,
      Array.from({ length: 600 }, (_, i) => ({ merchant: merchants[i % 3]! })),
    )
    await waitUntil('all delivered', async () => (await delivered(pool)) === 600)
  })
  for (const receiver of receivers) {
    assert.equal(receiver.requests.length, 200)
    assert(receiver.inFlightMax <= 8, `${receiver.inFlightMax} at once`)
  }
})

/** A database whose lanes hold 8 callbacks, however well their endpoints answer. */
async function withFixedCaps(): ReturnType<typeof cloneDatabase> {
  const database = await cloneDatabase()
  await run(database.pool, 'alter table callback_lane alter cap_max set default 8')
  return database
}

type SharedOptions = Omit<Parameters<typeof withCourier>[0], 'redisUrl' | 'tuning'> & { deadlineMs?: number }

async function withThreeCouriers(
  { deadlineMs, ...options }: SharedOptions,
  work: () => Promise<void>,
): Promise<void> {
  const one = { ...options, redisUrl: undefined, tuning: { ...tuning, ...(deadlineMs && { deadlineMs }) } }
  await withCourier(one, () => withCourier(one, () => withCourier(one, work)))
}

async function delivered(pool: Pool): Promise<number> {
  const { rows } = await pool.query(`select count(*)::int as n from callback where delivered_at is not null`)
  return rows[0].n
}

async function inFlight(pool: Pool): Promise<number> {
  const { rows } = await pool.query(
    `select count(*)::int as n from callback_outbox where state = 'in_flight'`,
  )
  return rows[0].n
}
