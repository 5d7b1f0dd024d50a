import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { applyUrlChanges } from '../../src/merchants/apply-url-changes.ts'
import { cancelUrlChange } from '../../src/merchants/cancel-url-change.ts'
import { type MerchantDirectory, openMerchantDirectory } from '../../src/merchants/merchant-directory.ts'
import { addKey, promoteKey, retireKey } from '../../src/merchants/rotate-keys.ts'
import { addWebhookSecret, retireWebhookSecret } from '../../src/merchants/rotate-webhook-secrets.ts'
import { setMerchant } from '../../src/merchants/set-merchant.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedMerchant } from '../support/seed-merchant.ts'
import { waitUntil } from '../support/wait-until.ts'

// Time passes by moving the rows' times back.
const { pool } = await cloneDatabase()
const masterKey = randomBytes(32)
const log = createLog('silent', 'test')
const [old, next, third] = ['old', 'new', 'third'].map(name => `https://${name}.example/cb`)
const hourMs = 3_600_000
const options = { checkUrl: () => null, actor: 'Ann', tell: ['ann@shop.example'] }

const shop = async (settings: Parameters<typeof seedMerchant>[1] = {}) => {
  const { appid } = await seedMerchant(pool, { callbackUrl: old!, ...settings })
  // Only what is written from here on counts.
  await pool.query('delete from callback_reroute')
  return appid
}
const ask = (appid: string, callbackUrl: string | null) =>
  setMerchant(pool, appid, { callbackUrl }, { ...options, urlDelayMs: hourMs })
const set = (appid: string, callbackUrl: string | null) =>
  setMerchant(pool, appid, { callbackUrl }, { checkUrl: () => null })
const pass = (time: string) =>
  pool.query('update callback_url_change set effective_at = effective_at - $1::interval', [time])
const urlOf = async (appid: string) =>
  (await pool.query('select callback_url from merchant where appid = $1', [appid])).rows[0].callback_url
const outcomesOf = async (appid: string) => {
  const { rows } = await pool.query(
    `select url, outcome, ended_by from callback_url_change c join merchant m on m.id = c.merchant_id
      where appid = $1 order by c.id`,
    [appid],
  )
  return rows.map(({ url, outcome, ended_by }) => [url, outcome, ended_by])
}
const actionsOf = async (appid: string) => {
  const { rows } = await pool.query('select actor, action from audit_event where subject = $1 order by id', [
    `merchant ${appid}`,
  ])
  return rows.map(({ actor, action }) => `${actor}: ${action}`)
}
const reroutes = async () => (await pool.query('select from callback_reroute')).rows.length
/** What a process holds. Each that is open writes what has taken effect. */
async function withDirectories(count: number, work: (directories: MerchantDirectory[]) => Promise<void>) {
  const opened = await Promise.all(
    Array.from({ length: count }, () => openMerchantDirectory({ pool, masterKey, log })),
  )
  await work(opened).finally(() => Promise.all(opened.map(one => one.close())))
}

test('a URL that waits is nowhere in use until its time, and then everywhere, written once', async () => {
  const appid = await shop()
  await withDirectories(3, async replicas => {
    const urls = () => replicas.map(one => one.byAppid(appid)!.callbackUrl)
    const asked = await ask(appid, next!)
    assert.equal(asked!.url, next)
    assert(asked!.effectiveAt.getTime() - asked!.askedAt.getTime() >= hourMs)
    await Promise.all([...replicas.map(one => one.refresh()), applyUrlChanges(pool)])
    assert.deepEqual(urls(), [old, old, old])
    assert.equal(await urlOf(appid), old)
    assert.equal(await reroutes(), 0)
    await pass('1 hour')
    await waitUntil('all use it', () => urls().every(url => url === next))
    await waitUntil('it is written', async () => (await urlOf(appid)) === next)
    await Promise.all(Array.from({ length: 8 }, () => applyUrlChanges(pool)))
  })
  assert.deepEqual(await outcomesOf(appid), [[next, 'applied', 'gateway']])
  assert.deepEqual(await actionsOf(appid), [
    'Ann: merchant.callback_url_asked',
    'gateway: merchant.callback_url_applied',
  ])
  // What waits for the old URL is moved, as after a change by the command line.
  assert.equal(await reroutes(), 1)
})

