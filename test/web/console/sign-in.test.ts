import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TOTP } from 'otpauth'
import { inTransaction } from '../../../src/db/pool.ts'
import { invitePerson, makeNewLink } from '../../../src/people/invite-person.ts'
import { confirmTotp, newRecoveryCodes, prepareTotp } from '../../../src/people/second-factor-store.ts'
import type { User } from '../../../src/people/user-store.ts'
import { openConsoleUnderTest, type TestVisitor, testPassword } from '../../support/console-under-test.ts'

const center = await openConsoleUnderTest()
const { pool, config, visitor, addPerson, signedIn } = center

async function withTotp(user: User) {
  const prepared = await inTransaction(pool, tx => prepareTotp(tx, config.masterKey, user))
  const totp = new TOTP({ secret: prepared!.secret })
  // The step before the current one, so that the current code is still to be used.
  const code = totp.generate({ timestamp: Date.now() - 30_000 })
  assert(await inTransaction(pool, tx => confirmTotp(tx, config.masterKey, user.id, code)))
  return totp
}

test('until the first admin has a password, the console answers as if it were not there', async () => {
  const empty = await openConsoleUnderTest()
  await empty.pool.query(`delete from console_user`)
  const visit = empty.visitor()
  const paths = ['/console', '/console/', '/console/sign-in', '/console/orders', '/console/x']
  for (const path of [...paths, '/%63onsole/sign-in', '/consol%65'])
    assert.equal((await visit.get(path)).status, 404, path)
  const { token } = await invitePerson(empty.pool, 'ada@example.com', { admin: true }, { actor: 'test' })
  assert.equal((await visit.get('/console/sign-in')).status, 404)
  const link = `/console/invitation/${token}`
  // Programs that look at links in mails use nothing up.
  assert.equal((await visit.get(link)).status, 200)
  assert.equal((await visit.get(link)).status, 200)
  const form = { name: 'Ada', password: testPassword, again: testPassword }
  assert.equal((await visit.post(link, { ...form, again: 'x' })).status, 400)
  assert.equal((await visit.post(link, { ...form, password: 'short', again: 'short' })).status, 400)
  // The audit would show it as somebody else's.
  assert.equal((await visit.post(link, { ...form, name: 'Root <root@example.com>' })).status, 400)
  const joined = await visit.post(link, form)
  assert.equal(joined.location, '/console')
  const late = empty.visitor()
  await late.get('/console/sign-in')
  assert.equal((await late.post(link, form)).status, 404)
  assert.equal((await late.get(link)).status, 404)
  assert.equal((await visit.get('/console/confirm')).status, 200)
  assert.equal((await empty.visitor().get('/console/sign-in')).status, 200)
})

test('a link that is older than a day, or was followed by a newer one, counts no more', async () => {
  const invite = () => invitePerson(pool, 'late@example.com', { admin: true }, { actor: 'test' })
  const first = await invite()
  const second = await invite()
  assert.equal((await visitor().get(`/console/invitation/${first.token}`)).status, 404)
  assert.equal((await visitor().get(`/console/invitation/${second.token}`)).status, 200)
  await pool.query(`update invitation set expires_at = now() - interval '1 second'`)
  assert.equal((await visitor().get(`/console/invitation/${second.token}`)).status, 404)
})

test('unknown, wrong, disabled and not yet joined get one and the same answer', async () => {
  await addPerson('known@example.com')
  const gone = await addPerson('gone@example.com')
  await pool.query(`update console_user set disabled_at = now() where id = $1`, [gone.id])
  await invitePerson(pool, 'invited@example.com', { admin: true }, { actor: 'test' })
  const answers = []
  for (const [email, password] of [
    ['known@example.com', 'wrong'],
    ['nobody@example.com', testPassword],
    ['gone@example.com', testPassword],
    ['invited@example.com', ''],
  ] as const) {
    const visit = visitor()
    await visit.get('/console/sign-in')
    const { status, text } = await visit.post('/console/sign-in', { email, password })
    answers.push(`${status} ${text.replaceAll(email, 'EMAIL').replace(/value="[^"]*"/g, '')}`)
  }
  assert.match(answers[0]!, /^401 .*wrong/s)
  assert.equal(new Set(answers).size, 1)
})

