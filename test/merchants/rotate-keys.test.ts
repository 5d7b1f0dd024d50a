import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import { listKeys } from '../../src/merchants/key-store.ts'
import { openMerchantDirectory } from '../../src/merchants/merchant-directory.ts'
import { findMerchantId } from '../../src/merchants/merchant-store.ts'
import { addKey, promoteKey, retireKey } from '../../src/merchants/rotate-keys.ts'
import { addWebhookSecret, retireWebhookSecret } from '../../src/merchants/rotate-webhook-secrets.ts'
import { listWebhookSecrets } from '../../src/merchants/webhook-secret-store.ts'
import { verifyRequest } from '../../src/requests/verify-request.ts'
import { testXpub } from '../support/api-under-test.ts'
import { cloneDatabase } from '../support/database.ts'
import { type Caller, signed } from '../support/signed-request.ts'
import { waitUntil } from '../support/wait-until.ts'

const { pool } = await cloneDatabase()
const masterKey = randomBytes(32)
const log = createLog('silent', 'test')
// Two processes of the API, as far as keys are concerned.
const replicas = await Promise.all([0, 1].map(() => openMerchantDirectory({ pool, masterKey, log })))
after(() => Promise.all(replicas.map(replica => replica.close())))

async function shop() {
  const added = await addMerchant(pool, masterKey, {
    name: 'shop',
    xpub: testXpub,
    scheme: 'sha1',
    checkUrl: () => null,
  })
  const merchantId = (await findMerchantId(pool, added.appid))!
  const keys = () => listKeys(pool, merchantId)
  const secrets = () => listWebhookSecrets(pool, merchantId)
  return { ...added, keys, secrets, firstKey: (await keys())[0]!.id, firstSecret: (await secrets())[0]!.id }
}

/** Which of the replicas let in a request signed with this key. */
function letIn(caller: Caller): Promise<boolean[]> {
  return Promise.all(
    replicas.map(async replica => {
      try {
        await verifyRequest(replica, 'orders', signed(caller, 'orders', { limit: '1' }), { showText: false })
        return true
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'bad_sign')
        return false
      }
    }),
  )
}

async function auditOf(appid: string) {
  const { rows } = await pool.query(
    `select action, detail from audit_event where subject = $1 and action <> 'merchant.added' order by id`,
    [`merchant ${appid}`],
  )
  return rows
}

test('a key is changed with an overlap, scheme and all, and the old one is retired on two replicas', async () => {
  const { appid, key, firstKey, keys } = await shop()
  const before: Caller = { appid, key, scheme: 'sha1' }
  assert.deepEqual(await letIn(before), [true, true], 'a new merchant is known at once')
  const added = await addKey(pool, masterKey, appid, { scheme: 'hmac-sha256' })
  const next: Caller = { appid, key: added.key, scheme: 'hmac-sha256' }
  assert.deepEqual(await letIn(next), [true, true], 'a new key verifies at once')
  assert.deepEqual(await letIn(before), [true, true], 'the overlap')
  const promoted = () => replicas.map(replica => replica.byAppid(appid)!.keys.find(one => one.promoted)!.id)
  assert.deepEqual(promoted(), [firstKey, firstKey], 'adding promotes nothing')
  assert.equal(await promoteKey(pool, appid, added.id), true)
  await waitUntil('the new key signs', () => promoted().every(id => id === added.id))
  assert.deepEqual(await letIn(before), [true, true], 'the one before goes on verifying')
  await retireKey(pool, appid, firstKey)
  await waitUntil('the old key has ended', async () => (await letIn(before)).every(one => !one))
  assert.deepEqual(await letIn(next), [true, true])
  assert.deepEqual(
    (await keys()).map(({ promoted, live }) => ({ promoted, live })),
    [
      { promoted: false, live: false },
      { promoted: true, live: true },
    ],
  )
})

test('a key does not verify under the other scheme', async () => {
  const { appid } = await shop()
  const { key } = await addKey(pool, masterKey, appid, { scheme: 'hmac-sha256' })
  assert.deepEqual(await letIn({ appid, key, scheme: 'hmac-sha256' }), [true, true])
  assert.deepEqual(await letIn({ appid, key, scheme: 'sha1' }), [false, false])
})

test('the key that signs callbacks is not retired unless that is said, nor at a time to come', async () => {
  const { appid, firstKey, keys } = await shop()
  await assert.rejects(
    retireKey(pool, appid, firstKey),
    /signs callbacks: promote another.*--even-if-promoted/,
  )
  const tomorrow = new Date(Date.now() + 86_400_000)
  const later = retireKey(pool, appid, firstKey, { at: tomorrow, evenIfPromoted: true })
  await assert.rejects(later, /signs callbacks: promote another/)
  assert.equal((await keys())[0]!.retiredAt, null)
  await retireKey(pool, appid, firstKey, { evenIfPromoted: true })
  const [ended] = await keys()
  assert.deepEqual([ended!.promoted, ended!.live], [false, false])
})

test('a key set to end later verifies until then, and cannot be promoted', async () => {
  const { appid, keys } = await shop()
  const { id, key } = await addKey(pool, masterKey, appid, { scheme: 'sha1' })
  const caller: Caller = { appid, key, scheme: 'sha1' }
  const at = new Date(Date.now() + 3_000)
  assert.deepEqual(await retireKey(pool, appid, id, { at }), at)
  await assert.rejects(promoteKey(pool, appid, id), /ends at .*only a key without an end/)
  assert.deepEqual(await letIn(caller), [true, true])
  await waitUntil('it has ended', async () => (await letIn(caller)).every(one => !one))
  assert.equal((await keys()).find(one => one.id === id)!.live, false, 'not before its time')
  await assert.rejects(promoteKey(pool, appid, id), /ended at/)
})

