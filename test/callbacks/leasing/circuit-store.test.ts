import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LaneId } from '../../../src/base/ids.ts'
import { moveCircuits } from '../../../src/callbacks/leasing/circuit-store.ts'
import { leaseCallbacks } from '../../../src/callbacks/leasing/lease-store.ts'
import type { AttemptOutcome } from '../../../src/callbacks/outbox/callback.ts'
import type { Lease } from '../../../src/callbacks/outbox/lease.ts'
import { type FinishedAttempt, recordAttempts } from '../../../src/callbacks/sending/attempt-store.ts'
import { recordResults } from '../../../src/callbacks/sending/record-results.ts'
import type { Pool } from '../../../src/db/pool.ts'
import { cloneDatabase } from '../../support/database.ts'
import { recordLog } from '../../support/recorded-log.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

const circuit = { failuresToOpen: 5, probeFirstMs: 1_000, probeMaxMs: 60_000 }

test('failures in a row open the circuit, logged in one line with appid and origin', async () => {
  const { pool, merchant, lines, results } = await laneWith(20)
  await results(await lease(pool, 4), 'timeout')
  assert.deepEqual(await lane(pool), { failures: 4, open: false, room: 8 })
  await results(await lease(pool, 1), 'refused', 503)
  assert.deepEqual(await lane(pool), { failures: 5, open: true, room: 1 })
  const [line, ...more] = lines('callback.circuit_opened')
  assert.deepEqual(
    [line!.appid, line!.origin, line!.failures],
    [merchant.appid, 'https://shop.example:443', 5],
  )
  assert.deepEqual(more, [])
})

test('an answer resets the count of failures, and refusals count as answers', async () => {
  const { pool, results } = await laneWith(20)
  await results(await lease(pool, 4), 'connect')
  await results(await lease(pool, 1), 'refused', 404)
  assert.deepEqual(await lane(pool), { failures: 0, open: false, room: 8 })
  await results(await lease(pool, 8), 'refused', 404)
  await results(await lease(pool, 4), 'connect')
  assert.deepEqual(await lane(pool), { failures: 4, open: false, room: 8 })
})

test('an attempt that sent nothing neither opens a circuit nor closes one', async () => {
  const { pool, results } = await laneWith(20)
  await results(await lease(pool, 8), 'blocked')
  assert.deepEqual(await lane(pool), { failures: 0, open: false, room: 8 })
  await results(await lease(pool, 5), 'timeout')
  await probeNow(pool)
  await results(await lease(pool, 8), 'blocked')
  assert.deepEqual(await lane(pool), { failures: 5, open: true, room: 1 })
})

test('an open circuit lets one probe through at a time, at doubling intervals up to the longest; other callbacks stay unchanged', async () => {
  const { pool, results } = await laneWith(20)
  await results(await lease(pool, 5), 'timeout')
  const before = await waiting(pool)
  assert.deepEqual(await lease(pool, 100), [], 'a probe before its time')
  assert.deepEqual(await probeInS(pool), 1)
  const waits: number[] = []
  for (let i = 0; i < 8; i++) {
    await probeNow(pool)
    const probes = await lease(pool, 100)
    assert.equal(probes.length, 1)
    waits.push(await probeInS(pool))
    await probeNow(pool)
    assert.deepEqual(await lease(pool, 100), [], 'a second probe')
    await results(probes, 'timeout')
  }
  assert.deepEqual(waits, [2, 4, 8, 16, 32, 60, 60, 60])
  const { rows } = await pool.query(`select count(*)::int as n from callback where attempts = 0`)
  assert.equal(rows[0].n, 20 - 5 - 8)
  assert.deepEqual((await waiting(pool)).slice(0, 7), before.slice(-7))
})

test('failures of attempts that began before the circuit opened do not change it', async () => {
  const { pool, results } = await laneWith(20)
  const leases = await lease(pool, 8)
  await results(leases.slice(0, 5), 'timeout')
  await results(leases.slice(5), 'timeout')
  assert.deepEqual(await lane(pool), { failures: 5, open: true, room: 1 })
  assert.equal(await probeInS(pool), 1)
})

test('the first answer closes the circuit, and each round of answers doubles the limit up to the cap, which then grows by one', async () => {
  const { pool, lines, results } = await laneWith(40)
  await results(await lease(pool, 5), 'timeout')
  await probeNow(pool)
  await results(await lease(pool, 100), 'acknowledged')
  assert.equal((await lane(pool)).open, false)
  const rounds: number[] = []
  for (let i = 0; i < 5; i++) {
    const leases = await lease(pool, 100)
    rounds.push(leases.length)
    await results(leases, 'acknowledged')
  }
  assert.deepEqual(rounds, [1, 2, 4, 8, 9])
  assert.equal(lines('callback.circuit_closed').length, 1)
  const { rows } = await pool.query(`select failures, opened_at, probes, slow_start from callback_lane`)
  assert.deepEqual(rows, [{ failures: 0, opened_at: null, probes: 0, slow_start: null }])
})

