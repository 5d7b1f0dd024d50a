import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endLapsedLeases, leaseCallbacks } from '../../../src/callbacks/leasing/lease-store.ts'
import type { Lease } from '../../../src/callbacks/outbox/lease.ts'
import {
  type FinishedAttempt,
  type RecordedAttempt,
  recordAttempts,
} from '../../../src/callbacks/sending/attempt-store.ts'
import type { Pool } from '../../../src/db/pool.ts'
import { oweAgain } from '../../support/callback-states.ts'
import { cloneDatabase } from '../../support/database.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

test('attempts move their callbacks on, each by its result, and are written into the history', async () => {
  const { pool } = await cloneDatabase()
  const [delivered, again, exhausted] = await leased(pool, 3)
  const dueFrom = (await pool.query(`select now() + interval '5 seconds' as at`)).rows[0].at
  const recorded = await recordAttempts(pool, [
    attempt(delivered!, { outcome: 'acknowledged', status: 200, answer: 'ok', next: { kind: 'delivered' } }),
    attempt(again!, { next: { kind: 'retry', inMs: 5_000 } }),
    attempt(exhausted!, { outcome: 'refused', status: 410, scheduleStep: 3, next: { kind: 'exhausted' } }),
  ])
  assert.deepEqual(moved(recorded), [true, true, true])
  const { rows } = await pool.query(
    `select s.state, c.attempts, s.schedule_step, c.last_status, c.delivered_at is not null as acknowledged,
            c.exhausted_at is not null as exhausted, b.leased_until,
            s.due_at between $1 and now() + interval '5 seconds' as due_in_5_s
       from callback c
       join callback_state s on s.callback_id = c.id
       left join callback_outbox b on b.callback_id = c.id
      order by c.id`,
    [dueFrom],
  )
  const common = { attempts: 1, leased_until: null, acknowledged: false, exhausted: false }
  const over = { ...common, schedule_step: null, due_in_5_s: null }
  assert.deepEqual(rows, [
    { ...over, state: 'delivered', last_status: 200, acknowledged: true },
    { ...common, state: 'due', last_status: null, schedule_step: 1, due_in_5_s: true },
    { ...over, state: 'exhausted', last_status: 410, exhausted: true },
  ])
  assert.equal((await pool.query(`select from callback_outbox`)).rowCount, 1)
  const history = await pool.query(
    `select attempt, url, outcome, status, answer, duration_ms, schedule_step, retry_in_ms
       from callback_attempt order by callback_id`,
  )
  const sent = {
    attempt: 1,
    url: 'https://shop.example/',
    duration_ms: 12,
    answer: null,
    schedule_step: 0,
    retry_in_ms: null,
  }
  assert.deepEqual(history.rows, [
    { ...sent, outcome: 'acknowledged', status: 200, answer: 'ok' },
    { ...sent, outcome: 'timeout', status: null, retry_in_ms: 5_000 },
    { ...sent, outcome: 'refused', status: 410, schedule_step: 3 },
  ])
})

test('a late result is written into the history and changes nothing else', async () => {
  const { pool } = await cloneDatabase()
  const [first] = await leased(pool, 1)
  await pool.query(`update callback_outbox set leased_until = now()`)
  await endLapsedLeases(pool)
  const [second] = await leaseCallbacks(pool, 1, 30_000)
  const late = attempt(first!, { outcome: 'acknowledged', next: { kind: 'delivered' } })
  const current = attempt(second!, { next: { kind: 'retry', inMs: 5_000 } })
  assert.deepEqual(moved(await recordAttempts(pool, [late])), [false])
  assert.deepEqual(moved(await recordAttempts(pool, [late, current])), [false, true])
  assert.deepEqual(moved(await recordAttempts(pool, [late])), [false])
  const { rows } = await pool.query(
    `select s.state, c.attempts from callback c join callback_state s on s.callback_id = c.id`,
  )
  assert.deepEqual(rows, [{ state: 'due', attempts: 1 }])
  assert.equal((await pool.query(`select from callback_attempt`)).rowCount, 2)
})

test('recording an attempt twice is harmless', async () => {
  const { pool } = await cloneDatabase()
  const [lease] = await leased(pool, 1)
  const result = attempt(lease!, { next: { kind: 'retry', inMs: 5_000 } })
  assert.deepEqual(moved(await recordAttempts(pool, [result])), [true])
  assert.deepEqual(moved(await recordAttempts(pool, [result])), [false])
  const { rows } = await pool.query(
    `select s.state, c.attempts from callback c join callback_state s on s.callback_id = c.id`,
  )
  assert.deepEqual(rows, [{ state: 'due', attempts: 1 }])
  assert.equal((await pool.query(`select from callback_attempt`)).rowCount, 1)
})

test('a callback that was acknowledged stays acknowledged, however a resend of it ends', async () => {
  const { pool } = await cloneDatabase()
  const [lease] = await leased(pool, 1)
  await recordAttempts(pool, [attempt(lease!, { next: { kind: 'delivered' } })])
  const acknowledgedAt = (await pool.query(`select delivered_at from callback`)).rows[0].delivered_at
  for (const next of [
    { kind: 'retry', inMs: 5_000 },
    { kind: 'exhausted' },
    { kind: 'delivered' },
  ] as const) {
    await oweAgain(pool, { callbackId: lease!.id })
    const [resent] = await leaseCallbacks(pool, 1, 30_000)
    assert.deepEqual(moved(await recordAttempts(pool, [attempt(resent!, { next })])), [true])
    const { rows } = await pool.query(`select delivered_at, exhausted_at from callback`)
    assert.deepEqual(rows, [{ delivered_at: acknowledgedAt, exhausted_at: null }], next.kind)
    assert.equal((await pool.query(`select from callback_outbox`)).rowCount, 0)
  }
})

test('batches with the same callbacks in opposite orders do not deadlock', async () => {
  const { pool } = await cloneDatabase()
  const leases = await leased(pool, 8)
  const results = leases.map(lease => attempt(lease, { next: { kind: 'delivered' } }))
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, i) => recordAttempts(pool, i % 2 ? results : results.toReversed())),
  )
  assert.equal(moved(answers.flat()).filter(Boolean).length, leases.length)
})

function moved(recorded: readonly RecordedAttempt[]): boolean[] {
  return recorded.map(one => one.moved)
}

let started = Date.now()

function attempt(lease: Lease, facts: Partial<FinishedAttempt>): FinishedAttempt {
  return {
    ...lease,
    attempt: 1,
    startedAt: new Date(started++),
    durationMs: 12,
    url: 'https://shop.example/',
    outcome: 'timeout',
    status: null,
    answer: null,
    scheduleStep: 0,
    next: { kind: 'exhausted' },
    ...facts,
  }
}

async function leased(pool: Pool, count: number): Promise<Lease[]> {
  const merchant = await seedMerchant(pool)
  await seedCallbacks(
    pool,
    Array.from({ length: count }, () => ({ merchant })),
  )
  const leases = await leaseCallbacks(pool, count, 30_000)
  return leases.toSorted((a, b) => Number(a.id - b.id))
}
