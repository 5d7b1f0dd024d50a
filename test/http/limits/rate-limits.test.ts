import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Redis } from 'ioredis'
import { buildApp } from '../../../src/http/app.ts'
import { type ApiUnderTest, openApiUnderTest, readAnswer } from '../../support/api-under-test.ts'
import { startBreakableProxy } from '../../support/breakable-proxy.ts'
import { noRedis, startRedis } from '../../support/redis.ts'
import { formBody, signed } from '../../support/signed-request.ts'

const user = { username: 'u', localusermark: '1' }
const movingClock = () => {
  const clock = { at: new Date('2026-11-23T12:00:00Z'), now: () => clock.at }
  return clock
}

/** Posts from a client address. */
async function from(api: ApiUnderTest, address: string, headers: Record<string, string> = {}) {
  return readAnswer(
    await api.app.inject({
      method: 'POST',
      url: '/api/merchant/newAddress',
      remoteAddress: address,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: '',
    }),
  )
}

const codes = async (ask: () => Promise<{ code?: string }>, times: number) => {
  const seen: string[] = []
  for (let i = 0; i < times; i++) seen.push((await ask()).code ?? 'ok')
  return seen
}

test('a client address may ask so often in a minute, before authentication', async () => {
  const clock = movingClock()
  const api = await openApiUnderTest({ ipRateLimitPerMinute: 3, clock })
  const ask = () => from(api, '198.51.100.7')
  assert.deepEqual(await codes(ask, 5), ['bad_sign', 'bad_sign', 'bad_sign', 'rate_limited', 'rate_limited'])
  const refused = await ask()
  assert.equal(refused.httpStatus, 429)
  assert.equal(refused.headers['retry-after'], '60')
  assert.deepEqual(
    ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'].map(name =>
      String(refused.headers[name]),
    ),
    ['3', '0', '60'],
  )
  assert.equal((await from(api, '198.51.100.8')).code, 'bad_sign', 'another address is another count')
  clock.at = new Date(clock.at.getTime() + 60_000)
  assert.equal((await ask()).code, 'bad_sign', 'a minute later the window is a new one')
})

test('addresses of one IPv6 /64 count together', async () => {
  const api = await openApiUnderTest({ ipRateLimitPerMinute: 1 })
  assert.equal((await from(api, '2001:db8:1:2::1')).code, 'bad_sign')
  assert.equal((await from(api, '2001:db8:1:2:ffff::9')).code, 'rate_limited')
  assert.equal((await from(api, '2001:db8:1:3::1')).code, 'bad_sign')
})

test('X-Forwarded-For counts only when it comes from a trusted proxy', async () => {
  const spoof = (i: number) => ({ 'x-forwarded-for': `203.0.113.${i}` })
  const direct = await openApiUnderTest({ ipRateLimitPerMinute: 2 })
  assert.deepEqual(
    [
      (await from(direct, '198.51.100.7', spoof(1))).code,
      (await from(direct, '198.51.100.7', spoof(2))).code,
      (await from(direct, '198.51.100.7', spoof(3))).code,
    ],
    ['bad_sign', 'bad_sign', 'rate_limited'],
  )
  const proxied = await openApiUnderTest({ ipRateLimitPerMinute: 2, trustProxy: ['10.0.0.0/8'] })
  for (let i = 0; i < 4; i++) assert.equal((await from(proxied, '10.0.0.1', spoof(i))).code, 'bad_sign')
  // The client writes what it likes on the left; what counts is what the proxy put on the right.
  const forged = (i: number) => ({ 'x-forwarded-for': `203.0.113.${i}, 198.51.100.9` })
  assert.equal((await from(proxied, '10.0.0.1', forged(1))).code, 'bad_sign')
  assert.equal((await from(proxied, '10.0.0.1', forged(2))).code, 'bad_sign')
  assert.equal((await from(proxied, '10.0.0.1', forged(3))).code, 'rate_limited')
  for (let i = 0; i < 2; i++) await from(proxied, '198.51.100.99', spoof(7))
  assert.equal((await from(proxied, '198.51.100.99', spoof(8))).code, 'rate_limited', 'not a trusted proxy')
})

test('a merchant may ask so often in a minute, and a forged request never spends its quota', async () => {
  const api = await openApiUnderTest({ rateLimitPerMinute: 3 })
  const [merchant, other] = [await api.addMerchant({ scheme: 'sha1' }), await api.addMerchant()]
  const ask = () => api.ask(merchant, 'newAddress', user)
  for (let i = 0; i < 10; i++) {
    assert.equal((await api.ask({ ...merchant, key: 'forged' }, 'newAddress', user)).code, 'bad_sign')
  }
  assert.deepEqual(await codes(ask, 4), ['ok', 'ok', 'ok', 'rate_limited'])
  const refused = await ask()
  assert.equal(refused.httpStatus, 429, 'always_200 or not')
  assert.match(String(refused.headers['retry-after']), /^\d+$/)
  assert.equal((await api.ask(other, 'newAddress', user)).status, 1)
})

