import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorCode, errorCodes } from '../../src/base/errors.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { setMerchant } from '../../src/merchants/set-merchant.ts'
import { type Answer, followChain, openApiUnderTest, readAnswer } from '../support/api-under-test.ts'
import { formBody, signed, stamp } from '../support/signed-request.ts'

// The whole error table. Each code is provoked over HTTP as a merchant would get it: its status, its form, its request id, its
// line in the log and its count; and nothing secret of the request is in the log or the metrics.
const registry = createMetrics()
const api = await openApiUnderTest({ registry, watched: false, rateLimitPerMinute: 60 })
const shop = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
const bare = await api.addMerchant()
const user = { username: 'u', localusermark: '1' }
const order = { ...user, address: 'auto', orderid: 'sh-1', amount: '3' }
const nonces: string[] = []
const signs: string[] = []

/** As `api.ask`, remembering what may be found nowhere afterwards. */
function ask(caller: typeof shop, endpoint: string, parameters: Record<string, string>): Promise<Answer> {
  const all = signed(caller, endpoint, parameters)
  signs.push(all.sign!)
  if (parameters.nonce) nonces.push(parameters.nonce)
  return api.post(endpoint, formBody(all))
}

const provoked: Record<ErrorCode, () => Promise<Answer>> = {
  // First: nothing is watched yet.
  not_ready: () => ask(shop, 'newAddress', user),
  bad_request: () => api.post('newAddress', 'a=1&a=2'),
  missing_parameter: () => ask(shop, 'findorder', {}),
  bad_parameter: () => ask(shop, 'newAddress', { ...user, username: 'x'.repeat(65) }),
  bad_amount: () => ask(shop, 'TraderRechargeorder', { ...order, amount: '1e3' }),
  bad_notify_url: () => ask(shop, 'TraderRechargeorder', { ...order, notify_url: 'https://10.0.0.1/' }),
  bad_return_url: async () => {
    const leading = await api.addMerchant()
    await setMerchant(api.pool, leading.appid, { returnUrl: true }, { checkUrl: () => null })
    await api.merchants.refresh()
    return ask(leading, 'TraderRechargeorder', {
      ...order,
      notify_url: 'https://shop.example/',
      return_url: 'javascript:alert(1)',
    })
  },
  notify_url_required: () => ask(bare, 'TraderRechargeorder', order),
  address_not_assigned: () => ask(shop, 'TraderRechargeorder', { ...order, address: 'T' }),
  bad_sign: () => ask({ ...shop, key: bare.key }, 'newAddress', user),
  stale_timestamp: () => ask(shop, 'newAddress', { ...user, t: '1' }),
  nonce_reused: async () => {
    const used = stamp()
    await ask(shop, 'newAddress', { ...user, ...used })
    return ask(shop, 'finduseraddress', { ...user, ...used })
  },
  timestamp_required: () => ask(shop, 'testcallback', {}),
  client_not_allowed: async () => {
    const listed = await api.addMerchant()
    const allowedClients = ['203.0.113.7']
    await setMerchant(api.pool, listed.appid, { allowedClients }, { checkUrl: () => null })
    await api.merchants.refresh()
    return ask(listed, 'newAddress', user)
  },
  merchant_disabled: async () => {
    const disabled = await api.addMerchant()
    await api.pool.query(`update merchant set disabled_at = now() where appid = $1`, [disabled.appid])
    await api.merchants.refresh()
    return ask(disabled, 'newAddress', user)
  },
  order_not_found: () => ask(shop, 'findorder', { ordersn: 'cz-1' }),
  user_not_found: () => ask(shop, 'finduseraddress', { ...user, localusermark: 'nobody' }),
  not_found: async () => readAnswer(await api.app.inject({ url: '/api/merchant/newAddress' })),
  orderid_conflict: async () => {
    await ask(shop, 'TraderRechargeorder', order)
    return ask(shop, 'TraderRechargeorder', { ...order, amount: '4' })
  },
  too_large: () => api.post('newAddress', 'x'.repeat(16 * 1024 + 1)),
  unsupported_media_type: () => api.post('newAddress', '<a/>', 'application/xml'),
  rate_limited: async () => {
    let answer: Answer
    do answer = await ask(bare, 'newAddress', user)
    while (answer.status === 1)
    return answer
  },
  unavailable: async () => {
    await api.pool.query(`update address_counter set next_index = 2147483648`)
    return ask(shop, 'newAddress', { ...user, localusermark: 'one too many' })
  },
  // Last: a database that takes no nonce any more, which is our own fault and quotes the row in its error.
  internal: async () => {
    await api.pool.query(`alter table request_nonce add check (length(sign) < 8) not valid`)
    return ask(shop, 'finduseraddress', { ...user, ...stamp() })
  },
}

for (const [code, provoke] of Object.entries(provoked) as [ErrorCode, () => Promise<Answer>][]) {
  test(`${code}: its status, the envelope, one line in the log, one more in the counters`, async () => {
    const [logged, counted] = [api.logged().length, await countOf(code)]
    const answer = await provoke()
    const { status, retry } = errorCodes[code]
    assert.deepEqual([answer.httpStatus, answer.code, answer.status], [status, code, 0], answer.text)
    assert.deepEqual(Object.keys(JSON.parse(answer.text)), ['status', 'err', 'code'])
    assert.match(String(answer.headers['content-type']), /^application\/json/)
    assert.ok(answer.err!.length > 5)
    assert.equal(answer.headers['retry-after'] !== undefined, retry && code !== 'internal')
    if (answer.headers['retry-after']) assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/)
    const lines = api.logged().slice(logged).split('\n')
    const [line, ...others] = lines.filter(line => line.includes(`"code":"${code}"`))
    assert.equal(others.length, 0)
    const requestId = answer.headers['x-request-id']
    assert.match(String(requestId), /^[0-9a-f]{20}$/)
    assert.equal(JSON.parse(line!).requestId, requestId)
    assert.equal(await countOf(code), counted + 1)
    if (code === 'not_ready') await followChain(api.pool)
  })
}

test('a path that cannot be decoded is counted and logged like any other refusal', async () => {
  const [logged, counted] = [api.logged().length, await countOf('bad_request')]
  const answer = readAnswer(await api.app.inject({ method: 'POST', url: '/api/merchant/%zz' }))
  assert.deepEqual([answer.httpStatus, answer.code], [400, 'bad_request'])
  const line = JSON.parse(api.logged().slice(logged))
  assert.deepEqual([line.code, line.requestId], ['bad_request', answer.headers['x-request-id']])
  assert.equal(await countOf('bad_request'), counted + 1)
})

test('nothing secret is in the log, the metrics or the history of calls', async () => {
  await api.app.close()
  const { rows } = await api.pool.query(
    `select coalesce(string_agg(r::text, E'\\n'), '') as all from api_request r`,
  )
  assert.ok(rows[0].all.includes('orderid_conflict'), 'the history is there')
  const everything = `${api.logged()}\n${await registry.metrics()}\n${rows[0].all}`
  const secrets = [shop.key, bare.key, api.masterKey.toString('hex'), 'whsec_', ...signs, ...nonces]
  assert.ok(signs.length > 20 && nonces.length > 2)
  for (const secret of secrets) assert.ok(!everything.toLowerCase().includes(secret.toLowerCase()), secret)
})

async function countOf(code: string): Promise<number> {
  const { values } = await registry.getSingleMetric('gateway_requests_total')!.get()
  return values.filter(({ labels }) => labels.code === code).reduce((sum, { value }) => sum + value, 0)
}
