import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { test } from 'node:test'
import { createMetrics } from '../../src/base/metrics.ts'
import { dropOldPartitions, makePartitions } from '../../src/db/partitions.ts'
import { form, openApiUnderTest } from '../support/api-under-test.ts'
import { type BreakableProxy, startBreakableProxy } from '../support/breakable-proxy.ts'
import { formBody, signed } from '../support/signed-request.ts'
import { waitUntil } from '../support/wait-until.ts'

const user = { username: 'u', localusermark: '1' }

interface KeptRow {
  requestId: string
  appid: string
  /** The appid of the merchant whose key signed it. */
  keyOf: string
  endpoint: string
  code: string
  orderid: string | null
  clientAddress: string
  durationMs: number
}

async function openWithHistory(settings: Parameters<typeof openApiUnderTest>[0] = {}) {
  const api = await openApiUnderTest(settings)
  const kept = async (): Promise<KeptRow[]> =>
    (
      await api.pool.query(
        `select request_id as "requestId", m.appid, (select appid from merchant_key k join merchant m on m.id = k.merchant_id where k.id = r.key_id) as "keyOf", endpoint, code, orderid, client_address as "clientAddress", duration_ms as "durationMs"
           from api_request r join merchant m on m.id = r.merchant_id order by r.id`,
      )
    ).rows
  return { ...api, kept }
}

test('every authenticated call is kept: who, what, how it was answered, for which order, from where', async () => {
  const api = await openWithHistory()
  const shop = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const order = { ...user, address: 'auto', orderid: 'sh-1', amount: '3' }
  const answers = [
    await api.ask(shop, 'TraderRechargeorder', order),
    await api.ask(shop, 'TraderRechargeorder', { ...order, amount: '4' }),
    await api.ask(shop, 'findorder', { orderid: 'nobody' }),
    await api.ask(shop, 'finduseraddress', { ...user, localusermark: 'nobody' }),
  ]
  const rows: KeptRow[] = await waitUntil('four kept calls', async () => {
    const rows = await api.kept()
    return rows.length === 4 ? rows : null
  })
  assert.deepEqual(
    rows.map(({ durationMs, ...row }) => row),
    [
      ['TraderRechargeorder', 'ok', 'sh-1'],
      ['TraderRechargeorder', 'orderid_conflict', 'sh-1'],
      ['findorder', 'order_not_found', 'nobody'],
      ['finduseraddress', 'user_not_found', null],
    ].map(([endpoint, code, orderid], i) => ({
      requestId: answers[i]!.headers['x-request-id'],
      appid: shop.appid,
      keyOf: shop.appid,
      endpoint,
      code,
      orderid,
      clientAddress: '127.0.0.1',
    })),
  )
  for (const { durationMs } of rows) assert.ok(Number.isInteger(durationMs) && durationMs >= 0)
})

test('strangers leave nothing, and no secret is kept', async () => {
  const api = await openWithHistory()
  const shop = await api.addMerchant()
  await api.ask({ ...shop, key: 'another' }, 'newAddress', user)
  await api.post('newAddress', 'appid=VunTq7Zk2Lm9h1l8&sign=00')
  const asked = await api.ask(shop, 'newAddress', { ...user, nonce: '0123456789abcdef', t: '1' })
  assert.equal(asked.code, 'stale_timestamp')
  await waitUntil('kept calls', async () => (await api.kept()).length > 0)
  const rows = await api.kept()
  assert.equal(rows.length, 1)
  assert.equal(rows[0]!.code, 'stale_timestamp')
  const { rows: whole } = await api.pool.query(`select r::text as text from api_request r`)
  for (const secret of [shop.key, '0123456789abcdef']) assert.ok(!whole[0].text.includes(secret))
})

test('an orderid that Postgres would not take as text is left out, the call is kept', async () => {
  const api = await openWithHistory()
  const shop = await api.addMerchant()
  await api.ask(shop, 'newAddress', { ...user, orderid: 'a\u0000b' })
  await api.ask(shop, 'newAddress', { ...user, orderid: 'x'.repeat(51) })
  await waitUntil('kept calls', async () => (await api.kept()).length === 2)
  assert.deepEqual(
    (await api.kept()).map(row => [row.code, row.orderid]),
    [
      ['bad_parameter', null],
      ['bad_parameter', null],
    ],
  )
})

test('what is in memory when the process stops is written first', async () => {
  const api = await openWithHistory()
  const shop = await api.addMerchant()
  await api.ask(shop, 'newAddress', user)
  await api.app.close()
  assert.equal((await api.kept()).length, 1)
})

test('calls answered while the database is away are kept when it is back', async () => {
  let proxy: BreakableProxy | undefined
  const api = await openWithHistory({
    databaseBehind: async url => {
      proxy = await startBreakableProxy(url)
      return proxy.url
    },
  })
  const shop = await api.addMerchant()
  await proxy!.cut()
  const refused = await api.ask(shop, 'newAddress', user)
  assert.equal(refused.code, 'unavailable')
  await proxy!.restore()
  await waitUntil('kept calls', async () => (await api.kept()).length === 1)
  assert.equal((await api.kept())[0]!.code, 'unavailable')
})

test('a call is kept and counted whose client gave up waiting for its answer', async () => {
  const registry = createMetrics()
  const api = await openWithHistory({ registry })
  const shop = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const { port } = new URL(await api.app.listen({ host: '127.0.0.1', port: 0 }))
  const order = { ...user, address: 'auto', orderid: 'gave-up', amount: '3' }
  const lock = await api.pool.connect()
  await lock.query('begin; lock table recharge_order in exclusive mode')
  const calling = request({
    port,
    path: '/api/merchant/TraderRechargeorder',
    method: 'POST',
    headers: { 'content-type': form },
  })
  const broken = once(calling, 'error')
  calling.end(formBody(signed(shop, 'TraderRechargeorder', order)))
  await waitUntil('the order waits for the lock', async () => {
    const { rows } = await api.pool.query(`select from pg_locks where not granted`)
    return rows.length > 0
  })
  calling.destroy(new Error('gave up'))
  await broken
  await lock.query('rollback')
  lock.release()
  const [row] = await waitUntil('the kept call', async () => {
    const rows = await api.kept()
    return rows.length > 0 ? rows : null
  })
  const { requestId, endpoint, code, orderid, clientAddress } = row!
  assert.match(requestId, /^[0-9a-f]{20}$/, 'though no answer told anybody')
  assert.deepEqual(
    [endpoint, code, orderid, clientAddress],
    ['TraderRechargeorder', 'ok', 'gave-up', '127.0.0.1'],
  )
  assert.match(
    await registry.metrics(),
    /^gateway_requests_total\{endpoint="TraderRechargeorder",code="ok"\} 1$/m,
  )
})

test('months are dropped when they have ended long enough ago, and not before', async () => {
  const api = await openApiUnderTest()
  for (const month of ['2026-01-15', '2026-06-15']) await makePartitions(api.pool, new Date(month))
  const at = new Date('2026-07-01T00:00:00Z')
  assert.deepEqual(await dropOldPartitions(api.pool, at, 0), [], '0 keeps everything')
  const dropped = await dropOldPartitions(api.pool, at, 4)
  assert.deepEqual(dropped.sort(), [
    'api_request_2026_01',
    'api_request_2026_02',
    'callback_attempt_2026_01',
    'callback_attempt_2026_02',
  ])
  assert.deepEqual(await dropOldPartitions(api.pool, at, 4), [])
})
