import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from '../../src/db/pool.ts'
import { type Answer, openApiUnderTest } from '../support/api-under-test.ts'
import { type BreakableProxy, startBreakableProxy } from '../support/breakable-proxy.ts'
import { waitUntil } from '../support/wait-until.ts'

// A firewall or proxy forgets connections: they stay open at our end, and nothing comes any more. New ones work.

async function openApiBehindProxy() {
  let proxy: BreakableProxy | undefined
  const api = await openApiUnderTest({
    databaseBehind: async url => {
      proxy = await startBreakableProxy(url)
      return proxy.url
    },
  })
  const merchant = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const { pool, reads } = api.options
  const ask = (endpoint: string, parameters: Record<string, string>) =>
    api.ask(merchant, endpoint, parameters)
  const isReady = async () => (await api.app.inject('/readyz')).statusCode === 200
  await ask('newAddress', { username: 'u', localusermark: 'before' })
  /** Every connection goes silent, and each pool is full of them. */
  const forget = async () => {
    await Promise.all([fill(pool), fill(reads)])
    proxy!.forget()
  }
  return { ...api, ask, isReady, forget }
}

/** Has a pool open all the connections that it may. */
async function fill(pool: Pool): Promise<void> {
  const clients = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()))
  for (const client of clients) client.release()
}

function isLater(answer: Answer): boolean {
  assert.equal(answer.code, 'unavailable', answer.text)
  return answer.httpStatus === 503 && /^\d+$/.test(String(answer.headers['retry-after']))
}

const user = { username: 'u', localusermark: 'new' }
const order = { ...user, orderid: 'o', amount: '1' }

for (const [endpoint, parameters] of [
  ['newAddress', user],
  ['TraderRechargeorder', { ...order, address: 'auto' }],
  ['findorder', { orderid: 'before' }],
  ['findorder', { orderid: 'before', nonce: 'a nonce of that moment' }],
  ['finduseraddress', user],
  ['orders', {}],
  ['statement', { from: '1', to: '2' }],
] as const) {
  test(`when all connections went silent, one ${endpoint}${'nonce' in parameters ? ' with a nonce' : ''} is told "later", and the next is served`, async () => {
    const api = await openApiBehindProxy()
    await api.ask('TraderRechargeorder', { ...order, address: 'auto', orderid: 'before' })
    await api.forget()
    const t = Math.floor(Date.now() / 1_000)
    const ask = () => api.ask(endpoint, { ...parameters, t: `${t}` })
    const first = await ask()
    assert.ok(isLater(first), first.text)
    const next = await ask()
    assert.equal(next.status, 1, next.text)
    await waitUntil('it says so', api.isReady)
  })
}

test('when all connections went silent, it is not ready, and when it is again, orders are taken', async () => {
  const api = await openApiBehindProxy()
  await api.forget()
  assert.equal(await api.isReady(), false)
  await waitUntil('it is ready', api.isReady)
  const answer = await api.ask('TraderRechargeorder', { ...order, address: 'auto' })
  assert.equal(answer.status, 1, answer.text)
})

test('many at once, when all connections went silent: whatever was answered holds, and a retry gives the one order', async () => {
  const api = await openApiBehindProxy()
  await api.forget()
  const orders = Array.from({ length: 40 }, (_, n) => ({
    ...{ username: 'u', localusermark: `${n}`, orderid: `${n}` },
    ...{ address: 'auto', amount: '1' },
  }))
  const ask = (wanted: (typeof orders)[number]) => api.ask('TraderRechargeorder', wanted)
  const firsts = await Promise.all(orders.map(ask))
  for (const first of firsts) assert.ok(first.status === 1 || isLater(first), first.text)
  const seconds = await Promise.all(orders.map(ask))
  for (const [n, second] of seconds.entries()) {
    assert.equal(second.status, 1, second.text)
    if (firsts[n]!.status === 1) assert.deepEqual(second.data, firsts[n]!.data)
  }
  const { rows } = await api.pool.query(
    'select count(*)::int as orders, count(distinct deposit_address_id)::int as addresses from recharge_order',
  )
  assert.deepEqual(rows[0], { orders: orders.length, addresses: orders.length })
})
