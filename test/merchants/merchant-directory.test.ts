import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import type { MerchantId } from '../../src/base/ids.ts'
import { createLog } from '../../src/base/log.ts'
import { createPool } from '../../src/db/pool.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import { openMerchantDirectory } from '../../src/merchants/merchant-directory.ts'
import { sealSecret } from '../../src/merchants/sealed-secret.ts'
import { testXpub } from '../support/api-under-test.ts'
import { startBreakableProxy } from '../support/breakable-proxy.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedMerchants } from '../support/seed-merchant.ts'
import { waitUntil } from '../support/wait-until.ts'

const log = createLog('silent', 'test')
const masterKey = randomBytes(32)
const { pool, url } = await cloneDatabase()

async function directory(key = masterKey, from = pool) {
  const opened = await openMerchantDirectory({ pool: from, masterKey: key, log })
  after(() => opened.close())
  return opened
}

const shop = () =>
  addMerchant(pool, masterKey, { name: 'shop', xpub: testXpub, scheme: 'sha1', checkUrl: () => null })

test('it holds a merchant whole: settings, live keys opened, secrets opened', async () => {
  const added = await shop()
  const merchants = await directory()
  const merchant = merchants.byAppid(added.appid)!
  assert.equal(merchants.byId(merchant.id), merchant)
  assert.equal(merchant.name, 'shop')
  assert.deepEqual(
    merchant.keys.map(({ scheme, key, promoted }) => ({ scheme, key, promoted })),
    [{ scheme: 'sha1', key: added.key, promoted: true }],
  )
  assert.deepEqual(merchant.webhookSecrets, [added.webhookSecret])
  assert.equal(merchant.always200, true)
  assert.equal(merchant.callbackFormat, 'form')
  assert.equal(merchants.byAppid('nobody'), undefined)
  assert.equal(merchants.byId(0n as MerchantId), undefined)
})

test('a new key works on every replica, and a retired one stops working', async () => {
  const added = await shop()
  const replicas = await Promise.all([directory(), directory()])
  const merchantId = replicas[0]!.byAppid(added.appid)!.id
  const keysOf = (i: number) => replicas[i]!.byAppid(added.appid)!.keys.map(key => key.key)
  const row = { table: 'merchant_key', id: 0n, merchantId, purpose: 'hmac-sha256' } as const
  const seal = sealSecret(masterKey, row, 'the new key', 1)
  await pool.query(`insert into merchant_key (merchant_id, scheme, sealed) values ($1, 'hmac-sha256', $2)`, [
    merchantId,
    seal,
  ])
  await waitUntil('both keys live', () => [0, 1].every(i => keysOf(i).length === 2))
  await pool.query(
    `update merchant_key set promoted = false, retired_at = now() where merchant_id = $1 and promoted`,
    [merchantId],
  )
  await waitUntil('one key live', () => [0, 1].every(i => keysOf(i).join() === 'the new key'))
})

test('a key that is to end later ends then, though nothing changes at that moment', async () => {
  const added = await shop()
  const merchants = await directory()
  const { id } = merchants.byAppid(added.appid)!
  await pool.query(
    `update merchant_key set promoted = false, retired_at = now() + interval '2 seconds' where merchant_id = $1`,
    [id],
  )
  await merchants.refresh()
  assert.equal(merchants.byAppid(added.appid)!.keys.length, 1, 'until then it is live')
  await waitUntil('the key has ended', () => merchants.byAppid(added.appid)!.keys.length === 0)
})

test('a secret moved to another merchant is left out alone, and the rest goes on', async () => {
  const [one, two] = [await shop(), await shop()]
  await pool.query(
    `update merchant_key
        set sealed = (select sealed from merchant_key k join merchant m on m.id = k.merchant_id where m.appid = $1)
      where merchant_id = (select id from merchant where appid = $2)`,
    [one.appid, two.appid],
  )
  const merchants = await directory()
  assert.deepEqual(merchants.byAppid(two.appid)!.keys, [])
  assert.deepEqual(merchants.byAppid(two.appid)!.webhookSecrets, [two.webhookSecret])
  assert.equal(merchants.byAppid(one.appid)!.keys[0]!.key, one.key)
})

