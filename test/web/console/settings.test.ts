import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyUrlChanges } from '../../../src/merchants/apply-url-changes.ts'
import { readSettings } from '../../../src/merchants/read-settings.ts'
import { addKey } from '../../../src/merchants/rotate-keys.ts'
import { settingsRoutes } from '../../../src/web/console/settings/settings-routes.ts'
import { settingsWords } from '../../../src/web/console/settings/settings-words.ts'
import { openConsoleUnderTest, type TestVisitor } from '../../support/console-under-test.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

const center = await openConsoleUnderTest()
const { pool, config, admin, app, addPerson, signedIn } = center
const [old, next] = ['https://old.example/cb', 'https://new.example/cb?token=in-the-url']

let people = 0
/** A merchant with an owner and one more of each role, signed in when asked for. */
async function shop() {
  const merchant = await seedMerchant(pool, { callbackUrl: old!, name: `Shop ${++people}` })
  const { key } = await addKey(pool, config.masterKey, merchant.appid, { scheme: 'hmac-sha256' })
  await pool.query('update merchant_key set promoted = true where merchant_id = $1', [merchant.id])
  const person = (role: 'owner' | 'developer' | 'finance' | 'support') =>
    addPerson(`${role}${people}@shop.example`, { roles: [[merchant, role]] })
  const owner = await person('owner')
  return { merchant, key, person, owner, visit: await signedIn(owner, { confirmed: true }) }
}
const settingsOf = async ({ id }: { id: never }) => (await readSettings(pool, id)).settings
const noticesOf = async (merchant: { id: unknown }) => {
  const { rows } = await pool.query(
    `select kind, recipient from notice where merchant_id = $1 and channel = 'mail' order by id`,
    [merchant.id],
  )
  return rows.map(({ kind, recipient }) => `${kind} ${recipient}`)
}
const auditOf = async (appid: string) => {
  const { rows } = await pool.query(
    'select actor, action, detail from audit_event where subject = $1 order by id',
    [`merchant ${appid}`],
  )
  return rows
}
/** Gets a form's page, and posts the form. */
async function fill(visit: TestVisitor, path: string, fields: Record<string, string> = {}, shownAt = path) {
  assert.equal((await visit.get(`/console${shownAt}`)).status, 200)
  return visit.post(`/console${path}`, fields)
}

test('the page shows what is set, the account key included, and no key or secret', async () => {
  const { visit, key, merchant } = await shop()
  await pool.query(
    `update merchant set require_nonce = true, events = '{order.seen}', allowed_clients = '{10.0.0.0/8}' where id = $1`,
    [merchant.id],
  )
  const { status, text } = await visit.get('/console/settings')
  assert.equal(status, 200)
  for (const shown of ['https://old.example/cb', 'order.seen', '10.0.0.0/8', '6000 a minute', 'xpub'])
    assert(text.includes(shown), shown)
  for (const path of ['/console/settings', '/console/settings/keys', '/console/settings/url'])
    assert(!(await visit.get(path)).text.includes(key))
})

test('a changed URL waits for its time, the owners are told, and an owner can cancel it', async () => {
  const { merchant, visit, person } = await shop()
  const { appid } = merchant
  const answer = await fill(visit, '/settings/url', { callbackUrl: next! })
  assert.deepEqual([answer.status, answer.location], [303, '/console/settings?done=url'])
  const shown = await visit.get('/console/settings?done=url')
  assert(shown.text.includes('token=in-the-url') && shown.text.includes('A new callback URL waits'))
  assert.equal((await settingsOf(merchant as never)).callbackUrl, old)
  assert.deepEqual(await noticesOf(merchant), [`callback_url_changed owner${people}@shop.example`])
  assert.match((await fill(visit, '/settings/url', { callbackUrl: old! })).location!, /done=url_same_waits$/)
  const developer = await signedIn(await person('developer'), { confirmed: true })
  const theirs = await developer.get('/console/settings')
  assert(!theirs.text.includes('/settings/url/cancel'))
  const change = /name="change" value="(\d+)"/.exec(shown.text)![1]!
  assert.equal((await developer.post('/console/settings/url/cancel', { change })).status, 404)
  assert.equal(
    (await visit.post('/console/settings/url/cancel', { change })).location,
    '/console/settings?done=url_cancelled',
  )
  await pool.query(`update callback_url_change set effective_at = now() - interval '1 second'`)
  await applyUrlChanges(pool)
  assert.equal((await settingsOf(merchant as never)).callbackUrl, old)
  // It waits no more.
  assert.equal((await visit.post('/console/settings/url/cancel', { change })).status, 409)
  assert.equal((await visit.post('/console/settings/url/cancel', { change: 'x' })).status, 404)
  const audit = await auditOf(appid)
  assert.deepEqual(
    audit.slice(1).map(({ actor, action }) => `${action} ${actor}`),
    [
      `merchant.callback_url_asked owner${people} <owner${people}@shop.example>`,
      `merchant.callback_url_cancelled owner${people} <owner${people}@shop.example>`,
    ],
  )
})

