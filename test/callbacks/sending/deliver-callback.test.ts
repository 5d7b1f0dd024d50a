import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Moment, thisMoment } from '../../../src/base/clock.ts'
import {
  endLapsedLeases,
  leaseCallbacks,
  releaseLeases,
  renewLeases,
} from '../../../src/callbacks/leasing/lease-store.ts'
import type { OwnLease } from '../../../src/callbacks/leasing/own-lease.ts'
import type { LeasedCallback } from '../../../src/callbacks/outbox/lease.ts'
import { recordAttempts } from '../../../src/callbacks/sending/attempt-store.ts'
import { createCallbackMetrics } from '../../../src/callbacks/sending/callback-metrics.ts'
import { type Delivery, deliverCallback } from '../../../src/callbacks/sending/deliver-callback.ts'
import { createGuardedAgent } from '../../../src/egress/guarded-agent.ts'
import type { Merchant } from '../../../src/merchants/merchant.ts'
import { cloneDatabase } from '../../support/database.ts'
import { startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { type RecordedLog, recordLog } from '../../support/recorded-log.ts'
import { seedCallback } from '../../support/seed-callback.ts'
import { directoryOf, seedMerchant } from '../../support/seed-merchant.ts'

test('a lease that has passed to another epoch is dropped unsent', async () => {
  const { pool, endpoint, delivery, lease } = await leasedCallback()
  await pool.query(`update callback_outbox set lease_epoch = lease_epoch + 1`)
  await deliverCallback(delivery, lease)
  assert.equal(endpoint.requests.length, 0)
  assert.equal((await pool.query(`select from callback_attempt`)).rowCount, 0)
})

test('a result that comes after the lease was lost is written into the history and changes nothing else', async () => {
  const { pool, endpoint, delivery, lease, recorded } = await leasedCallback()
  let other: LeasedCallback | undefined
  // Before its result is recorded, its lease runs out and another courier leases the callback.
  const record: Delivery['record'] = async attempt => {
    await pool.query(`update callback_outbox set leased_until = now()`)
    await endLapsedLeases(pool)
    other = (await leaseCallbacks(pool, 1, 30_000))[0]
    return delivery.record(attempt)
  }
  await deliverCallback({ ...delivery, record }, lease)
  assert.equal(endpoint.requests.length, 1)
  const { rows } = await pool.query(
    `select b.state, b.lease_epoch, c.attempts, c.delivered_at
       from callback c
       join callback_outbox b on b.callback_id = c.id`,
  )
  assert.deepEqual(rows, [{ state: 'in_flight', lease_epoch: other!.epoch, attempts: 0, delivered_at: null }])
  const history = await pool.query(`select attempt, outcome from callback_attempt`)
  assert.deepEqual(history.rows, [{ attempt: 1, outcome: 'acknowledged' }])
  assert.equal(recorded.lines('callback.attempted')[0]!.late, true)
})

test('a process that was suspended between renewing its lease and sending does not send', async t => {
  const { endpoint, delivery, lease } = await leasedCallback()
  const renew: Delivery['renew'] = async asked => {
    const callback = await delivery.renew(asked)
    const { now } = Date
    t.mock.method(Date, 'now', () => now() + delivery.marginMs - delivery.deadlineMs + 1)
    return callback
  }
  await deliverCallback({ ...delivery, renew }, lease)
  assert.equal(endpoint.requests.length, 0)
})

test('a callback that this process has just leased is sent without asking the database again', async () => {
  const { pool, endpoint, delivery, lease } = await leasedCallback()
  await deliverCallback({ ...delivery, renew: () => assert.fail('asked') }, lease, ownLease(lease))
  assert.equal(endpoint.requests.length, 1)
  const { rows } = await pool.query(`select attempts, delivered_at is not null as delivered from callback`)
  assert.deepEqual(rows, [{ attempts: 1, delivered: true }])
})

test('the time of an attempt is when it is sent, not when it was leased', async () => {
  const { pool, endpoint, delivery, lease } = await leasedCallback()
  const own = ownLease(lease, 12_000)
  const readAtMs = own.readAtMs - 12_000
  await deliverCallback(delivery, lease, { ...own, readAtMs })
  const t = Number(new URLSearchParams(endpoint.requests[0]!.body).get('t'))
  const leasedS = lease.now.getTime() / 1000
  const latestS = leasedS + (performance.now() - readAtMs) / 1000
  assert(t >= Math.floor(leasedS + 12) && t <= latestS, `${t} after ${leasedS}`)
  const { rows } = await pool.query(`select started_at from callback_attempt`)
  assert(rows[0].started_at.getTime() >= lease.now.getTime() + 12_000)
})

test('the database is asked for a lease that is old, or whose merchant is disabled', async () => {
  const asks: [string, (own: OwnLease) => Partial<OwnLease>, Partial<Merchant>][] = [
    ['half over by the steady clock', own => ({ askedAt: earlier(own.askedAt, { steadyMs: 15_001 }) }), {}],
    ['half over by the wall clock', own => ({ askedAt: earlier(own.askedAt, { wallMs: 15_001 }) }), {}],
    ['disabled', () => ({}), { disabledAt: new Date() }],
  ]
  for (const [what, change, settings] of asks) {
    const { pool, endpoint, delivery, lease, merchant } = await leasedCallback()
    // Another courier has it by now.
    await pool.query(`update callback_outbox set lease_epoch = lease_epoch + 1`)
    const own = ownLease(lease)
    const merchants = directoryOf({ ...merchant, ...settings })
    await deliverCallback({ ...delivery, merchants }, lease, { ...own, ...change(own) })
    assert.equal(endpoint.requests.length, 0, what)
  }
})

test('a callback whose merchant was disabled after it was leased is released unsent', async () => {
  const { pool, endpoint, delivery, lease } = await leasedCallback()
  await pool.query(`update merchant set disabled_at = now()`)
  await deliverCallback(delivery, lease)
  assert.equal(endpoint.requests.length, 0)
  const { rows } = await pool.query(
    `select s.state, c.attempts from callback c join callback_state s on s.callback_id = c.id`,
  )
  assert.deepEqual(rows, [{ state: 'due', attempts: 0 }])
})

test('recording a result is retried when the database fails', async () => {
  const { pool, endpoint, delivery, lease } = await leasedCallback()
  let refusals = 2
  const record: Delivery['record'] = async attempt => {
    if (refusals-- > 0) throw new Error('the database is unavailable')
    return delivery.record(attempt)
  }
  await deliverCallback({ ...delivery, record }, lease)
  assert.equal(endpoint.requests.length, 1)
  const { rows } = await pool.query(
    `select s.state, c.attempts from callback c join callback_state s on s.callback_id = c.id`,
  )
  assert.deepEqual(rows, [{ state: 'delivered', attempts: 1 }])
})

test('an attempt is one line of facts, without keys, secrets, signatures or bodies', async () => {
  const { endpoint, delivery, lease, recorded, merchant, seeded } = await leasedCallback()
  endpoint.answer = { status: 503, body: 'an answer body' }
  await deliverCallback(delivery, lease)
  const { level, time, pid, hostname, durationMs, retryInMs, ...facts } =
    recorded.lines('callback.attempted')[0]!
  assert.deepEqual(facts, {
    callbackId: seeded.key,
    orderid: seeded.orderid,
    attempt: 1,
    status: 503,
    outcome: 'refused',
    msg: 'callback.attempted',
  })
  assert(typeof durationMs === 'number' && typeof retryInMs === 'number')
  const [request] = endpoint.requests
  const secrets = [
    merchant.keys[0]!.key,
    merchant.webhookSecrets[0]!,
    request!.headers['webhook-signature'] as string,
    new URLSearchParams(request!.body).get('sign')!,
    'an answer body',
    'orderid=',
  ]
  for (const secret of secrets) assert(!recorded.text().includes(secret), secret)
})

function ownLease(callback: LeasedCallback, agoMs = 0): OwnLease {
  const { steadyMs, wallMs } = thisMoment()
  const askedAt = { steadyMs: steadyMs - agoMs, wallMs: wallMs - agoMs }
  return { callback, askedAt, readAtMs: steadyMs }
}

function earlier(moment: Moment, by: Partial<Moment>): Moment {
  return { steadyMs: moment.steadyMs - (by.steadyMs ?? 0), wallMs: moment.wallMs - (by.wallMs ?? 0) }
}

/** A callback that is leased, its merchant with an endpoint, and what delivers it. */
async function leasedCallback() {
  const { pool } = await cloneDatabase()
  const endpoint = await startMerchantEndpoint()
  const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url })
  const seeded = await seedCallback(pool, { merchant })
  const [lease] = await leaseCallbacks(pool, 1, 30_000)
  const recorded = recordLog()
  return {
    pool,
    endpoint,
    merchant,
    seeded,
    lease: lease!,
    recorded,
    delivery: deliveryOf(pool, merchant, recorded),
  }
}

function deliveryOf(
  pool: Awaited<ReturnType<typeof cloneDatabase>>['pool'],
  merchant: Merchant,
  recorded: RecordedLog,
): Delivery {
  const times = { leaseMs: 30_000, marginMs: 15_000, deadlineMs: 10_000 }
  const agent = createGuardedAgent({ allowedNetworks: ['127.0.0.0/8'], connectTimeoutMs: 1_000 })
  after(() => agent.destroy())
  return {
    renew: async lease => (await renewLeases(pool, [lease], times))[0] ?? null,
    release: lease => releaseLeases(pool, [lease]),
    record: async attempt => (await recordAttempts(pool, [attempt]))[0]!.moved,
    merchants: directoryOf(merchant),
    agent,
    allowedNetworks: ['127.0.0.0/8'],
    ...times,
    log: recorded.log,
    metrics: createCallbackMetrics(undefined, pool),
  }
}
