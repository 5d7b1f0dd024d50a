import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, beforeEach, test } from 'node:test'
import { auditGateway } from '../../src/audit/audit-gateway.ts'
import { createLog } from '../../src/base/log.ts'
import { inTransaction, rows } from '../../src/db/pool.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import { openMerchantDirectory } from '../../src/merchants/merchant-directory.ts'
import { resealSecrets } from '../../src/merchants/reseal-secrets.ts'
import { addKey, promoteKey, retireKey } from '../../src/merchants/rotate-keys.ts'
import { addWebhookSecret } from '../../src/merchants/rotate-webhook-secrets.ts'
import { testXpub } from '../support/api-under-test.ts'
import { cloneDatabase, emptyDatabase } from '../support/database.ts'
import { waitUntil } from '../support/wait-until.ts'

const { pool } = await cloneDatabase()
const masterKey = randomBytes(32)
const merchants = await openMerchantDirectory({ pool, masterKey, log: createLog('silent', 'test') })
after(() => merchants.close())
beforeEach(async () => {
  await emptyDatabase(pool)
  await pool.query('update merchant_version set sealing = 1, version = version + 1')
})

const shop = () =>
  addMerchant(pool, masterKey, { name: 'shop', xpub: testXpub, scheme: 'hmac-sha256', checkUrl: () => null })
const reseal = () => resealSecrets(pool, masterKey, { actor: 'a test' })
const left = async () => (await auditGateway(pool, { appid: null, dueMaxS: 900 })).open.unboundSecrets
const keysOf = async (appid: string) => {
  await merchants.refresh()
  return merchants.byAppid(appid)!.keys.map(({ key }) => key)
}

/** Puts the blob of one key's row into another's, as somebody who can write to the database would. */
async function move(from: bigint, to: bigint): Promise<void> {
  await pool.query(
    `update merchant_key set sealed = (select sealed from merchant_key where id = $1) where id = $2`,
    [from, to],
  )
}

/** A merchant whose first key is retired and whose second one is promoted. */
async function withRetiredKey() {
  const { appid, key: retired } = await shop()
  const { id: live, key } = await addKey(pool, masterKey, appid, { scheme: 'hmac-sha256' })
  await promoteKey(pool, appid, live)
  const [first] = await rows<{ id: bigint }>(
    pool,
    'select min(k.id) as id from merchant_key k join merchant m on m.id = k.merchant_id where m.appid = $1',
    [appid],
  )
  await retireKey(pool, appid, first!.id)
  return { appid, retired: { id: first!.id, key: retired }, live: { id: live, key } }
}

test('until resealed, new secrets are sealed as every release reads them; resealed, all are bound to their rows', async () => {
  const { appid, live } = await withRetiredKey()
  await addWebhookSecret(pool, masterKey, appid)
  assert.equal(await left(), 4n)
  assert.deepEqual(await reseal(), { resealed: 4, unopened: [] })
  assert.equal(await left(), 0n)
  assert.deepEqual(await keysOf(appid), [live.key])
  assert.equal(merchants.byAppid(appid)!.webhookSecrets.length, 2)
  const added = await addKey(pool, masterKey, appid, { scheme: 'sha1' })
  assert.deepEqual(await keysOf(appid), [live.key, added.key])
  assert.equal((await keysOf((await shop()).appid)).length, 1)
  assert.equal(await left(), 0n, 'new ones are bound too')
  const events = await rows<{ action: string }>(pool, `select action from audit_event where actor = 'a test'`)
  assert.deepEqual(
    events.map(({ action }) => action),
    ['secrets.sealing_set', 'secrets.resealed', 'secrets.resealed'],
  )
})

test("a retired key's blob put into a live row opens before resealing, and not after", async () => {
  const { appid, retired, live } = await withRetiredKey()
  await move(retired.id, live.id)
  assert.deepEqual(await keysOf(appid), [retired.key], 'the fault')
  const other = await withRetiredKey()
  await reseal()
  await move(other.retired.id, other.live.id)
  assert.deepEqual(await keysOf(other.appid), [])
  assert.deepEqual(await keysOf(appid), [retired.key], 'what was moved before is not found out')
})

test('a reseal that was broken off goes on where it was, and one more changes nothing', async () => {
  const { appid } = await shop()
  for (let i = 0; i < 150; i++) {
    await pool.query(
      `insert into merchant_key (merchant_id, scheme, sealed, retired_at)
       select merchant_id, scheme, sealed, now() from merchant_key where promoted`,
    )
  }
  // The first table is done, then the second one refuses.
  await pool.query(`alter table webhook_secret add constraint broken check (get_byte(sealed, 0) = 1)`)
  await assert.rejects(reseal(), /broken/)
  await pool.query(`alter table webhook_secret drop constraint broken`)
  assert.equal(await left(), 1n)
  assert.equal((await reseal()).resealed, 1)
  const sealed = () => rows(pool, 'select id, sealed from merchant_key order by id')
  const before = await sealed()
  assert.deepEqual(await reseal(), { resealed: 0, unopened: [] })
  assert.deepEqual(await sealed(), before)
  assert.equal((await keysOf(appid)).length, 1)
})

test('under another master key nothing is changed; a damaged row is named and left', async () => {
  await shop()
  await assert.rejects(resealSecrets(pool, randomBytes(32), { actor: 'a test' }), /MASTER_KEY is not the one/)
  const [{ sealing } = { sealing: 0 }] = await rows<{ sealing: number }>(
    pool,
    'select sealing from merchant_version',
  )
  assert.equal(sealing, 1)
  const [damaged] = await rows<{ id: bigint }>(
    pool,
    `update merchant_key set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) returning id`,
  )
  assert.deepEqual(await reseal(), { resealed: 1, unopened: [{ table: 'merchant_key', id: damaged!.id }] })
  assert.equal(await left(), 1n)
})

test('a key that is being added while resealing begins is not left behind', async () => {
  const { appid } = await shop()
  let resealed: Promise<unknown> | undefined
  await inTransaction(pool, async tx => {
    // As addKey does: the version is read, and the row is not committed yet.
    await tx.query('select sealing from merchant_version for no key update')
    resealed = reseal()
    await waitUntil('the reseal waits', async () => {
      const waiting = await rows(
        pool,
        `select 1 from pg_stat_activity where wait_event_type = 'Lock'
                                         and query like 'update merchant_version%' and datname = current_database()`,
      )
      return waiting.length > 0
    })
    await tx.query(
      `insert into merchant_key (merchant_id, scheme, sealed) select merchant_id, scheme, sealed from merchant_key`,
    )
  })
  await resealed
  assert.equal(await left(), 0n)
  assert.equal((await keysOf(appid)).length, 2)
})
