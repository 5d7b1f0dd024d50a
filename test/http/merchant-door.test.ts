import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signParameters } from '../../src/merchants/signature.ts'
import { countRows, form, json, openApiUnderTest, readAnswer } from '../support/api-under-test.ts'
import { type Caller, formBody, signed, stamp } from '../support/signed-request.ts'

const clock = { at: new Date('2026-11-23T12:00:00.500Z'), now: () => clock.at }
const api = await openApiUnderTest({ clock })
const hmac = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
const sha1 = await api.addMerchant({ scheme: 'sha1', callbackUrl: 'https://shop.example/cb' })
const user = { username: 'u', localusermark: '1' }
for (const caller of [hmac, sha1]) await api.ask(caller, 'newAddress', user)

const legacyEndpoints = ['newAddress', 'finduseraddress', 'TraderRechargeorder']
const at = (seconds: number) => String(Math.floor(clock.at.getTime() / 1000) + seconds)

test('a wrong sign, a missing one, an unknown appid and a missing one are answered alike, and write nothing', async () => {
  const before = await countRows(api.pool)
  const right = signed(hmac, 'newAddress', { username: 'stranger', localusermark: 'stranger' })
  const { sign: _, ...unsigned } = right
  const { appid: __, ...nameless } = right
  const wrong: Record<string, string>[] = [
    { ...right, sign: right.sign!.replace(/^./, c => (c === '0' ? '1' : '0')) },
    { ...right, sign: '' },
    { ...right, sign: right.sign!.slice(1) },
    { ...right, sign: `${right.sign}0` },
    { ...right, sign: '用'.repeat(64) },
    { ...right, username: 'other' },
    { ...right, extra: '1' },
    unsigned,
    nameless,
    { ...right, appid: 'VunTq7Zk2Lm9h1l8' },
    { ...right, appid: sha1.appid },
    { ...right, appid: '' },
    signed({ ...hmac, key: sha1.key }, 'newAddress', user),
    signed({ ...hmac, scheme: 'sha1' }, 'newAddress', user),
    signed({ ...sha1, scheme: 'hmac-sha256' }, 'newAddress', user),
    signed(hmac, 'finduseraddress', user),
    {},
  ]
  const answers = await Promise.all(wrong.map(body => api.post('newAddress', formBody(body))))
  assert.deepEqual(
    answers.map(answer => [answer.httpStatus, answer.code]),
    wrong.map(() => [401, 'bad_sign']),
  )
  assert.equal(new Set(answers.map(answer => answer.text)).size, 1)
  assert.deepEqual(await countRows(api.pool), before)
  assert.equal(
    (await api.post('newAddress', formBody(right))).status,
    1,
    'the right one is served afterwards',
  )
})

test('strangers are told nothing of the parameters: the sign is judged first', async () => {
  const answer = await api.post(
    'TraderRechargeorder',
    formBody({ appid: hmac.appid, amount: 'x', sign: 'A'.repeat(64) }),
  )
  assert.equal(answer.code, 'bad_sign')
})

test('the sign may be written in lower-case hex', async () => {
  const right = signed(hmac, 'finduseraddress', user)
  const answer = await api.post('finduseraddress', formBody({ ...right, sign: right.sign!.toLowerCase() }))
  assert.equal(answer.status, 1)
})

test('a callback does not pass for a request under hmac-sha256: the name in front is signed', async () => {
  const parameters = { appid: hmac.appid, ...user }
  const sign = signParameters('hmac-sha256', 'callback', parameters, hmac.key)
  assert.equal((await api.post('newAddress', formBody({ ...parameters, sign }))).code, 'bad_sign')
})

test('sha1 needs t and nonce on every endpoint but the three legacy ones; hmac-sha256 on none', async () => {
  for (const endpoint of legacyEndpoints) {
    const answer = await api.ask(sha1, endpoint, user)
    assert.notEqual(answer.code, 'timestamp_required', endpoint)
  }
  const find = (caller: Caller, extra: Record<string, string>) =>
    api.ask(caller, 'findorder', { orderid: 'none', ...extra })
  const { t, nonce } = stamp(clock.at)
  for (const extra of [{}, { t }, { nonce }] as Record<string, string>[]) {
    assert.equal((await find(sha1, extra)).code, 'timestamp_required', JSON.stringify(extra))
    assert.equal((await find(hmac, extra)).code, 'order_not_found')
  }
  assert.equal((await find(sha1, stamp(clock.at))).code, 'order_not_found')
})

