import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createPrisma } from '../../src/db/prisma-client.ts'
import { checkCallbackUrl } from '../../src/egress/egress-guard.ts'
import { addMerchant, type NewMerchant } from '../../src/merchants/add-merchant.ts'
import { moreCallbackFields } from '../../src/merchants/chosen-fields.ts'
import { disableMerchant, enableMerchant } from '../../src/merchants/disable-merchant.ts'
import { listMerchants } from '../../src/merchants/list-merchants.ts'
import { renameMerchant } from '../../src/merchants/rename-merchant.ts'
import { addKey, retireKey } from '../../src/merchants/rotate-keys.ts'
import { setMerchant } from '../../src/merchants/set-merchant.ts'
import { otherXpub, testXpub } from '../support/api-under-test.ts'
import { cloneDatabase } from '../support/database.ts'

const { pool } = await cloneDatabase()
const masterKey = randomBytes(32)
const checkUrl = (url: string) => checkCallbackUrl(url, [])
const shop: NewMerchant = { name: 'shop', xpub: testXpub, scheme: 'hmac-sha256', checkUrl }
const nothing = async () => undefined

async function rowOf(appid: string) {
  const { rows } = await pool.query(`select * from merchant where appid = $1`, [appid])
  return rows[0]
}

async function auditOf(appid: string) {
  const { rows } = await pool.query(
    `select actor, action, detail from audit_event where subject = $1 order by id`,
    [`merchant ${appid}`],
  )
  return rows
}

test('an added merchant gets an appid, a key, a webhook secret and the first address to compare', async () => {
  const added = await addMerchant(pool, masterKey, shop)
  assert.match(added.appid, /^[A-Za-z0-9]{16}$/)
  assert.match(added.key, /^[0-9a-f]{32}$/)
  assert.match(added.webhookSecret, /^whsec_/)
  assert.equal(Buffer.from(added.webhookSecret.slice(6), 'base64').length, 32)
  assert.equal(added.firstAddress, 'TY72iA3SBtrds3QLYsS7LwYfkzXwAXCRWT')
  const again = await addMerchant(pool, masterKey, shop)
  for (const name of ['appid', 'key', 'webhookSecret'] as const) assert.notEqual(again[name], added[name])
})

test('merchants of one account share its counter, merchants of another have theirs', async () => {
  const [one, two] = [await addMerchant(pool, masterKey, shop), await addMerchant(pool, masterKey, shop)]
  const other = await addMerchant(pool, masterKey, { ...shop, xpub: otherXpub })
  const counters = await Promise.all(
    [one, two, other].map(async ({ appid }) => (await rowOf(appid)).address_counter_id),
  )
  assert.equal(counters[0], counters[1])
  assert.notEqual(counters[0], counters[2])
})

test('always_200 is the default of sha1 and of no other', async () => {
  const legacy = await addMerchant(pool, masterKey, { ...shop, scheme: 'sha1' })
  const modern = await addMerchant(pool, masterKey, shop)
  assert.equal((await rowOf(legacy.appid)).always_200, true)
  assert.equal((await rowOf(modern.appid)).always_200, false)
})

test('every problem of a merchant to be added is named at once, and nothing is written', async () => {
  const count = async () => (await pool.query(`select count(*)::int as n from merchant`)).rows[0].n
  const before = await count()
  const wrong = { ...shop, name: '', xpub: 'xpub123', callbackUrl: 'http://127.0.0.1/' }
  await assert.rejects(addMerchant(pool, masterKey, wrong), (error: { name: string; problems: string[] }) => {
    assert.equal(error.name, 'UsageError')
    assert.equal(error.problems.length, 3)
    assert.match(error.problems.join('\n'), /name: .*\ncallback URL must.*\n.*extended key/)
    return true
  })
  await assert.rejects(
    addMerchant(pool, masterKey, { ...shop, callbackUrl: `https://a.example/${'x'.repeat(512)}` }),
  )
  await assert.rejects(addMerchant(pool, masterKey, { ...shop, callbackUrl: 'https://a.example/\n' }))
  await assert.rejects(addMerchant(pool, masterKey, { ...shop, name: 'two\nlines' }))
  assert.equal(await count(), before)
})

test('what is set is set, what is not named stays, null takes away', async () => {
  const { appid } = await addMerchant(pool, masterKey, { ...shop, callbackUrl: 'https://a.example/cb' })
  const changes = {
    callbackFormat: 'json',
    callbackFields: 'full',
    acknowledgement: 'success',
    always200: true,
    requireNonce: true,
  } as const
  await setMerchant(pool, appid, changes, { checkUrl })
  const row = await rowOf(appid)
  assert.deepEqual(
    [
      row.callback_url,
      row.callback_format,
      row.callback_fields,
      row.acknowledgement,
      row.always_200,
      row.require_nonce,
    ],
    ['https://a.example/cb', 'json', 'full', 'success', true, true],
  )
  await setMerchant(pool, appid, { callbackUrl: null, acknowledgement: null, always200: false }, { checkUrl })
  const after = await rowOf(appid)
  assert.deepEqual([after.callback_url, after.acknowledgement, after.always_200], [null, null, false])
  assert.equal(after.callback_format, 'json')
})