test('a list of clients that cannot be read lets nobody in, and stops no other merchant', async () => {
  const [one, two] = [await shop(), await shop()]
  const merchants = await directory()
  const set = (appid: string, clients: string[]) =>
    pool.query(`update merchant set allowed_clients = $2 where appid = $1`, [appid, clients])
  await set(one.appid, ['shop.example', '10.0.0.0/33'])
  await set(two.appid, ['shop.example', '203.0.113.0/24'])
  await merchants.refresh()
  const lets = (appid: string, client: string) => merchants.byAppid(appid)!.allowedClients!.check(client)
  assert.equal(lets(one.appid, '10.0.0.1'), false)
  assert.equal(lets(two.appid, '203.0.113.7'), true)
  assert.equal(lets(two.appid, '10.0.0.1'), false)
  await pool.query(`update merchant set allowed_clients = '{}' where appid = any($1)`, [
    [one.appid, two.appid],
  ])
})

test('another master key is refused at the start, and no secret is in what is said', async () => {
  await shop()
  await assert.rejects(directory(randomBytes(32)), {
    name: 'UsageError',
    message: /MASTER_KEY is not the one/,
  })
})

test('the key column holds nothing that can be read', async () => {
  const added = await shop()
  const { rows } = await pool.query(
    `select sealed from merchant_key union all select sealed from webhook_secret`,
  )
  for (const { sealed } of rows) {
    for (const secret of [added.key, added.webhookSecret, Buffer.from(added.key, 'hex')]) {
      assert.ok(!sealed.includes(secret))
    }
  }
})

test('while the database is away it keeps what it has, and is current again afterwards', async () => {
  const proxy = await startBreakableProxy(url)
  const proxied = createPool(proxy.url)
  after(() => proxied.end())
  const added = await shop()
  const merchants = await directory(masterKey, proxied)
  await proxy.cut()
  await assert.rejects(merchants.refresh())
  const meanwhile = await shop()
  assert.equal(merchants.byAppid(added.appid)!.keys[0]!.key, added.key)
  assert.equal(merchants.byAppid(meanwhile.appid), undefined)
  await proxy.restore()
  await waitUntil('the new merchant is known', () => merchants.byAppid(meanwhile.appid))
})

test('looks for changes are shared: any number of strangers causes few statements, and a look during an outage ends soon', async () => {
  const proxy = await startBreakableProxy(url)
  const own = createPool(proxy.url, { name: 'looks', max: 1 })
  after(() => own.end())
  const merchants = await directory(masterKey, own)
  let statements = 0
  const query = own.query.bind(own)
  own.query = ((...given: Parameters<typeof query>) => {
    statements++
    return query(...given)
  }) as typeof own.query
  await Promise.all(Array.from({ length: 1_000 }, () => merchants.lookForChanges()))
  // Some more may be the polling's.
  assert.ok(statements < 20, `${statements} statements`)
  const added = await shop()
  await merchants.lookForChanges()
  assert.equal(merchants.byAppid(added.appid)!.name, 'shop')
  proxy.silence()
  await merchants.lookForChanges()
  await proxy.cut()
  await merchants.lookForChanges()
  assert.equal(merchants.byAppid(added.appid)!.name, 'shop', 'an outage changes nothing')
})

test('ten thousand merchants are read, each with its own key', async () => {
  const first = await shop()
  const { rows } = await pool.query(
    `select address_counter_id as "addressCounterId" from merchant where appid = $1`,
    [first.appid],
  )
  const many = await seedMerchants(
    pool,
    Array.from({ length: 10_000 }, (_, i) => ({ appid: `many${String(i).padStart(12, '0')}`, ...rows[0] })),
  )
  const sealed = many.map(({ id }) =>
    sealSecret(
      masterKey,
      { table: 'merchant_key', id: 0n, merchantId: id, purpose: 'hmac-sha256' },
      `key of ${id}`,
      1,
    ),
  )
  // Sealed keys are no part of the kit: this is the only place that needs thousands.
  await pool.query(
    `insert into merchant_key (merchant_id, scheme, sealed, promoted)
     select m, 'hmac-sha256', s, true from unnest($1::bigint[], $2::bytea[]) as k (m, s)`,
    [many.map(({ id }) => id), sealed],
  )
  const merchants = await directory()
  for (const { appid, id } of many) assert.equal(merchants.byAppid(appid)!.keys[0]!.key, `key of ${id}`)
})