test('a merchant may be set to require t and nonce everywhere', async () => {
  const strict = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  await api.pool.query(`update merchant set require_nonce = true where appid = $1`, [strict.appid])
  await api.merchants.refresh()
  for (const endpoint of [...legacyEndpoints, 'findorder']) {
    assert.equal((await api.ask(strict, endpoint, user)).code, 'timestamp_required', endpoint)
  }
  assert.equal((await api.ask(strict, 'newAddress', { ...user, ...stamp(clock.at) })).status, 1)
})

test('t is good within 300 s either way; beyond, in milliseconds or not a number it is refused', async () => {
  const ask = (t: string) => api.ask(hmac, 'finduseraddress', { ...user, t })
  for (const seconds of [-299, 0, 299, 300]) assert.equal((await ask(at(seconds))).status, 1, `${seconds} s`)
  for (const seconds of [-301, 301, 86_400]) {
    assert.equal((await ask(at(seconds))).code, 'stale_timestamp', `${seconds} s`)
  }
  assert.equal((await ask(String(clock.at.getTime()))).code, 'stale_timestamp')
  assert.equal((await ask('0')).code, 'stale_timestamp')
  for (const t of ['', 'now', '1e9', '1.5', '-1', `${at(0)} `, '9'.repeat(16)]) {
    assert.equal((await ask(t)).code, 'bad_parameter', t)
  }
})

test('the same nonce with the same sign is a retry and served, with another sign it is refused', async () => {
  const { t, nonce } = stamp(clock.at)
  const ask = (extra: Record<string, string> = {}) =>
    api.ask(hmac, 'finduseraddress', { ...user, t, nonce, ...extra })
  const first = await ask()
  assert.equal(first.status, 1)
  assert.deepEqual((await ask()).data, first.data)
  const lower = signed(hmac, 'finduseraddress', { ...user, t, nonce })
  const retried = await api.post('finduseraddress', formBody({ ...lower, sign: lower.sign!.toLowerCase() }))
  assert.equal(retried.status, 1, 'the same sign in lower case is the same sign')
  const reused = await ask({ extra: '1' })
  assert.deepEqual([reused.httpStatus, reused.code], [401, 'nonce_reused'])
  assert.equal(
    (await api.ask(sha1, 'finduseraddress', { ...user, t, nonce })).status,
    1,
    "another merchant's is another",
  )
})

test('of many at once with one nonce and different signs one is served; with one sign all are', async () => {
  const shared = stamp(clock.at)
  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, i) =>
      api.ask(hmac, 'finduseraddress', { ...user, ...shared, i: String(i) }),
    ),
  )
  assert.equal(answers.filter(answer => answer.status === 1).length, 1)
  assert.equal(answers.filter(answer => answer.code === 'nonce_reused').length, 31)
  const retry = stamp(clock.at)
  const retries = await Promise.all(
    Array.from({ length: 32 }, () => api.ask(hmac, 'finduseraddress', { ...user, ...retry })),
  )
  assert.ok(retries.every(answer => answer.status === 1))
})

test('a nonce is 16 to 64 characters', async () => {
  for (const nonce of ['', 'n'.repeat(15), 'n'.repeat(65), `${'n'.repeat(16)}\n`]) {
    assert.equal((await api.ask(hmac, 'finduseraddress', { ...user, nonce })).code, 'bad_parameter')
  }
  for (const nonce of ['n'.repeat(16), '用'.repeat(64)]) {
    assert.equal((await api.ask(hmac, 'finduseraddress', { ...user, nonce })).status, 1)
  }
})

test('a refused request spends no nonce before its t is judged, and keeps none when its sign is wrong', async () => {
  const before = await countRows(api.pool)
  const { nonce } = stamp(clock.at)
  await api.ask(hmac, 'finduseraddress', { ...user, t: at(-1000), nonce })
  await api.post(
    'finduseraddress',
    formBody({ appid: hmac.appid, ...user, t: at(0), nonce, sign: '0'.repeat(64) }),
  )
  assert.deepEqual(await countRows(api.pool), before)
})

