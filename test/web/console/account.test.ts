import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTransaction } from '../../../src/db/pool.ts'
import { changePassword } from '../../../src/people/change-password.ts'
import { makeNewLink } from '../../../src/people/invite-person.ts'
import { confirmTotp, prepareTotp } from '../../../src/people/second-factor-store.ts'
import { renewRecoveryCodes, turnCodesOff } from '../../../src/people/second-factors.ts'
import type { User } from '../../../src/people/user-store.ts'
import { openConsoleUnderTest, type TestVisitor, testPassword } from '../../support/console-under-test.ts'
import { codeOf } from '../../support/one-time-codes.ts'
import { softPasskey } from '../../support/soft-passkey.ts'
import { waitUntil } from '../../support/wait-until.ts'

const center = await openConsoleUnderTest()
const { pool, config, visitor, addPerson, signedIn } = center
const origin = 'https://pay.example'

/** Turns a person's codes on without the pages. The code of the current step is still to be used. */
async function withCodes(user: User): Promise<string> {
  return inTransaction(pool, async tx => {
    const prepared = await prepareTotp(tx, config.masterKey, user)
    assert(await confirmTotp(tx, config.masterKey, user.id, codeOf(prepared!.secret, -1)))
    return prepared!.secret
  })
}

/** Adds a passkey as the browser's module does. */
async function addPasskey(visit: TestVisitor, key: ReturnType<typeof softPasskey>, name = 'laptop') {
  await visit.get('/console/account/passkeys/new')
  const options = JSON.parse((await visit.postJson('/console/account/passkeys/options', {})).text)
  return visit.postJson('/console/account/passkeys/new', { name, response: key.create(options) })
}

/** Gives the password, and asks what the passkey has to sign. */
async function challengedAtSignIn(user: User) {
  const visit = visitor()
  await visit.get('/console/sign-in')
  const half = await visit.post('/console/sign-in', { email: user.email, password: testPassword })
  assert.equal(half.location, '/console/sign-in/code')
  await visit.get('/console/sign-in/code')
  const options = JSON.parse((await visit.postJson('/console/sign-in/code/options', {})).text)
  return { visit, options }
}

const recoveryCode = /[0-9a-f]{5}(-[0-9a-f]{5}){3}/g

test('one-time codes are on with the first code; secret and recovery codes are shown once', async () => {
  const user = await addPerson('codes@example.com')
  const elsewhere = await signedIn(user)
  const visit = await signedIn(user)
  await visit.get('/console/account/codes')
  const { text } = await visit.post('/console/account/codes')
  assert.match(text, /<svg[^>]*role="img"/)
  const secret = /<code>([A-Z2-7 ]+)<\/code>/.exec(text)![1]!.replaceAll(' ', '')
  const wrong = codeOf(secret) === '000000' ? '000001' : '000000'
  const refused = await visit.post('/console/account/codes/first', { code: wrong })
  assert.equal(refused.status, 400)
  assert(!refused.text.includes(secret.slice(0, 4)), 'the secret is not shown again')
  assert.equal((await elsewhere.get('/console/account')).status, 200)
  const on = await visit.post('/console/account/codes/first', { code: codeOf(secret) })
  assert.equal(on.status, 200)
  const codes = [...new Set(on.text.match(recoveryCode))]
  assert.equal(codes.length, 10)
  // A session of somebody who gave the password alone has ended.
  assert.equal((await elsewhere.get('/console/account')).status, 303)
  for (const path of ['/account', '/account/factors', '/account/codes']) {
    const page = await visit.get(`/console${path}`)
    assert.equal(page.status, 200, path)
    assert.equal(page.text.match(recoveryCode), null)
    assert(!page.text.includes(secret.slice(0, 4)))
  }
  assert.match((await visit.get('/console/account')).text, /10 are left/)
  // They go on as they are: nobody gets a new secret in their place.
  assert.equal((await visit.post('/console/account/codes')).status, 303)
})

test('before the first second factor the password is asked for, unless the session has only begun', async () => {
  const user = await addPerson('again@example.com')
  const visit = await signedIn(user)
  const age = () =>
    pool.query(`update console_session set signed_in_at = now() - interval '6 minutes' where user_id = $1`, [
      user.id,
    ])
  await age()
  const again = '/console/account/again?next=%2Fconsole%2Faccount%2Fcodes'
  assert.equal((await visit.get('/console/account/codes')).location, again)
  assert.equal((await visit.post('/console/account/codes')).location, again)
  assert.match((await visit.postJson('/console/account/passkeys/options', {})).text, /account\/again/)
  await visit.get(again)
  assert.equal((await visit.post(again, { password: 'wrong' })).status, 401)
  assert.equal((await visit.post(again, { password: testPassword })).location, '/console/account/codes')
  assert.equal((await visit.get('/console/account/codes')).status, 200)
})