test('an old owner is told, however many others have become owners since', async () => {
  const { merchant, visit } = await shop()
  await pool.query(
    `with added as (
       insert into console_user (email, name) select 'a' || n || '-${people}@shop.example', 'a' from generate_series(1, 60) n returning id)
     insert into membership (user_id, merchant_id, role) select id, $1, 'owner' from added`,
    [merchant.id],
  )
  await fill(visit, '/settings/url', { callbackUrl: next! })
  const told = await noticesOf(merchant)
  assert(told.includes(`callback_url_changed owner${people}@shop.example`), `${told.length}`)
})

test('after its time the new URL is shown as the one in effect', async () => {
  const { merchant, visit } = await shop()
  await fill(visit, '/settings/url', { callbackUrl: next! })
  await pool.query(`update callback_url_change set effective_at = now() where outcome is null`)
  const { text } = await visit.get('/console/settings')
  assert(text.includes('new.example') && !text.includes('old.example') && !text.includes('waits'))
  assert.equal(
    (await fill(visit, '/settings/url', { callbackUrl: next! })).location,
    '/console/settings?done=url_same',
  )
  assert.equal((await fill(visit, '/settings/url', { callbackUrl: '' })).status, 303)
  assert.equal((await readSettings(pool, merchant.id)).waiting!.url, null)
})

test('what an admin changes waits too: a stolen session leads no merchant away at once', async () => {
  const { merchant, visit: owner } = await shop()
  const visit = await signedIn(admin, { confirmed: true })
  const path = `/settings/url?merchant=${merchant.appid}`
  const answer = await fill(visit, path, { callbackUrl: next! })
  assert.match(answer.location!, /done=url$/)
  assert.equal((await settingsOf(merchant as never)).callbackUrl, old)
  assert.deepEqual(await noticesOf(merchant), [`callback_url_changed owner${people}@shop.example`])
  const change = /name="change" value="(\d+)"/.exec((await owner.get('/console/settings')).text)![1]!
  assert.equal((await owner.post('/console/settings/url/cancel', { change })).status, 303)
  assert.equal((await visit.get('/console/settings')).status, 200, 'without a merchant it says to choose one')
})

test('what the command line refuses is refused beside its field, and nothing is changed', async () => {
  const { merchant, visit } = await shop()
  const wrong: [path: string, fields: Record<string, string>, says: RegExp][] = [
    ['/settings/url', { callbackUrl: 'http://new.example' }, /callback URL must be https/],
    ['/settings/url', { callbackUrl: 'https://127.0.0.1/' }, /callback URL/],
    ['/settings/callbacks', { callbackFormat: 'xml' }, /callback format: form, json; got &quot;xml&quot;/],
    [
      '/settings/callbacks',
      { callbackFormat: 'json', acknowledgement: 'a\u0007b' },
      /acknowledgement: 1 to 100/,
    ],
    [
      '/settings/requests',
      { allowedClients: '10.0.0.0/8\nno address' },
      /allowed clients: addresses and CIDRs/,
    ],
    ['/settings/looks', { qr: 'tron', accent: 'red' }, /accent: a colour such as/],
    [
      '/settings/looks',
      { qr: 'tron', supportUrl: 'javascript:alert(1)' },
      /support URL: an http or https URL/,
    ],
    ['/settings/looks', { qr: 'tron', frameAncestors: 'https://a.example/x' }, /frame ancestors: origins/],
    ['/settings/looks', { qr: 'x' }, /QR code: address, tron, tron-amount/],
  ]
  const before = await readSettings(pool, merchant.id)
  for (const [path, fields, says] of wrong) {
    const { status, text } = await fill(visit, path, fields)
    assert.equal(status, 400, path)
    assert.match(text, says)
  }
  // The same in Chinese, with what exactly is wrong.
  await pool.query(`update console_user set locale = 'zh' where email = $1`, [`owner${people}@shop.example`])
  const chinese = await fill(visit, '/settings/url', { callbackUrl: 'http://new.example' })
  assert.match(chinese.text, /地址不可用（callback URL must be https）/)
  assert.deepEqual(await readSettings(pool, merchant.id), before)
})

