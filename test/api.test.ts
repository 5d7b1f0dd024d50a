import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../src/api.ts'
import { createMetrics } from '../src/base/metrics.ts'
import { startHealthServer } from '../src/http/health.ts'
import { form, openApiUnderTest, processConfig } from './support/api-under-test.ts'
import { formBody, signed } from './support/signed-request.ts'
import { waitUntil } from './support/wait-until.ts'

const apiUnderTest = await openApiUnderTest()
const merchant = await apiUnderTest.addMerchant({ callbackUrl: 'https://shop.example/cb' })
const user = { username: 'u', localusermark: '1' }

async function start(registry = createMetrics()) {
  const config = processConfig(apiUnderTest)
  return startApi({ ...apiUnderTest.options, config, registry })
}

const post = (url: string, endpoint: string, parameters: Record<string, string>) =>
  fetch(`${url}/api/merchant/${endpoint}`, {
    method: 'POST',
    headers: { 'content-type': form },
    body: formBody(signed(merchant, endpoint, parameters)),
  })

test('the API listens, has its partitions, answers, and stops with what is in hand answered', async () => {
  const api = await start()
  const { rows } = await apiUnderTest.pool.query(
    `select count(*)::int as n from pg_inherits where inhparent = 'callback_attempt'::regclass`,
  )
  assert.equal(rows[0].n, 4, 'three months and the default')
  const { data } = (await (await post(api.url, 'newAddress', user)).json()) as { data: { address: string } }
  const order = { ...user, address: data.address, amount: '1' }
  const blocker = await apiUnderTest.pool.connect()
  await blocker.query('begin')
  await blocker.query('lock table recharge_order in share mode')
  const inHand = Promise.allSettled(
    Array.from({ length: 50 }, (_, i) =>
      post(api.url, 'TraderRechargeorder', { ...order, orderid: `stop-${i}` }),
    ),
  )
  await waitUntil('the first of them waiting in the database', async () => {
    const { rows } = await apiUnderTest.pool.query(
      `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%insert into recharge_order%' and pid <> pg_backend_pid()`,
    )
    return rows.length > 0
  })
  // Answered in the order of their coming: by now the others have come too.
  for (let i = 0; i < 10; i++) await fetch(`${api.url}/healthz`)
  const stopping = api.stop()
  await waitUntil('nobody being let in', () =>
    fetch(`${api.url}/healthz`).then(
      () => false,
      () => true,
    ),
  )
  await blocker.query('rollback')
  blocker.release()
  let stopped = false
  void stopping.then(() => {
    stopped = true
  })
  // Long before a connection's keep-alive time of 72 s ends.
  await waitUntil('the API having stopped', () => stopped)
  const statuses = (await inHand).map(it => (it.status === 'fulfilled' ? it.value.status : it.reason))
  assert.deepEqual(new Set(statuses), new Set([200]))
  const stored = await apiUnderTest.pool.query(`select count(*)::int as n from recharge_order`)
  assert.equal(stored.rows[0].n, 50)
  await assert.rejects(post(api.url, 'newAddress', user))
})

test('requests are counted and timed, by endpoint and code and nothing a stranger makes up', async () => {
  const counted = createMetrics()
  const api = await start(counted)
  await post(api.url, 'newAddress', user)
  await post(api.url, 'finduseraddress', { username: 'u', localusermark: 'nobody' })
  await fetch(`${api.url}/made/up`)
  await fetch(`${api.url}/made/up/too`)
  await api.stop()
  const text = await counted.metrics()
  assert.match(text, /gateway_requests_total\{endpoint="newAddress",code="ok"\} 1/)
  assert.match(text, /gateway_requests_total\{endpoint="finduseraddress",code="user_not_found"\} 1/)
  assert.match(text, /gateway_requests_total\{endpoint="none",code="not_found"\} 2/)
  assert.match(text, /gateway_request_duration_seconds_count\{endpoint="newAddress"\} 1/)
})

test('health and metrics have a port of their own; the metrics are on no other', async () => {
  const registry = createMetrics()
  const api = await start(registry)
  let broken = false
  const ready = async () => {
    if (broken) throw new Error('the reason is for the log')
  }
  const health = await startHealthServer({ host: '127.0.0.1', port: 0, registry, ready })
  const get = async (url: string) => {
    const response = await fetch(url)
    return { status: response.status, text: await response.text() }
  }
  assert.equal((await get(`${health.url}/healthz`)).status, 200)
  assert.equal((await get(`${health.url}/readyz`)).status, 200)
  broken = true
  const notReady = await get(`${health.url}/readyz`)
  assert.equal(notReady.status, 503)
  assert.ok(!notReady.text.includes('reason'))
  assert.match((await get(`${health.url}/metrics`)).text, /process_cpu_seconds_total/)
  assert.equal((await get(`${health.url}/other`)).status, 404)
  assert.equal((await get(`${api.url}/healthz`)).status, 200)
  assert.equal((await get(`${api.url}/readyz`)).status, 200)
  assert.equal((await get(`${api.url}/metrics`)).status, 404)
  await health.stop()
  await api.stop()
})