test('who has a second factor gives it again before one is added or removed', async () => {
  const user = await addPerson('more@example.com')
  const secret = await withCodes(user)
  const visit = visitor()
  await visit.get('/console/sign-in')
  await visit.post('/console/sign-in', { email: user.email, password: testPassword })
  await visit.get('/console/sign-in/code')
  await visit.post('/console/sign-in/code', { code: codeOf(secret) })
  await visit.get('/console/account')
  await pool.query(`update console_session set second_factor_at = now() - interval '6 minutes'`)
  for (const path of ['/account/passkeys/new', '/account/factors', '/account/codes', '/account/password'])
    assert.match((await visit.get(`/console${path}`)).location ?? '', /^\/console\/confirm/, path)
  const password = 'another horse battery'
  const form = { old: testPassword, password, again: password }
  for (const path of ['/account/codes/off', '/account/recovery', '/account/password'])
    assert.match((await visit.post(`/console${path}`, form)).location ?? '', /^\/console\/confirm/, path)
  assert.match((await visit.postJson('/console/account/passkeys/options', {})).text, /console\/confirm/)
  // A challenge that was given to confirm adds nothing.
  await pool.query(
    `insert into passkey (credential_id, user_id, public_key, name) values ('\\x01', $1, '\\x01', 'x')`,
    [user.id],
  )
  await visit.get('/console/confirm')
  const options = JSON.parse((await visit.postJson('/console/confirm/options', {})).text)
  const body = { name: 'mine', response: softPasskey(origin).create(options) }
  assert.equal((await visit.postJson('/console/account/passkeys/new', body)).status, 400)
})

test('with the last second factor its recovery codes go, and nothing counts as confirmed any more', async () => {
  const user = await addPerson('off@example.com')
  const visit = await signedIn(user)
  await withCodes(user)
  await pool.query(`update console_session set second_factor_at = now() where user_id = $1`, [user.id])
  await visit.get('/console/account/factors')
  const { text } = await visit.post('/console/account/recovery')
  assert.equal(new Set(text.match(recoveryCode)).size, 10)
  await visit.get('/console/account/factors')
  assert.match((await visit.post('/console/account/codes/off')).location!, /done=codesOff/)
  const left = await pool.query(`select from recovery_code where user_id = $1`, [user.id])
  assert.equal(left.rowCount, 0)
  assert.match((await visit.get('/console/account/factors')).location!, /confirm/)
})

test('a changed password ends the other sessions, and the links to set one', async () => {
  const user = await addPerson('changed@example.com')
  const [visit, elsewhere] = [await signedIn(user), await signedIn(user)]
  await visit.get('/console/account/password')
  const password = 'another horse battery'
  const form = { old: testPassword, password, again: password }
  assert.equal((await visit.post('/console/account/password', { ...form, old: 'wrong' })).status, 401)
  assert.equal((await visit.post('/console/account/password', { ...form, again: 'x' })).status, 400)
  const token = await inTransaction(pool, async () =>
    makeNewLink(pool, user, { actor: 'test', factors: false }),
  )
  const fresh = await signedIn(user)
  await fresh.get('/console/account/password')
  assert.match((await fresh.post('/console/account/password', form)).location!, /done=password/)
  assert.equal((await fresh.get('/console/account')).status, 200)
  assert.equal((await elsewhere.get('/console/account')).status, 303)
  assert.equal((await visitor().get(`/console/invitation/${token}`)).status, 404)
  const again = visitor()
  await again.get('/console/sign-in')
  const old = await again.post('/console/sign-in', { email: user.email, password: testPassword })
  assert.equal(old.status, 401)
})

test('a session that ends while its request is at work changes nothing of the account', async () => {
  const user = await addPerson('slow@example.com')
  const visit = await signedIn(user)
  await visit.get('/console/account/password')
  const password = 'a thief chose this'
  // An admin locks whoever has this session out. The request has been let on before, and checks the password meanwhile.
  const token = await inTransaction(pool, async tx => {
    await tx.query(`select from console_user where id = $1 for no key update`, [user.id])
    const changing = visit.post('/console/account/password', { old: testPassword, password, again: password })
    await waitUntil('it waits for the row', async () => {
      const { rows } = await pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return rows.length > 0
    })
    await tx.query(`update console_session set ended_at = now() where user_id = $1`, [user.id])
    await tx.query('commit; begin')
    assert.equal((await changing).location, '/console/account')
    return makeNewLink(pool, user, { actor: 'test', factors: false })
  })
  assert.equal((await visit.get('/console/account')).status, 303)
  const again = await signedIn(user)
  await again.get('/console/account')
  const gone = { user, sessionId: 'gone', actor: 'test' }
  assert.equal(await changePassword(pool, gone, 'a hash'), false)
  assert.equal(await turnCodesOff(pool, gone), false)
  await withCodes(user)
  assert.equal(await turnCodesOff(pool, gone), false)
  assert.equal(await renewRecoveryCodes(pool, gone), null)
  assert.equal((await visitor().get(`/console/invitation/${token}`)).status, 200, 'the link still counts')
})