test('format, fields, acknowledgement, events and deposits are saved as they are ticked', async () => {
  const { merchant, visit } = await shop()
  const fields = {
    ...{
      callbackFormat: 'json',
      'field txid': 'yes',
      'field callback_id': 'yes',
      acknowledgement: 'success',
    },
    ...{ 'event order.seen': 'yes', deposits: 'yes' },
  }
  assert.equal(
    (await fill(visit, '/settings/callbacks', fields)).location,
    '/console/settings?done=callbacks',
  )
  const saved = await settingsOf(merchant as never)
  assert.deepEqual(
    { ...saved, callbackUrl: null, allowedClients: [] },
    {
      ...{
        callbackUrl: null,
        callbackFormat: 'json',
        callbackFields: 'callback_id,txid',
        acknowledgement: 'success',
      },
      ...{ acknowledgementAnywhere: false, always200: false, returnUrl: false, requireNonce: false },
      ...{ events: ['order.seen'], deposits: true, allowedClients: [] },
    },
  )
  // Deposits need the URL.
  const none = await fill(visit, '/settings/url', { callbackUrl: '' })
  assert.equal(none.status, 400)
  assert(none.text.includes('Deposits need a default callback URL'))
  assert.equal((await fill(visit, '/settings/callbacks', { callbackFormat: 'form' })).status, 303)
  const cleared = await settingsOf(merchant as never)
  assert.deepEqual(
    [
      cleared.callbackFormat,
      cleared.callbackFields,
      cleared.acknowledgement,
      cleared.events,
      cleared.deposits,
    ],
    ['form', 'six', null, [], false],
  )
})

test('how requests are judged is saved: a network a line', async () => {
  const { merchant, visit } = await shop()
  const fields = { requireNonce: 'yes', allowedClients: '10.0.0.0/8\r\n 2001:db8::1 ', always200: 'yes' }
  assert.equal((await fill(visit, '/settings/requests', fields)).location, '/console/settings?done=requests')
  const saved = await settingsOf(merchant as never)
  assert.deepEqual(
    [saved.requireNonce, saved.allowedClients, saved.always200, saved.returnUrl],
    [true, ['10.0.0.0/8', '2001:db8::1'], true, false],
  )
})

/** A form with a file, as a browser sends it. */
async function sendFile(visit: TestVisitor, fields: Record<string, string>, file: Buffer | null) {
  const page = await visit.get('/console/settings/looks')
  const form = new FormData()
  form.set('_csrf', /name="_csrf" value="([^"]*)"/.exec(page.text)![1]!)
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  form.set('logo', new Blob(file ? [new Uint8Array(file)] : []), 'logo.svg')
  const request = new Request('http://x', { method: 'POST', body: form })
  return app.inject({
    method: 'POST',
    url: '/console/settings/looks',
    headers: {
      'content-type': request.headers.get('content-type')!,
      cookie: [...visit.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    },
    payload: Buffer.from(await request.arrayBuffer()),
  })
}

