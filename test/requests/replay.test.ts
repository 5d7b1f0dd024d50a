import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openNonceGate } from '../../src/requests/replay.ts'
import { purgeNonces } from '../../src/requests/request-nonce-store.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedMerchant } from '../support/seed-merchant.ts'

const { pool } = await cloneDatabase()
const { id: merchantId } = await seedMerchant(pool)
const reused = { code: 'nonce_reused' }

/** Makes a nonce look as old as that. */
async function age(nonce: string, interval: string): Promise<void> {
  await pool.query(`update request_nonce set created_at = now() - $2::interval where nonce = $1`, [
    nonce,
    interval,
  ])
}

test('a nonce with another sign is refused, also by another process and after a restart', async () => {
  const nonce = { merchantId, nonce: 'nonce-of-the-first-process', sign: 'A' }
  await openNonceGate(pool)(nonce, 'usual')
  const restarted = openNonceGate(pool)
  await restarted(nonce, 'usual')
  await assert.rejects(restarted({ ...nonce, sign: 'B' }, 'usual'), reused)
})

test('where it may be used once, even the same sign is refused', async () => {
  const gate = openNonceGate(pool)
  const nonce = { merchantId, nonce: 'nonce-used-but-once', sign: 'A' }
  await gate(nonce, 'once')
  await assert.rejects(gate(nonce, 'once'), reused)
  const race = { merchantId, nonce: 'nonce-raced-for', sign: 'A' }
  const raced = await Promise.allSettled(Array.from({ length: 32 }, () => gate(race, 'once')))
  assert.equal(raced.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('two processes that race for a nonce with different signs: one wins', async () => {
  const gates = [openNonceGate(pool), openNonceGate(pool)]
  for (let round = 0; round < 20; round++) {
    const raced = await Promise.allSettled(
      gates.map((gate, i) =>
        gate({ merchantId, nonce: `race-${round}-of-two-processes`, sign: String(i) }, 'usual'),
      ),
    )
    assert.equal(raced.filter(({ status }) => status === 'fulfilled').length, 1, `round ${round}`)
  }
})

test('a nonce is kept for ten minutes, and may be used again after that, purged or not', async () => {
  const gate = openNonceGate(pool)
  const young = { merchantId, nonce: 'nine minutes old', sign: 'A' }
  const old = { merchantId, nonce: 'eleven minutes old', sign: 'A' }
  for (const nonce of [young, old]) await gate(nonce, 'usual')
  await age(young.nonce, '9 minutes')
  await age(old.nonce, '11 minutes')
  await assert.rejects(gate({ ...young, sign: 'B' }, 'usual'), reused)
  await gate({ ...old, sign: 'B' }, 'usual')
  await assert.rejects(gate(old, 'usual'), reused, 'it is kept anew, with its new sign')
})

test('purging forgets what is older than ten minutes and nothing else', async () => {
  const gate = openNonceGate(pool)
  await gate({ merchantId, nonce: 'to be purged', sign: 'A' }, 'usual')
  await gate({ merchantId, nonce: 'not to be purged', sign: 'A' }, 'usual')
  await age('to be purged', '10 minutes 1 second')
  assert.equal(await purgeNonces(pool), 1)
  const { rows } = await pool.query(`select nonce from request_nonce where nonce like '%to be purged'`)
  assert.deepEqual(rows, [{ nonce: 'not to be purged' }])
})