test("a person ends one of their sessions, or all others, and nobody else's", async () => {
  const [ada, bob] = [await addPerson('ada@example.com'), await addPerson('bob@example.com')]
  const [visit, second, third] = [await signedIn(ada), await signedIn(ada), await signedIn(ada)]
  const theirs = await signedIn(bob)
  const names = async (user: User) =>
    (
      await pool.query<{ name: string }>(
        `select encode(id_hash, 'hex') as name from console_session where user_id = $1 order by created_at`,
        [user.id],
      )
    ).rows.map(({ name }) => name)
  const [, ofSecond] = await names(ada)
  const [ofBob] = await names(bob)
  await visit.get('/console/account')
  await visit.post(`/console/account/sessions/${ofBob}/end`)
  assert.equal((await theirs.get('/console/account')).status, 200)
  await visit.post(`/console/account/sessions/${ofSecond}/end`)
  assert.equal((await second.get('/console/account')).status, 303)
  assert.equal((await third.get('/console/account')).status, 200)
  await visit.get('/console/account')
  await visit.post('/console/account/sessions/end-others')
  assert.equal((await third.get('/console/account')).status, 303)
  assert.equal((await visit.get('/console/account')).status, 200)
})

test('a passkey is a second factor; what it signs counts once, and its counter never goes back', async () => {
  const user = await addPerson('key@example.com')
  const visit = await signedIn(user)
  const key = softPasskey(origin)
  assert.match((await addPasskey(visit, key)).text, /account\/factors/)
  assert.match((await visit.get('/console/account')).text, /laptop/)
  assert.equal((await addPasskey(visit, key)).status, 409, 'known already')

  const first = await challengedAtSignIn(user)
  const body = { response: key.sign(first.options, 5) }
  const answers = await Promise.all([
    first.visit.postJson('/console/sign-in/code/passkey', body),
    first.visit.postJson('/console/sign-in/code/passkey', body),
  ])
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401])
  for (const [counter, status] of [
    [5, 401],
    [4, 401],
    [6, 200],
  ] as const) {
    const next = await challengedAtSignIn(user)
    const answer = await next.visit.postJson('/console/sign-in/code/passkey', {
      response: key.sign(next.options, counter),
    })
    assert.equal(answer.status, status, `counter ${counter}`)
  }
  // Of the right key on another site, and of another key.
  const last = await challengedAtSignIn(user)
  const forged = softPasskey(origin).sign(last.options, 9)
  assert.equal((await last.visit.postJson('/console/sign-in/code/passkey', { response: forged })).status, 401)
})

test('a passkey of another site, or of another person, is refused', async () => {
  const user = await addPerson('sites@example.com')
  const visit = await signedIn(user)
  assert.equal((await addPasskey(visit, softPasskey('https://evil.example'))).status, 400)
  assert.equal((await addPasskey(visit, softPasskey('https://pay.example:8443'))).status, 400)
  const bob = await addPerson('thief@example.com')
  const [theirs, own] = [softPasskey(origin), softPasskey(origin)]
  await addPasskey(await signedIn(bob), theirs)
  await addPasskey(visit, own)
  const half = await challengedAtSignIn(user)
  const answer = await half.visit.postJson('/console/sign-in/code/passkey', {
    response: theirs.sign(half.options, 1),
  })
  assert.equal(answer.status, 401)
})

test('a passkey is renamed and removed by its person alone', async () => {
  const user = await addPerson('rename@example.com')
  const visit = await signedIn(user)
  await addPasskey(visit, softPasskey(origin))
  const link = /\/console(\/account\/passkeys\/[0-9a-f]{64})/.exec(
    (await visit.get('/console/account/factors')).text,
  )![1]!
  const thief = await signedIn(await addPerson('other@example.com'), { confirmed: true })
  for (const action of ['name', 'remove'])
    assert.equal((await thief.post(`/console${link}/${action}`, { name: 'x' })).status, 404)
  await visit.get(`/console${link}`)
  await visit.post(`/console${link}/name`, { name: 'blue key' })
  assert.match((await visit.get('/console/account')).text, /blue key/)
  const renamed = await pool.query(
    `select subject, detail from audit_event where action = 'person.passkey_renamed'`,
  )
  assert.deepEqual(renamed.rows, [{ subject: 'person rename@example.com', detail: { name: 'blue key' } }])
  await visit.post(`/console${link}/remove`)
  assert.doesNotMatch((await visit.get('/console/account')).text, /blue key/)
})

test('where browsers have no passkeys the page says so', async () => {
  const plain = await openConsoleUnderTest({ PUBLIC_URL: 'http://pay.example', TRON_NETWORK: 'sandbox' })
  const visit = await plain.signedIn(plain.admin)
  const { text } = await visit.get('/console/account/passkeys/new')
  assert.match(text, /http:\/\/pay\.example/)
  assert.doesNotMatch(text, /data-passkey/)
  assert.equal((await visit.postJson('/console/account/passkeys/options', {})).status, 404)
})