test('always_200: once the sign is verified refusals come with 200; bad_sign and the rest keep their status', async () => {
  const { rows } = await api.pool.query(`select appid, always_200 from merchant where appid = any($1)`, [
    [hmac.appid, sha1.appid],
  ])
  const defaults = Object.fromEntries(rows.map(row => [row.appid, row.always_200]))
  assert.deepEqual(defaults, { [hmac.appid]: false, [sha1.appid]: true }, 'it is the default for sha1')
  const order = { ...user, address: 'Tx', orderid: 'matrix', amount: '1' }
  const cases: [string, string, Record<string, string>, number][] = [
    ['missing_parameter', 'newAddress', { username: 'u' }, 400],
    ['bad_parameter', 'newAddress', { ...user, username: '' }, 400],
    ['bad_amount', 'TraderRechargeorder', { ...order, amount: '0' }, 400],
    ['bad_notify_url', 'TraderRechargeorder', { ...order, notify_url: 'http://x' }, 400],
    ['address_not_assigned', 'TraderRechargeorder', order, 400],
    ['stale_timestamp', 'newAddress', { ...user, t: at(-400) }, 401],
    ['user_not_found', 'finduseraddress', { username: 'u', localusermark: 'nobody' }, 404],
    ['order_not_found', 'findorder', { orderid: 'none', ...stamp(clock.at) }, 404],
  ]
  for (const [code, endpoint, parameters, status] of cases) {
    const plain = await api.ask(hmac, endpoint, parameters)
    assert.deepEqual([plain.httpStatus, plain.code, plain.status], [status, code, 0])
    const always = await api.ask(sha1, endpoint, { ...parameters, ...(parameters.nonce && stamp(clock.at)) })
    assert.deepEqual([always.httpStatus, always.code, always.status], [200, code, 0])
    assert.equal(always.err, plain.err)
  }
  const required = await api.ask(sha1, 'findorder', { orderid: 'none' })
  assert.deepEqual([required.httpStatus, required.code], [200, 'timestamp_required'])
  const forged = await api.ask({ ...sha1, key: hmac.key }, 'newAddress', user)
  assert.deepEqual([forged.httpStatus, forged.code], [401, 'bad_sign'])
  const nowhere = await api.ask(sha1, 'nothing', user)
  assert.deepEqual([nowhere.httpStatus, nowhere.code], [404, 'not_found'])
})

test('a disabled merchant is told so once its sign is verified, and a forger is not', async () => {
  const caller = await api.addMerchant()
  await api.pool.query(`update merchant set disabled_at = now() where appid = $1`, [caller.appid])
  await api.merchants.refresh()
  const answer = await api.ask(caller, 'newAddress', user)
  assert.deepEqual([answer.httpStatus, answer.code], [403, 'merchant_disabled'])
  assert.equal((await api.ask({ ...caller, key: hmac.key }, 'newAddress', user)).code, 'bad_sign')
  await api.pool.query(`update merchant set disabled_at = null where appid = $1`, [caller.appid])
  await api.merchants.refresh()
  assert.equal((await api.ask(caller, 'newAddress', user)).status, 1)
})

test('bodies that cannot be read are refused before anything else: bad_request', async () => {
  const right = JSON.stringify(signed(hmac, 'newAddress', user))
  const bodies: [string | Buffer, string][] = [
    ['', json],
    ['{', json],
    [`${right} x`, json],
    [right.replace('{', '{"username":"u",'), json],
    [right.replace('{', '{"__proto__":{"a":"1"},'), json],
    [right.replace('{', '{"nested":{"a":"1"},'), json],
    [right.replace('{', '{"amount":1.5,'), json],
    [right.replace('{', '{"x":"\\ud800",'), json],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), json],
    [Buffer.from(right, 'utf16le'), json],
    [right, `${json}; charset=gbk`],
    [right, `${json}; charset="iso-8859-1"`],
    ['username=u&username=u', form],
    ['a=%ff', form],
    ['a=%4', form],
    [Buffer.from('username=\xe9', 'latin1'), form],
    ['__proto__=1', form],
    ['constructor=1', form],
    ['a=1', `${form};charset=GB2312`],
    ['a=1', `${form};charset=utf-8;charset=GB2312`],
    [`{"a":${'['.repeat(4000)}${']'.repeat(4000)}}`, json],
  ]
  const before = await countRows(api.pool)
  for (const [body, contentType] of bodies) {
    const answer = await api.post('newAddress', body, contentType)
    assert.deepEqual(
      [answer.httpStatus, answer.code, answer.status],
      [400, 'bad_request', 0],
      String(body).slice(0, 50),
    )
  }
  assert.deepEqual(await countRows(api.pool), before)
})

test('UTF-8 may be named as the charset, in any spelling', async () => {
  const body = signed(hmac, 'finduseraddress', user)
  for (const type of ['; charset=utf-8', ';charset="UTF-8"', '; Charset=utf8', '; x=y']) {
    assert.equal((await api.post('finduseraddress', JSON.stringify(body), json + type)).status, 1, type)
    assert.equal((await api.post('finduseraddress', formBody(body), form + type)).status, 1, type)
  }
})