test('failures while the limit rises open the circuit again', async () => {
  const { pool, lines, results } = await laneWith(40)
  await results(await lease(pool, 5), 'timeout')
  await probeNow(pool)
  await results(await lease(pool, 100), 'acknowledged')
  for (let i = 0; i < 5; i++) await results(await lease(pool, 100), 'timeout')
  assert.deepEqual(await lane(pool), { failures: 5, open: true, room: 1 })
  assert.equal(lines('callback.circuit_opened').length, 2)
})

test('the cap grows by one for each round of quick answers while it is reached, up to 128', async () => {
  const { pool, results } = await laneWith(2_000)
  const rounds: number[] = []
  for (let i = 0; i < 5; i++) {
    const leases = await lease(pool, 512)
    rounds.push(leases.length)
    await results(leases, 'acknowledged')
  }
  assert.deepEqual(rounds, [8, 9, 10, 11, 12])
  await pool.query(`update callback_lane set cap = 127`)
  for (const expected of [127, 128, 128]) {
    const leases = await lease(pool, 512)
    assert.equal(leases.length, expected)
    // In parts, as they end.
    await results(leases.slice(0, 100), 'acknowledged')
    await results(leases.slice(100), 'acknowledged')
  }
})

test('the cap does not grow while it is not reached, nor by answers that are neither quick nor slow', async () => {
  const { pool, results } = await laneWith(200)
  for (let i = 0; i < 20; i++) await results(await lease(pool, 5), 'acknowledged')
  assert.equal((await lane(pool)).room, 8)
  for (let i = 0; i < 3; i++) await results(await lease(pool, 512), 'acknowledged', 200, 1_000)
  for (let i = 0; i < 3; i++) await results(await lease(pool, 512), 'refused', 404)
  assert.equal((await lane(pool)).room, 8)
})

test('a slow answer or a failure halves the cap, never below 8, and an opened circuit ends it', async () => {
  const { pool, results } = await laneWith(400)
  await pool.query(`update callback_lane set cap = 100`)
  const room = async () => (await lane(pool)).room
  await results(await lease(pool, 2), 'acknowledged', 200, 2_000)
  assert.equal(await room(), 50)
  await results(await lease(pool, 2), 'timeout', null, 10_000)
  assert.equal(await room(), 25)
  await results(await lease(pool, 1), 'acknowledged')
  for (const expected of [12, 8, 8]) {
    await results(await lease(pool, 2), 'acknowledged', 200, 2_000)
    assert.equal(await room(), expected)
  }
  await pool.query(`update callback_lane set cap = 100`)
  await results(await lease(pool, 5), 'timeout')
  await probeNow(pool)
  await results(await lease(pool, 100), 'acknowledged')
  for (let i = 0; i < 4; i++) await results(await lease(pool, 100), 'acknowledged')
  assert.equal((await lease(pool, 100)).length, 9, 'not a hundred at once after an outage')
})

test('a cap at which the endpoint said that it was too much is not reached again for a while', async () => {
  const { pool, results } = await laneWith(2_000)
  await pool.query(`update callback_lane set cap = 20`)
  await results(await lease(pool, 1), 'refused', 429)
  await pool.query(`update callback_lane set cap = 18`)
  for (const expected of [18, 19, 19]) {
    const leases = await lease(pool, 512)
    assert.equal(leases.length, expected)
    await results(leases, 'acknowledged')
  }
  await pool.query(`update callback_lane set cap_limited_until = now()`)
  await results(await lease(pool, 512), 'acknowledged')
  assert.equal((await lane(pool)).room, 20)
})

test('a cap that an operator has set is not passed, and is the least where it is below 8', async () => {
  const { pool, results } = await laneWith(200)
  await pool.query(`update callback_lane set cap = 2, cap_max = 3`)
  for (const expected of [2, 3, 3]) {
    const leases = await lease(pool, 512)
    assert.equal(leases.length, expected)
    await results(leases, 'acknowledged')
  }
  await results(await lease(pool, 512), 'acknowledged', 200, 2_000)
  assert.equal((await lane(pool)).room, 3)
})

test('a cap that was halved holds back what is beyond it until enough has ended', async () => {
  const { pool, results } = await laneWith(100)
  await pool.query(`update callback_lane set cap = 40`)
  const leases = await lease(pool, 512)
  assert.equal(leases.length, 40)
  await results(leases.slice(0, 1), 'acknowledged', 200, 3_000)
  assert.deepEqual(await lease(pool, 512), [], '39 are in flight under a cap of 20')
  await results(leases.slice(1, 21), 'acknowledged', 200, 600)
  assert.equal((await lease(pool, 512)).length, 1)
})