test('signing in gives a new session id; the old one is worth nothing', async () => {
  const user = await addPerson('fixed@example.com')
  const visit = visitor()
  await visit.get('/console/sign-in')
  assert.deepEqual([...visit.cookies.keys()], ['__Host-form'])
  const planted = 'planted.signature'
  visit.cookies.set('__Host-console', planted)
  const answer = await visit.post('/console/sign-in', { email: user.email, password: testPassword })
  assert.equal(answer.status, 303)
  const cookie = visit.cookies.get('__Host-console')
  assert(cookie && cookie !== planted)
  const [set] = [answer.headers['set-cookie']].flat().filter(one => `${one}`.startsWith('__Host-console'))
  for (const word of ['Secure', 'HttpOnly', 'SameSite=Lax', 'Path=/'])
    assert.match(`${set}`, new RegExp(word))
  assert.doesNotMatch(`${set}`, /Domain/)
  await visit.get('/console/confirm')
  await visit.post('/console/sign-out')
  assert.equal((await visit.get('/console/confirm')).status, 303)
  visit.cookies.set('__Host-console', cookie)
  assert.equal((await visit.get('/console/confirm')).status, 303, 'a session that was ended stays ended')
})

test('with a second factor a password alone opens nothing; a code counts once', async () => {
  const user = await addPerson('two@example.com', { admin: true })
  const totp = await withTotp(user)
  const visit = visitor()
  await visit.get('/console/sign-in')
  const half = await visit.post('/console/sign-in', { email: user.email, password: testPassword })
  assert.equal(half.location, '/console/sign-in/code')
  assert.match((await visit.get('/console/confirm')).location!, /sign-in\/code/)
  await visit.get('/console/sign-in/code')
  const code = totp.generate()
  const wrong = code === '000000' ? '000001' : '000000'
  assert.equal((await visit.post('/console/sign-in/code', { code: wrong })).status, 401)
  const before = visit.cookies.get('__Host-console')
  assert.equal((await visit.post('/console/sign-in/code', { code })).status, 303)
  assert.notEqual(visit.cookies.get('__Host-console'), before)
  assert.equal((await visit.get('/console/confirm')).status, 200)
  assert.equal((await visit.post('/console/confirm', { code })).status, 401, 'used already')
  const codes = await inTransaction(pool, tx => newRecoveryCodes(tx, user.id))
  assert.equal((await visit.post('/console/confirm', { code: codes[3]! })).status, 303)
  assert.equal((await visit.post('/console/confirm', { code: codes[3]! })).status, 401)
})

test('of many tries at a time no more are made than of many in a row', async () => {
  const user = await addPerson('many@example.com', { admin: true })
  const totp = await withTotp(user)
  const half = visitor()
  await half.get('/console/sign-in')
  await half.post('/console/sign-in', { email: user.email, password: testPassword })
  await half.get('/console/sign-in/code')
  const code = totp.generate()
  const wrong = code === '000000' ? '000001' : '000000'
  const tries = Array.from({ length: 30 }, () => half.post('/console/sign-in/code', { code: wrong }))
  const statuses = (await Promise.all(tries)).map(({ status }) => status)
  assert.equal(statuses.filter(status => status === 401).length, 6)
  assert.equal(statuses.filter(status => status === 429).length, 24)
  // What was not tried is not counted: others at this address still get in.
  const { rows } = await pool.query(
    `select max(failures)::int as most from sign_in_failure where key like 'code of many@%'`,
  )
  assert.equal(rows[0].most, 6)
})

test('of two requests with one code at a time, one is right', async () => {
  const user = await addPerson('twice@example.com')
  const totp = await withTotp(user)
  const codes = await inTransaction(pool, tx => newRecoveryCodes(tx, user.id))
  const halves = await Promise.all(
    [0, 1].map(async () => {
      const half = visitor()
      await half.get('/console/sign-in')
      await half.post('/console/sign-in', { email: user.email, password: testPassword })
      await half.get('/console/sign-in/code')
      return half
    }),
  )
  const answers = await Promise.all(
    halves.map(half => half.post('/console/sign-in/code', { code: totp.generate() })),
  )
  assert.deepEqual(answers.map(({ status }) => status).sort(), [303, 401])
  const [inside] = halves.filter((_, i) => answers[i]!.status === 303)
  await inside!.get('/console/confirm')
  const again = await Promise.all([0, 1].map(() => inside!.post('/console/confirm', { code: codes[0]! })))
  assert.deepEqual(again.map(({ status }) => status).sort(), [303, 401])
})