test('other content types, and compressed bodies, are unsupported', async () => {
  const body = signed(hmac, 'newAddress', user)
  for (const type of [
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jsonx',
    'nonsense',
  ]) {
    const answer = await api.post('newAddress', JSON.stringify(body), type)
    assert.deepEqual([answer.httpStatus, answer.code], [415, 'unsupported_media_type'], type)
  }
  const compressed = await api.app.inject({
    method: 'POST',
    url: '/api/merchant/newAddress',
    headers: { 'content-type': json, 'content-encoding': 'gzip' },
    payload: JSON.stringify(body),
  })
  assert.equal(readAnswer(compressed).code, 'unsupported_media_type')
  const untyped = await api.app.inject({
    method: 'POST',
    url: '/api/merchant/newAddress',
    payload: Buffer.from('a=1'),
  })
  assert.equal(readAnswer(untyped).code, 'unsupported_media_type')
})

test('a body over 16 KiB is too large, one of just 16 KiB is read', async () => {
  const pad = (length: number) => `a=${'x'.repeat(length - 2)}`
  const over = await api.post('newAddress', pad(16 * 1024 + 1))
  assert.deepEqual([over.httpStatus, over.code], [413, 'too_large'])
  assert.equal((await api.post('newAddress', pad(16 * 1024))).code, 'bad_sign')
})

test('other methods and paths are not found, in the envelope', async () => {
  const requests: [string, string][] = [
    ['GET', '/api/merchant/newAddress'],
    ['PUT', '/api/merchant/newAddress'],
    ['DELETE', '/api/merchant/newAddress'],
    ['OPTIONS', '/api/merchant/newAddress'],
    ['PATCH', '/api/merchant/newAddress'],
    ['POST', '/api/merchant/newaddress'],
    ['POST', '/api/merchant/newAddress/x'],
    ['POST', '/api/merchant/'],
    ['POST', '/'],
    ['GET', '/api'],
    ['GET', '/metrics'],
    ['GET', '/.env'],
  ]
  for (const [method, url] of requests) {
    const answer = readAnswer(await api.app.inject({ method: method as 'GET', url }))
    assert.deepEqual(
      [answer.httpStatus, answer.code, answer.status],
      [404, 'not_found', 0],
      `${method} ${url}`,
    )
  }
  const odd = readAnswer(await api.app.inject({ method: 'GET', url: '/%zz' }))
  assert.deepEqual([odd.httpStatus, odd.code], [400, 'bad_request'])
})

test('names of JavaScript objects are parameters like any other', async () => {
  const answer = await api.ask(hmac, 'finduseraddress', {
    ...user,
    toString: '1',
    valueOf: '2',
    hasOwnProperty: '3',
  })
  assert.equal(answer.status, 1)
})

test('nothing secret is in the log, and every refusal is', () => {
  const logged = api.logged()
  for (const caller of [hmac, sha1]) {
    assert.ok(!logged.includes(caller.key))
    assert.ok(!logged.includes(signed(caller, 'newAddress', user).sign!))
  }
  assert.ok(!logged.includes(api.masterKey.toString('hex')))
  assert.ok(!logged.includes('whsec_'))
  for (const code of ['bad_sign', 'nonce_reused', 'too_large', 'not_found'])
    assert.ok(logged.includes(`"code":"${code}"`))
})

test('a sandbox says what it signed, alike for an unknown appid; no other network does', async () => {
  const explained = async (network: 'sandbox' | 'mainnet' | 'nile' | 'shasta' | 'private' | undefined) => {
    const other = await openApiUnderTest({ tronNetwork: network })
    const caller = await other.addMerchant()
    const parameters = { username: 'a b', localusermark: '1', appid: caller.appid }
    const refusals = []
    for (const appid of [caller.appid, 'nobody-has-this1']) {
      const { err, code, httpStatus } = await other.post(
        'newAddress',
        formBody({ ...parameters, appid, sign: '0'.repeat(64) }),
      )
      assert.deepEqual([httpStatus, code], [401, 'bad_sign'])
      refusals.push(err!.replaceAll(appid, 'APPID'))
    }
    assert.equal(refusals[0], refusals[1])
    assert.ok(!refusals[0]!.includes(caller.key))
    return refusals[0]
  }
  const plain = 'sign: missing or wrong, or appid: unknown'
  assert.equal(
    await explained('sandbox'),
    `${plain}; what is signed here, by hmac-sha256: newAddress?appid=APPID&localusermark=1&username=a%20b; by sha1: appidAPPIDlocalusermark1usernamea b<key>`,
  )
  for (const network of ['mainnet', 'nile', 'shasta', 'private', undefined] as const)
    assert.equal(await explained(network), plain, network)
})
