import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, openApiUnderTest } from '../support/api-under-test.ts'
import { type BreakableProxy, startBreakableProxy } from '../support/breakable-proxy.ts'
import { waitUntil } from '../support/wait-until.ts'

const user = { username: 'u', localusermark: '1' }

async function openApiBehindProxy() {
  let proxy: BreakableProxy | undefined
  const api = await openApiUnderTest({
    databaseBehind: async url => {
      proxy = await startBreakableProxy(url)
      return proxy.url
    },
  })
  // With sha1 refusals come with 200 by default; a 5xx keeps its status even then.
  const merchant = await api.addMerchant({ scheme: 'sha1', callbackUrl: 'https://shop.example/cb' })
  const { address } = (await api.ask(merchant, 'newAddress', user)).data
  const create = (orderid: string) =>
    api.ask(merchant, 'TraderRechargeorder', { ...user, address, orderid, amount: '1' })
  return { ...api, merchant, create, proxy: proxy! }
}

function isUnavailable(answer: Answer): boolean {
  return (
    answer.httpStatus === 503 &&
    answer.code === 'unavailable' &&
    /^\d+$/.test(String(answer.headers['retry-after']))
  )
}

test('while the database is down every endpoint says unavailable and when to try again', async () => {
  const api = await openApiBehindProxy()
  await api.create('before')
  await api.proxy.cut()
  for (const [endpoint, parameters] of [
    ['newAddress', user],
    ['newAddress', { username: 'u', localusermark: 'new' }],
    ['finduseraddress', user],
    ['TraderRechargeorder', { ...user, address: 'auto', orderid: 'down', amount: '1' }],
    [
      'findorder',
      { orderid: 'before', t: String(Math.floor(Date.now() / 1000)), nonce: 'a nonce of the outage' },
    ],
  ] as const) {
    const answer = await api.ask(api.merchant, endpoint, parameters)
    assert.ok(isUnavailable(answer), `${endpoint}: ${answer.httpStatus} ${answer.text}`)
    assert.match(answer.err!, /try the same request again/)
  }
  assert.ok(isUnavailable(await api.create('down')))
  const forged = await api.ask({ ...api.merchant, key: 'x' }, 'newAddress', user)
  assert.equal(forged.code, 'bad_sign', 'who it is, is known without the database')
  assert.equal((await api.app.inject('/healthz')).statusCode, 200, 'the process lives')
  assert.equal((await api.app.inject('/readyz')).statusCode, 503)
  await api.proxy.restore()
  await waitUntil('an order is taken again', async () => (await api.create('down')).status === 1)
  assert.match(api.logged(), /request\.failed/)
})

test('connections reset in the middle of the work: whatever was answered holds, and a retry gives the one order', async () => {
  const api = await openApiBehindProxy()
  const orderids: string[] = []
  const answers = new Map<string, Answer>()
  for (let round = 0; round < 6; round++) {
    const asked = Array.from({ length: 64 }, (_, i) => `${round}-${i}`)
    orderids.push(...asked)
    const answering = Promise.all(asked.map(async orderid => answers.set(orderid, await api.create(orderid))))
    // Somewhere between the first byte and the last answer; another place each round.
    for (let turns = 0; turns < round * 3; turns++) await new Promise(setImmediate)
    await api.proxy.cut()
    await api.proxy.restore()
    await answering
  }
  for (const [orderid, answer] of answers) {
    assert.ok(answer.status === 1 || isUnavailable(answer), `${orderid}: ${answer.text}`)
  }
  for (const orderid of orderids) {
    const retried = await waitUntil(orderid, async () => {
      const answer = await api.create(orderid)
      return answer.status === 1 ? answer : null
    })
    const before = answers.get(orderid)!
    if (before.status === 1) assert.deepEqual(retried.data, before.data)
  }
  const { rows } = await api.pool.query(`select count(*)::int as n from recharge_order`)
  assert.equal(rows[0].n, orderids.length)
})

test('a database that says nothing is given up on, and nothing piles up behind it', async () => {
  const api = await openApiBehindProxy()
  await api.create('before')
  api.proxy.silence()
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => api.create(`silent-${i}`)))
  assert.ok(answers.every(isUnavailable), answers[0]!.text)
  await api.proxy.cut()
  await api.proxy.restore()
  await waitUntil('an order is taken again', async () => (await api.create('after')).status === 1)
})

test('orders held up by a lock are unavailable, and the retry gives what was committed meanwhile', async () => {
  const api = await openApiBehindProxy()
  const blocker = await api.pool.connect()
  await blocker.query('begin')
  await blocker.query('lock table recharge_order in share mode')
  const answers = await Promise.all([api.create('locked'), api.create('locked')])
  assert.ok(answers.every(isUnavailable), answers[0]!.text)
  await blocker.query('rollback')
  blocker.release()
  const retried = await api.create('locked')
  assert.equal(retried.status, 1)
  assert.deepEqual((await api.create('locked')).data, retried.data)
  const { rowCount } = await api.pool.query(`select from recharge_order where orderid = 'locked'`)
  assert.equal(rowCount, 1)
})