test('a process that starts after the time uses the new URL at once, also while somebody else holds the merchant', async () => {
  const appid = await shop()
  await ask(appid, next!)
  await pass('1 hour')
  const holder = await pool.connect()
  await holder.query('begin')
  await holder.query('select from merchant where appid = $1 for update', [appid])
  await withDirectories(1, async ([merchants]) => {
    assert.equal(merchants!.byAppid(appid)!.callbackUrl, next)
    await applyUrlChanges(pool)
    assert.equal(await urlOf(appid), old, 'it cannot be written yet')
    await holder.query('rollback')
    holder.release()
    await waitUntil('it is written', async () => (await urlOf(appid)) === next)
  })
})

test('what dies before it has written a URL leaves it to the next', async () => {
  const appid = await shop()
  await ask(appid, next!)
  await pass('1 hour')
  const dying = {
    connect: async () => {
      const client = await pool.connect()
      const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>
      client.query = ((...args: unknown[]) => {
        if (args[0] !== 'commit') return query(...args)
        client.query = query as never
        return query('rollback').then(() => Promise.reject(new Error('the process has ended')))
      }) as never
      return client
    },
  }
  await assert.rejects(applyUrlChanges(dying as never), /has ended/)
  assert.equal(await urlOf(appid), old)
  await applyUrlChanges(pool)
  assert.equal(await urlOf(appid), next)
  assert.equal((await actionsOf(appid)).length, 2)
})

test('until its time a change can be cancelled, and after that no more', async () => {
  const appid = await shop()
  const { id } = (await ask(appid, next!))!
  await cancelUrlChange(pool, appid, id, options)
  await pass('1 hour')
  await applyUrlChanges(pool)
  assert.equal(await urlOf(appid), old)
  assert.deepEqual(await outcomesOf(appid), [[next, 'cancelled', 'Ann']])
  await assert.rejects(cancelUrlChange(pool, appid, id, options), /waits no more/)
  const late = (await ask(appid, next!))!
  await assert.rejects(cancelUrlChange(pool, appid, id, options), /waits no more/)
  await pass('1 hour')
  await assert.rejects(cancelUrlChange(pool, appid, late.id, options), /waits no more/)
  await applyUrlChanges(pool)
  assert.equal(await urlOf(appid), next)
})

test('a later change replaces one that waits: the command line at once, another person from now on', async () => {
  const appid = await shop()
  await ask(appid, next!)
  await pass('59 minutes')
  await ask(appid, third!)
  await pass('30 minutes')
  await applyUrlChanges(pool)
  assert.equal(await urlOf(appid), old)
  await set(appid, next!)
  assert.equal(await urlOf(appid), next)
  await pass('1 hour')
  await applyUrlChanges(pool)
  assert.equal(await urlOf(appid), next)
  assert.deepEqual(await outcomesOf(appid), [
    [next, 'replaced', 'Ann'],
    [third, 'replaced', 'command line'],
  ])
})

test('a URL that has taken effect and is not written yet is not lost by the next change', async () => {
  const appid = await shop()
  await ask(appid, next!)
  await pass('1 hour')
  await ask(appid, third!)
  assert.equal(await urlOf(appid), next)
  await pass('1 hour')
  await set(appid, old!)
  await applyUrlChanges(pool)
  assert.equal(await urlOf(appid), old)
  assert.deepEqual(
    (await outcomesOf(appid)).map(([, outcome]) => outcome),
    ['applied', 'applied'],
  )
})