test('couriers that lease at the same moment lease one probe together', async () => {
  const { pool, results } = await laneWith(20)
  await results(await lease(pool, 5), 'timeout')
  await probeNow(pool)
  const taken = await Promise.all(Array.from({ length: 8 }, () => lease(pool, 10)))
  assert.equal(taken.flat().length, 1)
})

test("a circuit does not affect the merchant's other origins, nor other merchants at the same origin", async () => {
  const { pool, merchant, results } = await laneWith(20)
  const other = await seedMerchant(pool)
  await results(await lease(pool, 5), 'timeout')
  await seedCallbacks(pool, [
    { merchant, notifyUrl: 'https://other.example/' },
    { merchant: other, notifyUrl: 'https://shop.example/' },
  ])
  assert.equal((await lease(pool, 10)).length, 2)
})

test('healthy lanes are not written to, and couriers that update the same lanes do not deadlock', async () => {
  const { pool } = await laneWith(0)
  const origins = Array.from({ length: 12 }, (_, i) => `https://shop${i}.example/`)
  const merchant = await seedMerchant(pool)
  await seedCallbacks(
    pool,
    origins.map(notifyUrl => ({ merchant, notifyUrl })),
  )
  const { rows } = await pool.query(`select id from callback_lane order by id`)
  const news = rows.map(({ id }) => ({
    laneId: id as LaneId,
    answers: 0,
    failures: 1,
    quick: 0,
    slow: true,
    overloaded: false,
  }))
  const versions = async () => (await pool.query(`select xmin::text from callback_lane order by id`)).rows
  const before = await versions()
  const answered = news.map(lane => ({
    ...lane,
    answers: 3,
    failures: 0,
    quick: 3,
    slow: false,
    overloaded: false,
  }))
  assert.deepEqual(await moveCircuits(pool, answered, circuit), [])
  assert.deepEqual(await versions(), before)
  const moved = await Promise.all(
    Array.from({ length: 6 }, (_, i) => moveCircuits(pool, i % 2 ? news : news.toReversed(), circuit)),
  )
  assert.equal(moved.flat().length, 12, 'each opened once')
})

test('a result that comes after its lease was lost does not change the circuit', async () => {
  const { pool, results } = await laneWith(20)
  const leases = await lease(pool, 6)
  await pool.query(`update callback_outbox set lease_epoch = 0 where state = 'in_flight'`)
  await results(leases, 'timeout')
  assert.deepEqual(await lane(pool), { failures: 0, open: false, room: 8 })
  const [recorded] = await recordAttempts(pool, [attempt(leases[0]!, 'timeout', null)])
  assert.deepEqual(recorded, { moved: false, laneId: null, troubled: false, filled: false })
})

/** A lane with callbacks due, and what records their results. */
async function laneWith(count: number) {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/' })
  await seedCallbacks(
    pool,
    Array.from({ length: count }, () => ({ merchant })),
  )
  const { log, lines } = recordLog()
  const results = (
    leases: readonly Lease[],
    outcome: AttemptOutcome,
    status: number | null = null,
    durationMs = 1,
  ) =>
    recordResults(
      pool,
      leases.map(one => ({ ...attempt(one, outcome, status), durationMs })),
      { circuit, log },
    )
  return { pool, merchant, lines, results }
}

const lease = (pool: Pool, slots: number) => leaseCallbacks(pool, slots, 30_000, circuit)

let started = Date.now()

function attempt(one: Lease, outcome: AttemptOutcome, status: number | null): FinishedAttempt {
  return {
    ...one,
    attempt: 1,
    startedAt: new Date(started++),
    durationMs: 1,
    url: 'https://shop.example/',
    outcome,
    status,
    answer: null,
    scheduleStep: 0,
    next: outcome === 'acknowledged' ? { kind: 'delivered' } : { kind: 'retry', inMs: 3_600_000 },
  }
}

async function lane(pool: Pool): Promise<{ failures: number; open: boolean; room: number }> {
  const { rows } = await pool.query(
    `select failures, opened_at is not null as open, in_flight_max as room from callback_lane order by id limit 1`,
  )
  return rows[0]
}

async function probeInS(pool: Pool): Promise<number> {
  const { rows } = await pool.query(
    `select round(extract(epoch from probe_at - now()))::int as seconds from callback_lane order by id limit 1`,
  )
  return rows[0].seconds
}

const probeNow = (pool: Pool) =>
  pool.query(`update callback_lane set probe_at = now() where opened_at is not null`)

async function waiting(pool: Pool): Promise<unknown[]> {
  const { rows } = await pool.query(
    `select callback_id, due_at, schedule_step
       from callback_outbox
      where state = 'due' and due_at <= now()
      order by callback_id`,
  )
  return rows
}