test('a half session ends when it is completed, and after ten minutes', async () => {
  const user = await addPerson('half@example.com')
  const totp = await withTotp(user)
  const half = visitor()
  await half.get('/console/sign-in')
  await half.post('/console/sign-in', { email: user.email, password: testPassword })
  await half.get('/console/sign-in/code')
  const before = half.cookies.get('__Host-console')!
  await half.post('/console/sign-in/code', { code: totp.generate() })
  const stale = visitor()
  stale.cookies.set('__Host-console', before)
  assert.match((await stale.get('/console/sign-in/code')).location!, /sign-in\?next/)
  const late = visitor()
  await late.get('/console/sign-in')
  await late.post('/console/sign-in', { email: user.email, password: testPassword })
  await pool.query(
    `update console_session set created_at = now() - interval '10 minutes 1 second' where signed_in_at is null`,
  )
  assert.match((await late.get('/console/sign-in/code')).location!, /sign-in\?next/)
})

test('who is no admin any more, or no member, is not let on, in the same session', async () => {
  const user = await addPerson('fallen@example.com', { admin: true })
  const visit = await signedIn(user, { confirmed: true })
  assert.equal((await visit.get('/console/people')).status, 200)
  await pool.query(`update console_user set admin = false where id = $1`, [user.id])
  assert.equal((await visit.get('/console/people')).status, 404)
})

test('tries are limited by address and account, also after a restart, for accounts that do not exist too', async () => {
  const limited = await openConsoleUnderTest()
  const visit = limited.visitor()
  await visit.get('/console/sign-in')
  const attempt = async (email: string) =>
    (await visit.post('/console/sign-in', { email, password: 'wrong' })).status
  for (const email of ['root@example.com', 'nobody@example.com']) {
    for (let i = 0; i < 6; i++) assert.equal(await attempt(email), 401)
    assert.equal(await attempt(email), 429)
  }
  // The right password too.
  const right = await visit.post('/console/sign-in', { email: 'root@example.com', password: testPassword })
  assert.equal(right.status, 429)
  const { rows } = await limited.pool.query(`select key, failures from sign_in_failure order by key`)
  assert.equal(rows.find(({ key }) => key.startsWith('address'))?.failures, 12)
  await limited.pool.query(`update sign_in_failure set until = now()`)
  assert.equal(await attempt('root@example.com'), 401)
})

/** As if strangers had failed as often as they may, with this account and from this address. */
async function exhaust(email: string): Promise<void> {
  await pool.query(
    `insert into sign_in_failure (key, failures, until)
     select key, 60, now() + interval '15 minutes' from unnest($1::text[]) as key
     on conflict (key) do update set failures = 60, until = excluded.until`,
    [['address 127.0.0.1', `password at 127.0.0.1 ${email}`, `password of ${email}`]],
  )
}

test('what strangers try keeps nobody out who has signed in before in the same browser', async () => {
  const [user, other] = [await addPerson('kept@example.com'), await addPerson('kept-other@example.com')]
  const own = await signedIn(user)
  const theirs = await signedIn(other)
  const signIn = async (visit: TestVisitor, password = testPassword) => {
    visit.cookies.delete('__Host-console')
    await visit.get('/console/sign-in')
    return (await visit.post('/console/sign-in', { email: user.email, password })).status
  }
  await exhaust(user.email)
  assert.equal(await signIn(visitor()), 429)
  assert.equal(await signIn(theirs), 429, 'a browser that is known for another account')
  const forged = visitor()
  forged.cookies.set('__Host-known', `${'A'.repeat(22)}.${'A'.repeat(43)}`)
  assert.equal(await signIn(forged), 429)
  assert.equal(await signIn(own), 303)
  // Somebody has two accounts in it.
  own.cookies.delete('__Host-console')
  await own.get('/console/sign-in')
  await own.post('/console/sign-in', { email: center.admin.email, password: testPassword })
  assert.equal(await signIn(own), 303)
  // It has a limit of its own.
  for (let i = 0; i < 6; i++) assert.equal(await signIn(own, 'wrong'), 401)
  assert.equal(await signIn(own), 429)
  await pool.query(`delete from sign_in_failure where key like 'own %'`)
  // Whoever was in before the password changed is a stranger again.
  const before = new Map(own.cookies)
  assert.equal(await signIn(own), 303)
  await own.get('/console/account/password')
  const again = 'another horse battery'
  const form = { old: testPassword, password: again, again }
  assert.match((await own.post('/console/account/password', form)).location!, /done=password/)
  assert.equal(await signIn(own, again), 303)
  const old = visitor()
  old.cookies.set('__Host-known', before.get('__Host-known')!)
  assert.equal(await signIn(old, again), 429)
  await pool.query(`delete from sign_in_failure`)
})