test("the looks of the payer's page are saved, its logo by what the file is and not by its name", async () => {
  const { merchant, visit } = await shop()
  const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(500, 1)])
  const fields = {
    ...{ displayName: 'Red Lantern', accent: '#0B6E4F', supportUrl: 'https://help.example', qr: 'tron' },
    frameAncestors: 'https://shop.example\nhttps://www.shop.example',
  }
  assert.equal((await sendFile(visit, fields, png)).statusCode, 303)
  const { page } = await readSettings(pool, merchant.id)
  assert.deepEqual(page, {
    ...{ displayName: 'Red Lantern', accent: '#0b6e4f', supportUrl: 'https://help.example', qr: 'tron' },
    frameAncestors: ['https://shop.example', 'https://www.shop.example'],
    logo: { type: 'image/png', size: 508 },
  })
  const logo = await visit.get('/console/settings/logo/logo.png')
  assert.deepEqual([logo.status, logo.headers['content-type']], [200, 'image/png'])
  const refused: [Buffer, RegExp][] = [
    [Buffer.from('<svg onload="alert(1)"/>'), /logo: must be a PNG, JPEG or WebP/],
    [Buffer.concat([png, Buffer.alloc(70_000)]), /logo: at most 65536 bytes/],
  ]
  for (const [file, says] of refused) {
    const { statusCode, body } = await sendFile(visit, fields, file)
    assert.equal(statusCode, 400)
    assert.match(body, says)
  }
  assert.equal((await sendFile(visit, fields, Buffer.alloc(400_000, 1))).statusCode, 400)
  // No file: it stays.
  assert.equal((await sendFile(visit, fields, null)).statusCode, 303)
  assert((await readSettings(pool, merchant.id)).page.logo)
  assert.equal((await sendFile(visit, { ...fields, removeLogo: 'yes' }, null)).statusCode, 303)
  assert.equal((await readSettings(pool, merchant.id)).page.logo, null)
  assert.equal((await visit.get('/console/settings/logo/logo.png')).status, 404)
})