test('the URL that a form shows is no change, and leaves the one that waits', async () => {
  const appid = await shop()
  await ask(appid, next!)
  await setMerchant(
    pool,
    appid,
    { callbackUrl: old!, callbackFormat: 'json' },
    { ...options, urlDelayMs: hourMs },
  )
  assert.deepEqual(await outcomesOf(appid), [[next, null, null]])
  assert.deepEqual(await actionsOf(appid), ['Ann: merchant.callback_url_asked', 'Ann: merchant.set'])
})

test('deposits keep their URL, whichever way it would go', async () => {
  const withDeposits = await shop({ deposits: true })
  await assert.rejects(ask(withDeposits, null), /deposits have no order/)
  const leaving = await shop()
  await ask(leaving, null)
  const turnOn = () => setMerchant(pool, leaving, { deposits: true }, { checkUrl: () => null })
  await assert.rejects(turnOn(), /deposits have no order/)
  // Turned on behind our back.
  await pool.query('update merchant set deposits = true where appid = $1', [leaving])
  await pass('1 hour')
  await applyUrlChanges(pool)
  assert.equal(await urlOf(leaving), old)
  await withDirectories(1, async ([merchants]) => assert.equal(merchants!.byAppid(leaving)!.callbackUrl, old))
})

test('a wrong URL, or none at all, is refused as the command line refuses it', async () => {
  const appid = await shop()
  await assert.rejects(
    setMerchant(pool, appid, { callbackUrl: 'ftp://x' }, { checkUrl: () => 'must be https', urlDelayMs: 1 }),
    /callback URL must be https/,
  )
  assert.deepEqual(await outcomesOf(appid), [])
})

test('the owners and the operator are told of each change, without secrets and paths', async () => {
  const appid = await shop({ name: 'Red Lantern' })
  const to = { actor: 'Ann', tell: ['ann@shop.example', 'bo@shop.example', 'ann@shop.example'] }
  await pool.query('delete from notice')
  const hidden = 's3cret-in-the-path'
  const asked = await setMerchant(
    pool,
    appid,
    { callbackUrl: `https://new.example/${hidden}?k=${hidden}` },
    { ...to, checkUrl: () => null, urlDelayMs: hourMs },
  )
  await cancelUrlChange(pool, appid, asked!.id, to)
  const key = await addKey(pool, masterKey, appid, { ...to, scheme: 'hmac-sha256' })
  const other = await addKey(pool, masterKey, appid, { ...to, scheme: 'hmac-sha256' })
  await promoteKey(pool, appid, key.id, to)
  await retireKey(pool, appid, other.id, to)
  const secret = await addWebhookSecret(pool, masterKey, appid, to)
  await retireWebhookSecret(pool, appid, secret.id, { ...to, evenIfLast: true })
  // Whoever works at the command line is told by what it prints.
  await addKey(pool, masterKey, appid, { scheme: 'sha1' })
  const { rows } = await pool.query('select kind, channel, recipient, text from notice order by id')
  assert.deepEqual(
    rows.filter(({ channel }) => channel === 'webhook').map(({ kind }) => kind),
    [
      ...['callback_url_changed', 'callback_url_cancelled', 'key_created', 'key_created', 'key_promoted'],
      ...['key_retired', 'secret_created', 'secret_retired'],
    ],
  )
  const mails = rows.filter(({ channel }) => channel === 'mail')
  assert.equal(mails.length, 16)
  assert.deepEqual(
    [...new Set(mails.map(({ recipient }) => recipient))],
    ['ann@shop.example', 'bo@shop.example'],
  )
  for (const { text } of rows) {
    assert(text.includes('Red Lantern') && text.includes(appid) && text.includes('By: Ann'))
    for (const part of [hidden, key.key, other.key, secret.webhookSecret]) assert(!text.includes(part))
  }
  assert.match(rows[0].text, /from https:\/\/old\.example to https:\/\/new\.example at \d{4}-/)
})