test('right passwords are limited too, apart in browsers that are known', async () => {
  const user = await addPerson('often@example.com')
  const signIn = async (visit: TestVisitor, password = testPassword) => {
    visit.cookies.delete('__Host-console')
    await visit.get('/console/sign-in')
    return (await visit.post('/console/sign-in', { email: user.email, password })).status
  }
  const own = visitor()
  assert.equal(await signIn(own), 303)
  assert.equal(await signIn(own), 303)
  const name = own.cookies.get('__Host-known')!
  assert.equal(await signIn(own), 303)
  assert.equal(own.cookies.get('__Host-known'), name, 'a browser keeps its name')
  // A wrong one adds nothing to them.
  assert.equal(await signIn(visitor(), 'wrong'), 401)
  const { rows } = await pool.query(
    `select key, failures from sign_in_failure where key like 'right password % often@example.com' order by key`,
  )
  assert.deepEqual(rows, [
    { key: 'right password of known often@example.com', failures: 2 },
    { key: 'right password of often@example.com', failures: 1 },
  ])
  await pool.query(
    `update sign_in_failure set failures = 100 where key = 'right password of often@example.com'`,
  )
  assert.equal(await signIn(visitor()), 429)
  assert.equal(await signIn(own), 303)
  await pool.query(
    `update sign_in_failure set failures = 100 where key = 'right password of known often@example.com'`,
  )
  assert.equal(await signIn(own), 429)
})

test('what strangers try keeps nobody from giving a code: for that they need the password', async () => {
  const user = await addPerson('locked@example.com')
  const totp = await withTotp(user)
  await exhaust(user.email)
  await pool.query(`delete from sign_in_failure where key like 'address%'`)
  const token = await makeNewLink(pool, user, { actor: 'test', factors: false })
  const visit = visitor()
  await visit.get(`/console/invitation/${token}`)
  const chosen = { name: 'Locked', password: testPassword, again: testPassword }
  assert.equal((await visit.post(`/console/invitation/${token}`, chosen)).location, '/console/sign-in/code')
  await visit.get('/console/sign-in/code')
  const codes = await inTransaction(pool, tx => newRecoveryCodes(tx, user.id))
  assert.equal((await visit.post('/console/sign-in/code', { code: totp.generate() })).status, 303)
  // Nor does whoever has the password keep those out who are in.
  await pool.query(
    `insert into sign_in_failure (key, failures, until)
     values ('code of ' || $1, 60, now() + interval '15 minutes'), ('address 127.0.0.1', 60, now() + interval '15 minutes')
     on conflict (key) do update set failures = 60`,
    [user.email],
  )
  await visit.get('/console/confirm')
  assert.equal((await visit.post('/console/confirm', { code: codes[0]! })).status, 303)
  await pool.query(`delete from sign_in_failure`)
})

test('of an IPv6 network that one customer has, all addresses are one client; the audit names the address', async () => {
  const proxied = await openConsoleUnderTest({ TRUST_PROXY: '127.0.0.1' })
  const attempt = async (center: typeof proxied, from: string, password: string) => {
    const visit = center.visitor()
    await visit.get('/console/sign-in')
    const form = { email: 'root@example.com', password }
    return (await visit.post('/console/sign-in', form, { headers: { 'x-forwarded-for': from } })).status
  }
  for (let i = 1; i <= 6; i++) assert.equal(await attempt(proxied, `2001:db8:1:2::${i}`, 'wrong'), 401)
  assert.equal(await attempt(proxied, '2001:db8:1:2:ffff::9', testPassword), 429)
  assert.equal(await attempt(proxied, '2001:db8:1:3::9', testPassword), 303)
  const { rows } = await proxied.pool.query(
    `select address from audit_event where action = 'person.signed_in'`,
  )
  assert.deepEqual(rows, [{ address: '2001:db8:1:3::9' }])
  // What a client writes there by itself is not believed.
  const direct = await openConsoleUnderTest()
  for (let i = 1; i <= 6; i++) assert.equal(await attempt(direct, `203.0.113.${i}`, 'wrong'), 401)
  assert.equal(await attempt(direct, '203.0.113.9', testPassword), 429)
})

