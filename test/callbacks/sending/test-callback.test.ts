import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unixSeconds } from '../../../src/base/clock.ts'
import type { MerchantId } from '../../../src/base/ids.ts'
import { limitTests, testLimits } from '../../../src/callbacks/sending/test-callback-limits.ts'
import { openApiUnderTest } from '../../support/api-under-test.ts'
import { startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { type Caller, stamp } from '../../support/signed-request.ts'
import { verifyCallback } from '../../support/verify-callback.ts'
import { waitUntil } from '../../support/wait-until.ts'

const api = await openApiUnderTest({ callbackAllowedNetworks: ['127.0.0.0/8'] })
const guarded = await openApiUnderTest()
const endpoint = await startMerchantEndpoint()
const askTest = (caller: Caller, parameters: Record<string, string> = {}, on = api) =>
  on.ask(caller, 'testcallback', { ...stamp(), ...parameters })

// Started here and checked last, because it takes the whole 7 s.
const silent = await startMerchantEndpoint({ hang: true })
const patient = await api.addMerchant({ callbackUrl: silent.url })
const cut = askTest(patient)

test('a sample is sent and signed like every callback, and the result is answered in the fields of the wire', async () => {
  const caller = await api.addMerchant({ callbackUrl: endpoint.url })
  const before = unixSeconds(new Date())
  const answer = await askTest(caller)
  const { duration_ms, ...data } = answer.data
  assert.deepEqual(Object.keys(answer.data), [
    'url',
    'delivered',
    'http_status',
    'duration_ms',
    'answer',
    'error',
  ])
  assert.deepEqual(data, {
    url: endpoint.url,
    delivered: true,
    http_status: 200,
    answer: 'success',
    error: null,
  })
  assert.ok(Number.isInteger(duration_ms) && duration_ms >= 0)
  const [received] = endpoint.requests.splice(0)
  const { orderid, t, sign, ...fields } = verifyCallback(received!, api.merchants.byAppid(caller.appid)!)
  assert.match(orderid!, /^test-[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/)
  assert.deepEqual(fields, { localusermark: 'test', amount: '0', appid: caller.appid })
  assert.ok(Number(t) >= before && Number(t) <= unixSeconds(new Date()) && sign)
})

test('in JSON and in full it has every field of a callback, and each sample has a key of its own', async () => {
  const caller = await api.addMerchant({ callbackUrl: endpoint.url })
  await api.pool.query(
    `update merchant set callback_format = 'json', callback_fields = 'full' where appid = $1`,
    [caller.appid],
  )
  await api.merchants.refresh()
  await askTest(caller)
  await askTest(caller)
  const merchant = api.merchants.byAppid(caller.appid)!
  const [one, two] = endpoint.requests.splice(0).map(request => verifyCallback(request, merchant))
  const { orderid, ordersn, callback_id, t, sign, ...rest } = one!
  assert.match(callback_id!, /^cb_[0-9a-f]{32}$/)
  assert.notEqual(callback_id, two!.callback_id)
  assert.notEqual(orderid, two!.orderid)
  assert.deepEqual(rest, {
    localusermark: 'test',
    amount: '0',
    appid: caller.appid,
    txid: '0'.repeat(64),
    log_index: '0',
    amount_usdt: '0',
    received_usdt: '0',
    expected_usdt: '0',
    state: 'underpaid',
    late: '0',
  })
})

test('it goes to the notify_url given, and an empty one is none', async () => {
  const caller = await api.addMerchant({ callbackUrl: endpoint.url })
  const other = endpoint.url.replace('/callback', '/other?a=1')
  assert.equal((await askTest(caller, { notify_url: other })).data.url, other)
  assert.equal(endpoint.requests.splice(0)[0]!.path, '/other?a=1')
  assert.equal((await askTest(caller, { notify_url: '' })).data.url, endpoint.url)
  endpoint.requests.length = 0
  const homeless = await api.addMerchant()
  assert.equal((await askTest(homeless)).code, 'notify_url_required')
})

test('a test that is not acknowledged is answered with the reason, the status and the answer', async () => {
  const caller = await api.addMerchant({ callbackUrl: endpoint.url })
  const cases = [
    [{ status: 404, body: 'no such page' }, 404, 'no such page', /^refused: status 404; only a 2xx/],
    [{ status: 302, headers: { location: endpoint.url } }, 302, '', /redirects are not followed$/],
    [{ reset: true }, null, null, /^reset: the connection broke off$/],
    [{ reset: true, status: 200 }, 200, null, /^reset:/],
    [{ raw: 'hello\r\n\r\n' }, null, null, /^bad_answer: the answer is not valid HTTP$/],
  ] as const
  for (const [answer, status, text, error] of cases) {
    endpoint.answer = answer
    const { data } = await askTest(caller)
    assert.deepEqual([data.delivered, data.http_status, data.answer], [false, status, text])
    assert.match(data.error, error)
  }
  await api.pool.query(`update merchant set acknowledgement = 'OK' where appid = $1`, [caller.appid])
  await api.merchants.refresh()
  endpoint.answer = { status: 200, body: 'not ok' }
  assert.equal(
    (await askTest(caller)).data.error,
    'refused: a 2xx acknowledges only if its body is "OK", or {"msg":"OK"}',
  )
  endpoint.answer = { status: 200, body: 'x'.repeat(5_000) }
  assert.equal((await askTest(caller)).data.answer.length, 2_048)
  endpoint.answer = { status: 200, body: 'success' }
  endpoint.requests.length = 0
})

test('an endpoint that cannot be reached is reported without naming an address or a port', async () => {
  const caller = await api.addMerchant()
  const gone = await startMerchantEndpoint()
  await gone.close()
  const { data: nobody } = await askTest(caller, { notify_url: gone.url })
  assert.equal(nobody.error, 'connect: the connection failed')
  const { data: nameless } = await askTest(caller, { notify_url: 'https://does-not-exist.invalid/' })
  assert.equal(nameless.error, 'dns: the name cannot be resolved')
})

test('the guard of every callback applies: a URL refused by its text or its address is not dialled', async () => {
  const caller = await guarded.addMerchant({ callbackUrl: endpoint.url })
  for (const notify_url of [
    endpoint.url,
    'http://shop.example/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'x',
  ]) {
    const answer = await askTest(caller, { notify_url }, guarded)
    assert.deepEqual([answer.httpStatus, answer.code], [400, 'bad_notify_url'], notify_url)
  }
  // The merchant's own default was allowed once, and is not any more.
  const { data } = await askTest(caller, {}, guarded)
  assert.equal(
    data.error,
    'blocked: callbacks are not sent to this URL, or to the address that its name resolves to',
  )
  assert.deepEqual([data.delivered, data.http_status, data.answer], [false, null, null])
  assert.equal(endpoint.requests.length, 0)
})

test('t and nonce are required in every scheme, and a nonce serves once even with the same sign', async () => {
  for (const scheme of ['hmac-sha256', 'sha1'] as const) {
    const caller = await api.addMerchant({ scheme, callbackUrl: endpoint.url })
    const { t, nonce } = stamp()
    for (const missing of [{}, { t }, { nonce }] as Record<string, string>[])
      assert.equal((await api.ask(caller, 'testcallback', missing)).code, 'timestamp_required')
    assert.equal((await api.ask(caller, 'testcallback', { t, nonce })).data.delivered, true)
    assert.equal((await api.ask(caller, 'testcallback', { t, nonce })).code, 'nonce_reused')
  }
  assert.equal(endpoint.requests.splice(0).length, 2, 'what is refused is not sent')
})

test('a merchant without a promoted key is told that nothing can be signed', async () => {
  const caller = await api.addMerchant({ callbackUrl: endpoint.url })
  await api.pool.query(
    `update merchant_key set promoted = false where merchant_id = (select id from merchant where appid = $1)`,
    [caller.appid],
  )
  await api.merchants.refresh()
  const { data } = await askTest(caller)
  assert.equal(data.error, 'no_key: the merchant has no promoted key to sign with')
  assert.equal(endpoint.requests.length, 0)
})

test('an endpoint that hangs holds two calls of its merchant, no database connection, and no other merchant', async () => {
  const hanging = await startMerchantEndpoint({ hang: true })
  const caller = await api.addMerchant({ callbackUrl: hanging.url })
  const held = [askTest(caller), askTest(caller)]
  await waitUntil('both are under way', () => hanging.inFlight === 2)
  const third = await askTest(caller)
  assert.deepEqual([third.httpStatus, third.code, third.headers['retry-after']], [429, 'rate_limited', '1'])
  assert.equal(hanging.requests.length, 2)
  // The API's own chores use a connection now and then.
  await waitUntil('no connection is in use', () => api.pool.totalCount === api.pool.idleCount)
  assert.equal(hanging.inFlight, 2)
  const other = await api.addMerchant({ callbackUrl: endpoint.url })
  assert.equal((await askTest(other)).data.delivered, true)
  await hanging.close()
  for (const answer of await Promise.all(held)) assert.match(answer.data.error, /^(reset|network|connect): /)
  assert.match((await askTest(caller)).data.error, /^connect: /, 'both tests have ended')
})

const [one, two, three, four] = [1n, 2n, 3n, 4n] as [MerchantId, MerchantId, MerchantId, MerchantId]

test('started too often within a minute, tests are refused until the minute is over', () => {
  let now = 0
  const startTest = limitTests({ now: () => new Date(now) })
  for (let i = 0; i < testLimits.perMinute; i++) startTest(one)()
  now = 40_500
  assert.throws(() => startTest(one), { code: 'rate_limited', retryAfterS: 20 })
  startTest(two)()
  now = 60_000
  startTest(one)()
})

test('tests of many merchants at once are limited too, and one that ends makes room', () => {
  const startTest = limitTests({ now: () => new Date(0) }, { perMerchant: 1, together: 3, perMinute: 9 })
  const [endFirst] = [one, two, three].map(id => startTest(id))
  assert.throws(() => startTest(four), { code: 'unavailable' })
  endFirst!()
  startTest(four)
})

test('nothing of a test is kept or logged that is secret, and it announces nothing', async () => {
  const caller = await api.addMerchant({ callbackUrl: endpoint.url })
  await askTest(caller)
  const { rows } = await api.pool.query(
    `select (select count(*) from callback)::int as callbacks, (select count(*) from callback_attempt)::int as attempts`,
  )
  assert.deepEqual(rows, [{ callbacks: 0, attempts: 0 }])
  const [secret] = api.merchants.byAppid(caller.appid)!.webhookSecrets
  const logged = api.logged()
  assert.match(logged, /callback\.tested/)
  assert.ok(!logged.includes(caller.key) && !logged.includes(secret!))
})

test('an endpoint that does not answer is cut off at 7 s, and the caller is answered', async () => {
  const { data, status } = await cut
  assert.equal(status, 1)
  assert.equal(data.error, 'timeout: no complete answer within 7000 ms')
  assert.deepEqual([data.url, data.delivered, data.http_status], [silent.url, false, null])
})