test('an end in the past is an end now; ended once, it stays as it was', async () => {
  const { appid } = await shop()
  const { id } = await addKey(pool, masterKey, appid, { scheme: 'sha1' })
  const longAgo = new Date('2020-01-01T00:00:00Z')
  const ended = await retireKey(pool, appid, id, { at: longAgo })
  assert.ok(ended > longAgo)
  assert.deepEqual(await retireKey(pool, appid, id), ended)
  const retirements = (await auditOf(appid)).filter(event => event.action === 'merchant.key_retired')
  assert.equal(retirements.length, 1)
})

test("nobody's key, another merchant's key, a promoted key: nothing is done, and nothing recorded", async () => {
  const [mine, theirs] = [await shop(), await shop()]
  await assert.rejects(addKey(pool, masterKey, 'nobody', { scheme: 'sha1' }), /no merchant has the appid/)
  await assert.rejects(promoteKey(pool, mine.appid, theirs.firstKey), /has no key/)
  await assert.rejects(retireKey(pool, mine.appid, theirs.firstKey, { evenIfPromoted: true }), /has no key/)
  await assert.rejects(retireWebhookSecret(pool, mine.appid, theirs.firstSecret), /has no webhook secret/)
  assert.equal(await promoteKey(pool, mine.appid, mine.firstKey), false)
  assert.deepEqual([await auditOf(mine.appid), await auditOf(theirs.appid)], [[], []])
  assert.equal((await theirs.keys())[0]!.live, true)
})

test('two operators who promote at once leave one key promoted', async () => {
  const { appid, keys } = await shop()
  const added = await Promise.all([0, 1].map(() => addKey(pool, masterKey, appid, { scheme: 'hmac-sha256' })))
  await Promise.all(added.map(({ id }) => promoteKey(pool, appid, id)))
  assert.equal((await keys()).filter(one => one.promoted).length, 1)
})

test('webhook secrets overlap; the last one that goes on is not retired unless that is said', async () => {
  const { appid, webhookSecret, firstSecret } = await shop()
  const held = () => replicas.map(replica => replica.byAppid(appid)?.webhookSecrets)
  const added = await addWebhookSecret(pool, masterKey, appid)
  assert.match(added.webhookSecret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  const both = [webhookSecret, added.webhookSecret]
  await waitUntil('both are live', () => held().every(secrets => secrets?.join() === both.join()))
  await retireWebhookSecret(pool, appid, added.id, { at: new Date(Date.now() + 86_400_000) })
  await assert.rejects(retireWebhookSecret(pool, appid, firstSecret), /is the last one.*--even-if-last/)
  await retireWebhookSecret(pool, appid, added.id)
  await waitUntil('one has ended', () => held().every(secrets => secrets?.join() === webhookSecret))
  await retireWebhookSecret(pool, appid, firstSecret, { evenIfLast: true })
  await waitUntil('none is left', () => held().every(secrets => secrets?.length === 0))
})

test('no merchant has more than ten live keys, or secrets', async () => {
  const { appid, firstKey, firstSecret } = await shop()
  for (let i = 1; i < 10; i++) {
    await addKey(pool, masterKey, appid, { scheme: 'sha1' })
    await addWebhookSecret(pool, masterKey, appid)
  }
  await assert.rejects(addKey(pool, masterKey, appid, { scheme: 'sha1' }), /10 keys are live/)
  await assert.rejects(addWebhookSecret(pool, masterKey, appid), /10 secrets are live/)
  await retireKey(pool, appid, firstKey, { evenIfPromoted: true })
  await retireWebhookSecret(pool, appid, firstSecret)
  await addKey(pool, masterKey, appid, { scheme: 'sha1' })
  await addWebhookSecret(pool, masterKey, appid)
})

test('changes are recorded with their actor, and no key or secret is in them or can be read from the tables', async () => {
  const { appid, firstKey, firstSecret, keys, secrets } = await shop()
  const actor = 'alice'
  const key = await addKey(pool, masterKey, appid, { scheme: 'hmac-sha256', actor })
  await promoteKey(pool, appid, key.id, { actor })
  await retireKey(pool, appid, firstKey, { actor })
  const secret = await addWebhookSecret(pool, masterKey, appid, { actor })
  await retireWebhookSecret(pool, appid, firstSecret, { actor })
  const { rows } = await pool.query(
    `select actor, action, detail from audit_event where subject = $1 and actor = 'alice' order by id`,
    [`merchant ${appid}`],
  )
  const scheme = 'hmac-sha256'
  assert.deepEqual(
    rows.map(({ action, detail: { at, ...detail } }) => ({ action, ...detail })),
    [
      { action: 'merchant.key_added', keyId: `${key.id}`, scheme },
      { action: 'merchant.key_promoted', keyId: `${key.id}`, scheme, instead: `${firstKey}` },
      { action: 'merchant.key_retired', keyId: `${firstKey}`, scheme: 'sha1', promoted: false },
      { action: 'merchant.secret_added', secretId: `${secret.id}` },
      { action: 'merchant.secret_retired', secretId: `${firstSecret}`, last: false },
    ],
  )
  const shown = JSON.stringify([rows, await keys(), await secrets()], (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  )
  for (const text of [key.key, secret.webhookSecret, 'sealed']) assert.ok(!shown.includes(text))
})
