import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { createLog } from '../../../src/base/log.ts'
import { startCourier } from '../../../src/courier.ts'
import { addMerchant } from '../../../src/merchants/add-merchant.ts'
import { listKeys } from '../../../src/merchants/key-store.ts'
import { openMerchantDirectory } from '../../../src/merchants/merchant-directory.ts'
import { addKey, promoteKey, retireKey } from '../../../src/merchants/rotate-keys.ts'
import { addWebhookSecret, retireWebhookSecret } from '../../../src/merchants/rotate-webhook-secrets.ts'
import { type SignatureScheme, signParameters } from '../../../src/merchants/signature.ts'
import { listWebhookSecrets } from '../../../src/merchants/webhook-secret-store.ts'
import { testXpub } from '../../support/api-under-test.ts'
import { cloneDatabase } from '../../support/database.ts'
import { type ReceivedCallback, startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { waitUntil } from '../../support/wait-until.ts'

const { pool, url } = await cloneDatabase()
const masterKey = randomBytes(32)
const log = createLog('silent', 'test')

/** The keys and secrets that the merchant's code knows: during a rotation both the old and the new. */
const known: { keys: { scheme: SignatureScheme; key: string }[]; secrets: string[] } = {
  keys: [],
  secrets: [],
}

/** Finds the index of the known key that verifies a callback (-1: none), and how many of the known secrets do. */
function verify({ body, headers }: ReceivedCallback): { key: number; secrets: number } {
  const fields = Object.fromEntries(new URLSearchParams(body))
  const key = known.keys.findIndex(
    one => fields.sign === signParameters(one.scheme, 'callback', fields, one.key),
  )
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const given = String(headers['webhook-signature']).split(' ')
  const verifying = known.secrets.filter(secret =>
    given.includes(
      `v1,${createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
        .update(signed)
        .digest('base64')}`,
    ),
  )
  return { key, secrets: verifying.length }
}

test('keys and secrets are rotated while callbacks are pending, and each delivery verifies with a live one', async () => {
  const endpoint = await startMerchantEndpoint()
  const added = await addMerchant(pool, masterKey, {
    name: 'shop',
    xpub: testXpub,
    scheme: 'sha1',
    callbackUrl: endpoint.url,
    checkUrl: () => null,
  })
  const { appid } = added
  const merchants = await openMerchantDirectory({ pool, masterKey, log })
  const merchant = () => merchants.byAppid(appid)!
  const courier = await startCourier({
    pool,
    databaseUrl: url,
    redisUrl: undefined,
    merchants,
    allowedNetworks: ['127.0.0.0/8'],
    log,
  })
  after(async () => {
    await courier.stop()
    await merchants.close()
  })
  known.keys.push({ scheme: 'sha1', key: added.key })
  known.secrets.push(added.webhookSecret)
  const seen = { keys: new Set<number>(), secrets: new Set<number>() }
  endpoint.answer = request => {
    const verified = verify(request)
    seen.keys.add(verified.key)
    seen.secrets.add(verified.secrets)
    return { status: 200 }
  }
  const forget = () => {
    seen.keys.clear()
    seen.secrets.clear()
  }
  let total = 0
  /** Runs a step while 60 more callbacks are pending. */
  const during = async (step: () => Promise<unknown>) => {
    await seedCallbacks(
      pool,
      Array.from({ length: 60 }, () => ({ merchant: merchant() })),
    )
    total += 60
    await step()
    await waitUntil('all are delivered', async () => {
      const { rows } = await pool.query(`select from callback where delivered_at is not null`)
      return rows.length >= total
    })
  }

  await during(async () => {
    const key = await addKey(pool, masterKey, appid, { scheme: 'hmac-sha256' })
    const secret = await addWebhookSecret(pool, masterKey, appid)
    known.keys.push(key)
    known.secrets.push(secret.webhookSecret)
    await waitUntil('they are live', () => merchant().keys.length === 2)
  })
  assert.deepEqual([...seen.keys], [0], 'a key that is not promoted signs nothing')
  assert.ok(!seen.secrets.has(0))

  forget()
  const [oldKey, newKey] = await listKeys(pool, merchant().id)
  await during(async () => {
    await promoteKey(pool, appid, newKey!.id)
    await waitUntil('it signs', () => merchant().keys.find(key => key.promoted)!.id === newKey!.id)
  })
  assert.ok(!seen.keys.has(-1), 'each verifies with the one or the other')
  assert.deepEqual([...seen.secrets], [2], 'one signature for each live secret')

  forget()
  await during(async () => {
    const [oldSecret] = await listWebhookSecrets(pool, merchant().id)
    await retireKey(pool, appid, oldKey!.id)
    await retireWebhookSecret(pool, appid, oldSecret!.id)
    await waitUntil('they have ended', () => merchant().webhookSecrets.length === 1)
  })
  assert.deepEqual([...seen.keys], [1])
  assert.ok(!seen.secrets.has(0), 'with the one secret or both')

  forget()
  known.keys.shift()
  known.secrets.shift()
  await during(async () => undefined)
  assert.deepEqual([[...seen.keys], [...seen.secrets]], [[0], [1]], 'the old ones can be forgotten')
  const { rows } = await pool.query(
    `select count(*) filter (where delivered_at is not null)::int as delivered, sum(attempts)::int as attempts from callback`,
  )
  assert.deepEqual(rows, [{ delivered: total, attempts: total }])
})

test('while no key is promoted nothing is sent; once one is, the callbacks that waited are', async () => {
  const endpoint = await startMerchantEndpoint()
  const added = await addMerchant(pool, masterKey, {
    name: 'shop',
    xpub: testXpub,
    scheme: 'sha1',
    callbackUrl: endpoint.url,
    checkUrl: () => null,
  })
  const merchants = await openMerchantDirectory({ pool, masterKey, log })
  const merchant = merchants.byAppid(added.appid)!
  await retireKey(pool, added.appid, merchant.keys[0]!.id, { evenIfPromoted: true })
  await merchants.refresh()
  const courier = await startCourier({
    pool,
    databaseUrl: url,
    redisUrl: undefined,
    merchants,
    allowedNetworks: ['127.0.0.0/8'],
    log,
  })
  after(async () => {
    await courier.stop()
    await merchants.close()
  })
  const [callback] = await seedCallbacks(pool, [{ merchant }])
  const attemptsOf = async () =>
    (await pool.query(`select outcome from callback_attempt where callback_id = $1`, [callback!.callbackId]))
      .rows
  await waitUntil('an attempt is recorded', async () => (await attemptsOf()).length > 0)
  assert.deepEqual(await attemptsOf(), [{ outcome: 'no_key' }])
  assert.equal(endpoint.requests.length, 0)
  const key = await addKey(pool, masterKey, added.appid, { scheme: 'hmac-sha256' })
  await promoteKey(pool, added.appid, key.id)
  known.keys.push(key)
  await waitUntil('it is sent', () => endpoint.requests.length === 1)
  assert.equal(verify(endpoint.requests[0]!).key, known.keys.length - 1)
})
