import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaseCallbacks, renewLeases } from '../../../src/callbacks/leasing/lease-store.ts'
import type { Lease, LeasedCallback } from '../../../src/callbacks/outbox/lease.ts'
import { attemptCallback } from '../../../src/callbacks/sending/attempt-callback.ts'
import { recordAttempts } from '../../../src/callbacks/sending/attempt-store.ts'
import type { Pool } from '../../../src/db/pool.ts'
import { createGuardedAgent } from '../../../src/egress/guarded-agent.ts'
import { cloneDatabase } from '../../support/database.ts'
import { startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { seedCallback } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

const allowedNetworks = ['127.0.0.0/8']

test('however the order changes, every attempt says what the first one said', async t => {
  const { pool } = await cloneDatabase()
  const endpoint = await startMerchantEndpoint({ status: 500 })
  const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url, callbackFields: 'full' })
  await seedCallback(pool, { merchant, amount: 3_000_050n })
  const agent = createGuardedAgent({ allowedNetworks, connectTimeoutMs: 1_000 })
  t.after(() => agent.destroy())
  const [lease] = await leaseCallbacks(pool, 1, 30_000)
  const send = async () => {
    const sending = { agent, allowedNetworks, deadlineMs: 5_000 }
    await attemptCallback(await renewed(pool, lease!), merchant, sending)
    const { t, sign, ...same } = Object.fromEntries(new URLSearchParams(endpoint.requests.at(-1)!.body))
    assert(t && sign)
    return same
  }
  const first = await send()
  // The order has been paid several times since, and has expired.
  await pool.query(
    `update recharge_order set received = 900000000, announced = 9000000, expires_at = '2020-01-01'`,
  )
  await pool.query(`update callback_outbox set leased_until = now() + interval '1 minute', schedule_step = 7`)
  await pool.query(`update callback set attempts = 7, last_status = 500`)
  assert.deepEqual(await send(), first)
  assert.equal(first.received_usdt, '3.00005')
})

test('an answer that Postgres cannot store as it is does not keep its attempt out of the history', async t => {
  const { pool } = await cloneDatabase()
  const endpoint = await startMerchantEndpoint()
  const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url })
  await seedCallback(pool, { merchant })
  const agent = createGuardedAgent({ allowedNetworks, connectTimeoutMs: 1_000 })
  t.after(() => agent.destroy())
  const answers = [
    Buffer.from('ok\0ok'),
    Buffer.alloc(100_000, 0),
    Buffer.alloc(100_000, 0xff),
    Buffer.from([0xed, 0xa0, 0x80, 0xc0, 0x80, 0xf4, 0x90, 0x80, 0x80]),
    Buffer.from('€'.repeat(2_000)),
    Buffer.from('😀'.repeat(2_000)),
  ]
  const [lease] = await leaseCallbacks(pool, 1, 30_000)
  const callback = await renewed(pool, lease!)
  for (const [n, body] of answers.entries()) {
    endpoint.answer = { status: 500, body }
    const sending = { agent, allowedNetworks, deadlineMs: 5_000 }
    const { url, outcome } = await attemptCallback(callback, merchant, sending)
    assert(outcome.kind === 'refused')
    const { id, epoch, now } = callback
    const attempt = { id, epoch, attempt: n + 1, startedAt: now, durationMs: 1, url, outcome: outcome.kind }
    const next = { kind: 'retry' as const, inMs: 1_000 }
    await recordAttempts(pool, [{ ...attempt, status: 500, answer: outcome.answer, scheduleStep: n, next }])
  }
  const { rows } = await pool.query(
    `select octet_length(answer) as bytes, char_length(answer) as characters from callback_attempt order by attempt`,
  )
  assert.deepEqual(
    rows.map(({ bytes, characters }) => [bytes, characters]),
    // Each byte that is not text becomes U+FFFD, of three bytes. A character that does not fit entirely is left out.
    [
      [7, 5],
      [2046, 682],
      [2046, 682],
      [27, 9],
      [2046, 682],
      [2048, 512],
    ],
  )
})

async function renewed(pool: Pool, lease: Lease): Promise<LeasedCallback> {
  const [callback] = await renewLeases(pool, [lease], { leaseMs: 30_000, marginMs: 15_000 })
  assert(callback)
  return callback
}