test('a form with a file that is broken, or without its hidden field, changes nothing', async () => {
  const { merchant, visit } = await shop()
  await visit.get('/console/settings/looks')
  const cookie = [...visit.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const post = (payload: string, boundary = 'b') =>
    app.inject({
      ...{ method: 'POST', url: '/console/settings/looks', payload },
      headers: { cookie, 'content-type': `multipart/form-data; boundary=${boundary}` },
    })
  const part = (name: string) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\nx\r\n`
  assert.equal((await post('--b\r\nnothing')).statusCode, 400)
  assert.equal((await post(`${part('displayName')}--b--\r\n`)).statusCode, 403)
  assert.equal(
    (await post(`${Array.from({ length: 60 }, (_, i) => part(`f${i}`)).join('')}--b--\r\n`)).statusCode,
    400,
  )
  assert.equal((await post(`${part('__proto__')}--b--\r\n`)).statusCode, 403)
  assert.equal((await readSettings(pool, merchant.id)).page.displayName, '')
})

test('a key is shown by the answer that creates it and never again; the form creates one only once', async () => {
  const { merchant, visit, key: first } = await shop()
  const { text: keys } = await visit.get('/console/settings/keys')
  const newest = /name="newest" value="(\d+)"/.exec(keys)![1]!
  const created = await visit.post('/console/settings/keys', { newest, scheme: 'hmac-sha256' })
  assert.equal(created.status, 200)
  assert.equal(created.headers['cache-control'], 'no-store')
  const key = /data-copy="([0-9a-f]{32})"/.exec(created.text)![1]!
  const again = await visit.post('/console/settings/keys', { newest, scheme: 'hmac-sha256' })
  assert.equal(again.status, 409)
  const { rows } = await pool.query(
    'select id, promoted from merchant_key where merchant_id = $1 order by id',
    [merchant.id],
  )
  assert.equal(rows.length, 2)
  const [before, after] = rows.map(({ id }) => `${id}`)
  // The one that signs cannot be retired, by no form and no request.
  const early = await fill(visit, `/settings/keys/${before}/retire`, { when: 'now' }, '/settings/keys')
  assert.equal(early.status, 400)
  const promoted = await fill(visit, `/settings/keys/${after}/promote`, {}, '/settings/keys')
  assert.equal(promoted.location, '/console/settings/keys?done=key_promoted')
  const later = await fill(visit, `/settings/keys/${before}/retire`, { when: '1d' }, '/settings/keys')
  assert.equal(later.location, '/console/settings/keys?done=key_retired')
  const shown = await visit.get('/console/settings/keys')
  assert(shown.text.includes('live, ends later'))
  assert.equal(
    (await fill(visit, `/settings/keys/${before}/retire`, { when: '9y' }, '/settings/keys')).status,
    400,
  )
  assert.equal(
    (await fill(visit, `/settings/keys/${before}/retire`, { when: 'now' }, '/settings/keys')).status,
    303,
  )
  assert.deepEqual(
    (await noticesOf(merchant)).map(notice => notice.split(' ')[0]),
    ['key_created', 'key_promoted', 'key_retired', 'key_retired'],
  )
  for (const path of ['/console/settings', '/console/settings/keys'])
    for (const secret of [key, first]) assert(!(await visit.get(path)).text.includes(secret))
  assert(!JSON.stringify(await auditOf(merchant.appid), (_, value) => `${value}`).includes(key))
  assert(!center.logged().includes(key))
})

test('a form that is sent twice at once creates one key, and one secret', async () => {
  const { merchant, visit } = await shop()
  const { text } = await visit.get('/console/settings/keys')
  const newest = /name="newest" value="(\d+)"/.exec(text)![1]!
  const twice = async (path: string, fields: Record<string, string>) => {
    const answers = await Promise.all([1, 2, 3].map(() => visit.post(path, fields)))
    return answers.map(({ status }) => status).sort()
  }
  assert.deepEqual(await twice('/console/settings/keys', { newest }), [200, 409, 409])
  assert.deepEqual(await twice('/console/settings/secrets', { newest: '' }), [200, 409, 409])
  const { rows } = await pool.query(
    `select (select count(*) from merchant_key where merchant_id = $1) as keys,
            (select count(*) from webhook_secret where merchant_id = $1) as secrets`,
    [merchant.id],
  )
  assert.deepEqual(rows, [{ keys: 2n, secrets: 1n }])
})

test('a webhook secret is created, shown once, and the last one cannot be retired', async () => {
  const { visit } = await shop()
  const create = async () => {
    const { text } = await visit.get('/console/settings/keys')
    const newest = /settings\/secrets".*?name="newest"(?: value="(\d+)")?/s.exec(text)![1] ?? ''
    return visit.post('/console/settings/secrets', { newest })
  }
  assert.match((await create()).text, /data-copy="whsec_/)
  const { text } = await visit.get('/console/settings/keys')
  assert(text.includes('Create another one to retire it.'))
  assert(!text.includes('whsec_'))
  assert.match((await create()).text, /data-copy="whsec_/)
  const id = /settings\/secrets\/(\d+)\/retire/.exec((await visit.get('/console/settings/keys')).text)![1]!
  assert.equal((await visit.post(`/console/settings/secrets/${id}/retire`, { when: 'now' })).status, 303)
})

test('whoever may not, of this merchant or of another, gets no page and changes nothing', async () => {
  const one = await shop()
  const { text } = await one.visit.get('/console/settings/keys')
  const keyId = /name="newest" value="(\d+)"/.exec(text)![1]!
  const other = await shop()
  const visitors = {
    support: await signedIn(await other.person('support'), { confirmed: true }),
    finance: await signedIn(await other.person('finance'), { confirmed: true }),
  }
  for (const [role, visit] of Object.entries(visitors)) {
    const shown = await visit.get('/console/settings')
    assert.equal(shown.status, 200)
    assert(!/href="[^"]*\/settings\/(url|callbacks|requests|looks|keys)/.test(shown.text), role)
    assert(!shown.text.includes('Extended public key'))
    for (const { method, path, who } of settingsRoutes.filter(route => route.who !== 'see')) {
      const url = `/console${path.replace(':id', keyId)}`
      const answer =
        method === 'GET' ? await visit.get(url) : await visit.post(url, { when: 'now', change: '1' })
      assert.equal(answer.status, 404, `${role} ${method} ${path} ${who}`)
    }
  }
  // The owner of one merchant, and what is another's.
  for (const path of [
    `/settings/keys/${keyId}/promote`,
    `/settings/keys/${keyId}/retire`,
    `/settings/secrets/1/retire`,
  ])
    assert.equal((await fill(other.visit, path, { when: 'now' }, '/settings/keys')).status, 404, path)
  assert.equal((await other.visit.get(`/console/settings?merchant=${one.merchant.appid}`)).status, 404)
})

test('what could be misused asks for the second factor again', async () => {
  const { owner } = await shop()
  const visit = await signedIn(owner)
  for (const { method, path, confirm } of settingsRoutes) {
    if (path.startsWith('/settings/logo/') || path === '/settings/url/cancel') continue
    const url = `/console${path.replace(':id', '1')}`
    const answer = method === 'GET' ? await visit.get(url) : await visit.post(url, { callbackFormat: 'form' })
    if (confirm) assert.match(`${answer.location}`, /^\/console\/confirm/, `${method} ${path}`)
    else assert(!`${answer.location}`.includes('confirm'), `${method} ${path}`)
  }
})

test('each message has its words, in both languages', () => {
  const [en, zh] = [settingsWords.en, settingsWords.zh]
  assert.deepEqual(Object.keys(zh.done).sort(), Object.keys(en.done).sort())
})