test('deposits need a default URL, when they are set and as long as they are on', async () => {
  const set = (appid: string, changes: Parameters<typeof setMerchant>[2]) =>
    setMerchant(pool, appid, changes, { checkUrl })
  const needed = /deposits have no order that could name a URL, so they need the default one/
  await assert.rejects(addMerchant(pool, masterKey, { ...shop, deposits: true }), needed)
  const added = await addMerchant(pool, masterKey, {
    ...shop,
    callbackUrl: 'https://a.example/',
    deposits: true,
  })
  assert.equal((await rowOf(added.appid)).deposits, true)
  assert.equal((await auditOf(added.appid))[0].detail.deposits, true)
  const { appid } = await addMerchant(pool, masterKey, shop)
  const listed = async () => (await listMerchants(createPrisma(pool))).find(one => one.appid === appid)!
  await assert.rejects(set(appid, { deposits: true }), needed)
  assert.equal((await listed()).deposits, false)
  await set(appid, { deposits: true, callbackUrl: 'https://a.example/cb' })
  assert.equal((await listed()).deposits, true)
  await assert.rejects(set(appid, { callbackUrl: null }), needed)
  await assert.rejects(
    pool.query('update merchant set callback_url = null where appid = $1', [appid]),
    /merchant_deposits_url/,
  )
  await set(appid, { always200: true })
  await set(appid, { deposits: false, callbackUrl: null })
  assert.deepEqual([(await listed()).deposits, (await listed()).callbackUrl], [false, null])
})

test('the fields of callbacks are six, full or a list, which is stored in the order they are sent', async () => {
  const { appid } = await addMerchant(pool, masterKey, shop)
  const stored = async (callbackFields: string) => {
    await setMerchant(pool, appid, { callbackFields }, { checkUrl })
    return (await rowOf(appid)).callback_fields
  }
  assert.equal(await stored(' late, orderid,txid,txid '), 'txid,late')
  assert.equal(await stored('orderid,sign'), 'six')
  assert.equal(await stored(`t,${moreCallbackFields.toReversed().join()}`), 'full')
  for (const wrong of ['all', 'txid,', '', 'TXID', 'full,txid', 'txid;late']) {
    await assert.rejects(stored(wrong), /callback fields: six, full, or a list of ordersn, /, wrong)
  }
  assert.equal((await rowOf(appid)).callback_fields, 'full')
  for (const refused of ['', 'txid late', 'TXID', 'txid,', ',txid']) {
    const write = pool.query('update merchant set callback_fields = $2 where appid = $1', [appid, refused])
    await assert.rejects(write, /check constraint/, refused)
  }
})

test('a word that was set when it could stand anywhere has to be all of the answer once it is set again', async () => {
  const { appid } = await addMerchant(pool, masterKey, shop)
  const listed = async () => (await listMerchants(createPrisma(pool))).find(one => one.appid === appid)!
  assert.equal((await listed()).acknowledgementAnywhere, false)
  await pool.query(
    `update merchant set acknowledgement = 'ok', acknowledgement_anywhere = true where appid = $1`,
    [appid],
  )
  await setMerchant(pool, appid, { always200: true }, { checkUrl })
  assert.equal((await listed()).acknowledgementAnywhere, true)
  await setMerchant(pool, appid, { acknowledgement: 'ok' }, { checkUrl })
  assert.equal((await listed()).acknowledgementAnywhere, false)
})

test('a setting that is wrong is refused with all that is wrong, and nothing is set', async () => {
  const { appid } = await addMerchant(pool, masterKey, shop)
  const before = await rowOf(appid)
  const wrong = { callbackUrl: 'ftp://x', callbackFormat: 'xml', callbackFields: 'all', acknowledgement: '' }
  await assert.rejects(
    setMerchant(pool, appid, wrong as never, { checkUrl }),
    (error: { problems: string[] }) => {
      assert.equal(error.problems.length, 4)
      return true
    },
  )
  await assert.rejects(setMerchant(pool, appid, {}, { checkUrl }), /nothing to set/)
  await assert.rejects(
    setMerchant(pool, 'nobody', { always200: true }, { checkUrl }),
    /no merchant has the appid "nobody"/,
  )
  assert.deepEqual(await rowOf(appid), before)
})

