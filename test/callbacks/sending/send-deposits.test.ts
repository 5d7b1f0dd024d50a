import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { rerouteCallbacks } from '../../../src/callbacks/leasing/reroute-store.ts'
import { addCallbackCommands } from '../../../src/cli/callback-commands.ts'
import type { Pool } from '../../../src/db/pool.ts'
import { commandInProcess } from '../../support/command-in-process.ts'
import { cloneDatabase } from '../../support/database.ts'
import { startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { withCourier } from '../../support/open-courier.ts'
import { seedAddress } from '../../support/seed.ts'
import { seedCallback, seedDeposit } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'
import { verifyCallback } from '../../support/verify-callback.ts'
import { waitUntil } from '../../support/wait-until.ts'

const quick = { pollMs: 20 }

async function stateOf(pool: Pool, key: string): Promise<string> {
  return (await pool.query('select state from report.callbacks where key = $1', [key])).rows[0].state
}

/** Runs `gateway callbacks ...` in this process. @returns what it printed, parsed. */
async function gateway(t: TestContext, url: string, ...args: string[]) {
  process.env.DATABASE_URL = url
  return JSON.parse(await commandInProcess(t, addCallbackCommands, 'callbacks', ...args, '--json'))
}

for (const callbackFormat of ['form', 'json'] as const) {
  test(`a deposit is sent once as ${callbackFormat}, signed like a callback, and has no orderid and no amount`, async () => {
    const { pool, url } = await cloneDatabase()
    const endpoint = await startMerchantEndpoint()
    const settings = { callbackUrl: endpoint.url, callbackFormat, callbackFields: 'full', deposits: true }
    const merchant = await seedMerchant(pool, settings)
    const { addressId, address } = await seedAddress(pool, { merchantId: merchant.id, localusermark: 'u7' })
    const paid = { merchant, addressId, amount: 3_000_050n, logIndex: 4 }
    const { key, txid } = await seedDeposit(pool, paid)
    await withCourier({ pool, url, redisUrl: undefined, merchants: [merchant], tuning: quick }, async () => {
      await waitUntil('delivered', async () => (await stateOf(pool, key)) === 'delivered')
    })
    assert.equal(endpoint.requests.length, 1)
    const [request] = endpoint.requests
    const { t, sign: _, ...fields } = verifyCallback(request!, merchant)
    assert.match(t!, /^\d{10}$/)
    assert.deepEqual(fields, {
      deposit_id: key,
      deposit_localusermark: 'u7',
      deposit_address: address,
      deposit_txid: txid,
      deposit_log_index: '4',
      deposit_amount: '30000',
      deposit_amount_usdt: '3.00005',
      appid: merchant.appid,
    })
    assert.equal(request!.headers['webhook-id'], key)
  })
}

test('a deposit that is refused is retried by the schedule, given up after 15 attempts, and sent again by key', async t => {
  const { pool, url } = await cloneDatabase()
  const endpoint = await startMerchantEndpoint({ status: 404 })
  const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url, deposits: true })
  const { addressId } = await seedAddress(pool, { merchantId: merchant.id })
  const order = await seedCallback(pool, { merchant })
  const { key } = await seedDeposit(pool, { merchant, addressId })
  await withCourier({ pool, url, redisUrl: undefined, merchants: [merchant], tuning: quick }, async () => {
    await waitUntil('given up', async () => {
      // Its next attempt is due in hours.
      await pool.query(`update callback_outbox set due_at = now() where state = 'due'`)
      return (await stateOf(pool, key)) === 'exhausted' && (await stateOf(pool, order.key)) === 'exhausted'
    })
    const sent = endpoint.requests.filter(({ headers }) => headers['webhook-id'] === key)
    assert.equal(sent.length, 15)
    const listed = await gateway(t, url, 'list', '--key', key)
    assert.equal(listed.total, 1)
    assert.deepEqual(
      [listed.callbacks[0].orderid, listed.callbacks[0].usdt, listed.callbacks[0].state],
      [null, '3', 'exhausted'],
    )
    assert.equal((await gateway(t, url, 'list', '--state', 'exhausted')).total, 2)
    endpoint.answer = { status: 200 }
    const one = ['resend', '--appid', merchant.appid, '--state', 'exhausted', '--key', key]
    assert.deepEqual(await gateway(t, url, ...one), { matching: 1, resent: 1, skipped: 0 })
    await waitUntil('delivered', async () => (await stateOf(pool, key)) === 'delivered')
    assert.equal(await stateOf(pool, order.key), 'exhausted')
  })
})

test('deposits of a disabled merchant are held, and go to its new URL when that is changed', async () => {
  const { pool, url } = await cloneDatabase()
  const endpoint = await startMerchantEndpoint()
  const away = { callbackUrl: 'https://away.example/cb', deposits: true }
  const merchant = await seedMerchant(pool, { ...away, disabledAt: new Date() })
  const { addressId } = await seedAddress(pool, { merchantId: merchant.id })
  const { key } = await seedDeposit(pool, { merchant, addressId })
  assert.equal(await stateOf(pool, key), 'held')
  await pool.query(`update merchant set callback_url = $1, disabled_at = null`, [endpoint.url])
  assert.equal(await rerouteCallbacks(pool), 1)
  const merchants = [{ ...merchant, callbackUrl: endpoint.url, disabledAt: null }]
  await withCourier({ pool, url, redisUrl: undefined, merchants, tuning: quick }, async () => {
    await waitUntil('delivered', async () => (await stateOf(pool, key)) === 'delivered')
  })
  assert.equal(endpoint.requests.length, 1)
})