test('a form without its hidden field, with that of another session, or from another site does nothing', async () => {
  const ada = await signedIn(await addPerson('ada@example.com'))
  const bob = await signedIn(await addPerson('bob@example.com'))
  assert.equal((await ada.post('/console/language', { locale: 'zh' }, { csrf: false })).status, 403)
  const theirs = /name="_csrf" value="([^"]*)"/.exec((await bob.get('/console/confirm')).text)![1]!
  const forged = await ada.post('/console/language', { locale: 'zh', _csrf: theirs }, { csrf: false })
  assert.equal(forged.status, 403)
  await ada.get('/console/confirm')
  assert.equal((await ada.post('/console/language', { locale: 'zh' })).status, 303)
  assert.match((await ada.get('/console/confirm')).text, /lang="zh-CN"/)
})

test('a session ends when it is idle for 12 hours, after 7 days, when it is ended, and with its person', async () => {
  const user = await addPerson('idle@example.com')
  for (const end of [
    `update console_session set last_seen_at = now() - interval '12 hours 1 second' where user_id = $1`,
    `update console_session set created_at = now() - interval '7 days 1 second' where user_id = $1`,
    `update console_session set ended_at = now() where user_id = $1`,
    `update console_user set disabled_at = now() where id = $1`,
  ]) {
    const visit = await signedIn(user)
    assert.equal((await visit.get('/console/confirm')).status, 200)
    await pool.query(end, [user.id])
    const { status, location } = await visit.get('/console/confirm')
    assert.equal(`${status} ${location}`, '303 /console/sign-in?next=%2Fconsole%2Fconfirm')
  }
})

test('who changes the language before signing in still goes where they wanted to', async () => {
  const visit = visitor()
  const { text } = await visit.get('/console/sign-in?next=%2Fconsole%2Forders')
  const link = /href="(\?[^"]*lang=zh[^"]*)"/.exec(text)![1]!.replaceAll('&amp;', '&')
  const chinese = await visit.get(`/console/sign-in${link}`)
  assert.match(chinese.text, /lang="zh-CN"/)
  const action = /action="([^"]*)"/.exec(chinese.text)![1]!.replaceAll('&amp;', '&')
  const wrong = await visit.post(action, { email: 'nobody@example.com', password: 'wrong' })
  assert.match(wrong.text, /lang="zh-CN"/)
  assert.match(wrong.text, /next=%2Fconsole%2Forders/)
})

test('after signing in only pages of ours are gone to', async () => {
  const user = await addPerson('next@example.com')
  for (const next of [
    '//evil.example',
    'https://evil.example',
    '/consolex',
    '/console\\evil',
    '/api',
  ] as const) {
    const visit = visitor()
    await visit.get('/console/sign-in')
    const path = `/console/sign-in?next=${encodeURIComponent(next)}`
    const { location } = await visit.post(path, { email: user.email, password: testPassword })
    assert.equal(location, '/console', next)
  }
  const visit = visitor()
  await visit.get('/console/sign-in')
  const path = `/console/sign-in?next=${encodeURIComponent('/console/orders?state=late')}`
  const { location } = await visit.post(path, { email: user.email, password: testPassword })
  assert.equal(location, '/console/orders?state=late')
})

test('where the URL is http, cookies have neither prefix nor Secure; on the main network always both', async () => {
  const plain = await openConsoleUnderTest({ PUBLIC_URL: 'http://localhost:8080', TRON_NETWORK: 'sandbox' })
  const visit = await plain.signedIn(plain.admin)
  assert.deepEqual([...visit.cookies.keys()].sort(), ['console', 'form', 'known'])
})

test('no page runs what is written into it, and none may be shown in a frame', async () => {
  const { headers } = await visitor().get('/console/sign-in')
  const policy = `${headers['content-security-policy']}`
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe/)
  assert.equal(headers['cache-control'], 'no-store')
})