test('disabling holds the callbacks in the same transaction, enabling releases them, twice does nothing', async () => {
  const { appid } = await addMerchant(pool, masterKey, shop)
  const { id } = await rowOf(appid)
  const held: bigint[] = []
  const hold = async (_: unknown, merchantId: bigint) => held.push(merchantId)
  assert.equal(await disableMerchant(pool, appid, hold), true)
  assert.ok((await rowOf(appid)).disabled_at)
  assert.equal(await disableMerchant(pool, appid, hold), false)
  assert.deepEqual(held, [id])
  assert.equal(await enableMerchant(pool, appid, hold), true)
  assert.equal((await rowOf(appid)).disabled_at, null)
  assert.equal(await enableMerchant(pool, appid, nothing), false)
  const fails = async () => {
    throw new Error('cannot hold')
  }
  await assert.rejects(disableMerchant(pool, appid, fails), /cannot hold/)
  assert.equal((await rowOf(appid)).disabled_at, null, 'both or neither')
  await assert.rejects(disableMerchant(pool, 'nobody', nothing), { name: 'UsageError' })
})

test('of two operators who give one name at once, by adding or renaming, the second is refused', async () => {
  const { appid } = await addMerchant(pool, masterKey, { ...shop, name: 'before' })
  const once = { ...shop, name: 'contested', again: false }
  const results = await Promise.allSettled([
    addMerchant(pool, masterKey, once),
    addMerchant(pool, masterKey, { ...once, xpub: otherXpub }),
    renameMerchant(pool, appid, once.name, { again: false }),
  ])
  const refused = results.filter(result => result.status === 'rejected')
  assert.equal(refused.length, 2)
  for (const { reason } of refused) assert.match(reason.message, /has the name "contested" already/)
  const { rows } = await pool.query(`select count(*)::int as n from merchant where name = 'contested'`)
  assert.equal(rows[0].n, 1)
  await addMerchant(pool, masterKey, { ...once, again: true })
})

test('a merchant is renamed once; its own name, a taken one and one that cannot be change nothing', async () => {
  const { appid } = await addMerchant(pool, masterKey, { ...shop, name: 'old name' })
  await addMerchant(pool, masterKey, { ...shop, name: 'taken' })
  const rename = (name: string, again = false) => renameMerchant(pool, appid, name, { again, actor: 'alice' })
  assert.equal(await rename('new name'), true)
  assert.equal(await rename('new name'), false)
  await assert.rejects(rename('taken'), /has the name "taken" already/)
  for (const name of ['', 'a\nb', 'x'.repeat(101)]) await assert.rejects(rename(name), /name: 1 to 100/)
  await assert.rejects(renameMerchant(pool, 'nobody', 'x', { again: false }), /no merchant has the appid/)
  assert.equal((await rowOf(appid)).name, 'new name')
  assert.equal(await rename('taken', true), true)
  const [, ...changes] = await auditOf(appid)
  assert.deepEqual(changes, [
    { actor: 'alice', action: 'merchant.renamed', detail: { from: 'old name', to: 'new name' } },
    { actor: 'alice', action: 'merchant.renamed', detail: { from: 'new name', to: 'taken' } },
  ])
})

test('what an operator changes is recorded, without secrets', async () => {
  const added = await addMerchant(pool, masterKey, { ...shop, actor: 'alice' })
  await setMerchant(pool, added.appid, { always200: true }, { checkUrl })
  await disableMerchant(pool, added.appid, nothing)
  await enableMerchant(pool, added.appid, nothing)
  const audit = await auditOf(added.appid)
  assert.deepEqual(
    audit.map(({ actor, action }) => `${actor}: ${action}`),
    [
      'alice: merchant.added',
      'command line: merchant.set',
      'command line: merchant.disabled',
      'command line: merchant.enabled',
    ],
  )
  assert.deepEqual(audit[1].detail, { always200: true })
  const text = JSON.stringify(audit)
  assert.ok(!text.includes(added.key) && !text.includes('whsec_'))
})

test('the list shows every merchant and nothing secret', async () => {
  const added = await addMerchant(pool, masterKey, { ...shop, name: 'listed', scheme: 'sha1' })
  await setMerchant(pool, added.appid, { allowedClients: ['203.0.113.7', '2001:db8::/48'] }, { checkUrl })
  const ends = { now: new Date(0), later: new Date(Date.now() + 3_600_000) }
  for (const at of [ends.now, ends.later]) {
    const { id } = await addKey(pool, masterKey, added.appid, { scheme: 'hmac-sha256' })
    await retireKey(pool, added.appid, id, { at })
  }
  const merchants = await listMerchants(createPrisma(pool))
  const listed = merchants.find(merchant => merchant.appid === added.appid)!
  assert.deepEqual(listed.allowedClients, ['203.0.113.7', '2001:db8::/48'])
  assert.equal(listed.name, 'listed')
  assert.equal(listed.scheme, 'sha1')
  assert.equal(listed.liveKeys, 2, 'one that is to end later verifies requests until then')
  assert.equal(listed.xpub, testXpub)
  assert.equal(listed.disabledAt, null)
  const { rows } = await pool.query(`select count(*)::int as n from merchant`)
  assert.equal(merchants.length, rows[0].n)
  const text = JSON.stringify(merchants)
  assert.ok(!text.includes(added.key) && !text.includes('sealed'))
})