test('every answer of the API says what is left, and strangers spend it with anything they ask for', async () => {
  const api = await openApiUnderTest({ ipRateLimitPerMinute: 11, rateLimitPerMinute: 100 })
  const merchant = await api.addMerchant()
  const get = async (url: string, method: 'GET' | 'OPTIONS' = 'GET') => {
    const { statusCode, headers } = await api.app.inject({ method, url })
    return { httpStatus: statusCode, headers }
  }
  const answers: [number, { httpStatus: number; headers: Record<string, unknown> }, string][] = [
    [400, await api.post('nothing', 'a=1&a=2'), '10'],
    [413, await api.post('nothing', 'x'.repeat(20_000)), '9'],
    [401, await api.post('newAddress', 'a=1'), '8'],
    [400, await api.post('newAddress', 'a=1&a=2'), '7'],
    [413, await api.post('newAddress', 'x'.repeat(20_000)), '6'],
    [415, await api.post('newAddress', 'a', 'text/plain'), '5'],
    [404, await api.post('nothing', 'a=1'), '4'],
    [404, await get('/api/merchant/newAddress', 'OPTIONS'), '3'],
    [200, await get('/docs'), '2'],
    [200, await get('/docs/json'), '1'],
    [200, await api.ask(merchant, 'newAddress', user), '99'],
    [429, await api.ask(merchant, 'newAddress', user), '0'],
    [429, await get('/docs'), '0'],
    [429, await get('/nothing'), '0'],
    [429, await api.post('nothing', 'a=1&a=2'), '0'],
  ]
  for (const [i, [status, { httpStatus, headers }, remaining]] of answers.entries()) {
    assert.deepEqual(
      [httpStatus, String(headers['x-ratelimit-remaining'])],
      [status, remaining],
      `answer ${i}`,
    )
    assert.equal(String(headers['x-ratelimit-limit']), remaining === '99' ? '100' : '11')
    assert.match(String(headers['x-ratelimit-reset']), /^\d+$/)
    assert.equal(headers['retry-after'] !== undefined, status === 429)
  }
  assert.equal((await get('/healthz')).httpStatus, 200, 'a probe is never told to wait')
})

test('0 is no limit, and then there are no limit headers', async () => {
  const api = await openApiUnderTest()
  const merchant = await api.addMerchant()
  const answer = await api.ask(merchant, 'newAddress', user)
  assert.equal(answer.status, 1)
  assert.equal(answer.headers['x-ratelimit-limit'], undefined)
})

test('on Redis, replicas count together', { skip: noRedis }, async () => {
  const redis = await startRedis()
  const settings = { rateLimitPerMinute: 3, ipRateLimitPerMinute: 1000, redisUrl: redis.url }
  const one = await openApiUnderTest(settings)
  const replica = await buildApp(one.options)
  after(() => replica.close())
  const merchant = await one.addMerchant()
  const askReplica = async () => {
    const request = { method: 'POST' as const, url: '/api/merchant/newAddress' }
    const payload = signed(merchant, 'newAddress', user)
    return readAnswer(await replica.inject({ ...request, payload }))
  }
  assert.equal((await one.ask(merchant, 'newAddress', user)).status, 1)
  assert.equal((await askReplica()).status, 1)
  assert.equal((await one.ask(merchant, 'newAddress', user)).status, 1)
  assert.equal((await askReplica()).code, 'rate_limited')
})

test("gateways on two databases that share a Redis do not spend each other's quota", {
  skip: noRedis,
}, async () => {
  const redis = await startRedis()
  const settings = { rateLimitPerMinute: 1, redisUrl: redis.url }
  const [one, two] = [await openApiUnderTest(settings), await openApiUnderTest(settings)]
  // Both are the first merchant of their databases.
  for (const api of [one, two])
    assert.equal((await api.ask(await api.addMerchant(), 'newAddress', user)).status, 1)
})

test('a count in Redis that has lost its end gets one: nobody is locked out for good', {
  skip: noRedis,
}, async () => {
  const redis = await startRedis()
  const api = await openApiUnderTest({ rateLimitPerMinute: 3, redisUrl: redis.url })
  const merchant = await api.addMerchant()
  const ask = () => api.ask(merchant, 'newAddress', user)
  assert.equal((await ask()).status, 1)
  const client = new Redis(redis.url)
  after(() => client.disconnect())
  const [key] = await client.keys('*')
  // As a restore without its times, or a hand, leaves it.
  await client.set(key!, '1000')
  const refused = await ask()
  assert.deepEqual([refused.code, refused.headers['retry-after']], ['rate_limited', '60'])
  assert.ok((await client.pttl(key!)) > 0)
})

for (const how of ['down', 'silent'] as const) {
  test(`while Redis is ${how}, the limit is kept by the process, nothing fails and nothing hangs`, {
    skip: noRedis,
  }, async () => {
    const redis = await startRedis()
    const proxy = await startBreakableProxy(redis.url)
    const api = await openApiUnderTest({ rateLimitPerMinute: 20, redisUrl: proxy.url })
    const merchant = await api.addMerchant()
    const body = formBody(signed(merchant, 'newAddress', user))
    assert.equal((await api.post('newAddress', body)).status, 1)
    if (how === 'down') await proxy.cut()
    else proxy.silence()
    // One that waited for Redis until the API's own deadline would be unavailable.
    const seen = await codes(() => api.post('newAddress', body), 25)
    assert.deepEqual(new Set(seen), new Set(['ok', 'rate_limited']))
    assert.ok(seen.filter(code => code === 'ok').length <= 20)
    assert.match(api.logged(), /rate_limit\.counting_here/)
  })
}

test('it starts without Redis being there', async () => {
  const api = await openApiUnderTest({ rateLimitPerMinute: 2, redisUrl: 'redis://127.0.0.1:1' })
  const merchant = await api.addMerchant()
  const ask = () => api.ask(merchant, 'newAddress', user)
  assert.deepEqual(await codes(ask, 3), ['ok', 'ok', 'rate_limited'])
})
