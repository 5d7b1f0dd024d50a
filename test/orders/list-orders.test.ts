import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followChain, openApiUnderTest } from '../support/api-under-test.ts'

const api = await openApiUnderTest()
const merchant = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
const list = (wanted: Record<string, string> = {}, caller = merchant) => api.ask(caller, 'orders', wanted)
const ids = (answer: { data: { orders: { orderid: string }[] } }) =>
  answer.data.orders.map(order => order.orderid)

const base = Date.parse('2026-11-01T00:00:00Z') / 1000
const users = ['1', '2']
for (const [i, localusermark] of users.entries()) {
  const user = { username: `name ${i}`, localusermark }
  const { address } = (await api.ask(merchant, 'newAddress', user)).data
  for (let n = i; n < 10; n += 2) {
    await api.ask(merchant, 'TraderRechargeorder', { ...user, address, orderid: `o-${n}`, amount: '3' })
  }
}
// o-0 to o-9, a minute between them; their sums and windows as the watcher would leave them.
await api.pool.query(
  `update recharge_order
      set created_at = to_timestamp($1 + 60 * substr(orderid, 3)::int),
          expires_at = to_timestamp($1 + 60 * substr(orderid, 3)::int + 86400),
          received = (array[0, 1, 3000000, 3000001])[1 + substr(orderid, 3)::int % 4]`,
  [base],
)

test('orders are listed newest first, as the wire has them', async () => {
  const answer = await list()
  assert.deepEqual(ids(answer), ['o-9', 'o-8', 'o-7', 'o-6', 'o-5', 'o-4', 'o-3', 'o-2', 'o-1', 'o-0'])
  assert.equal(answer.data.next, null)
  const { data } = await api.ask(merchant, 'findorder', { orderid: 'o-2' })
  const { transfers, seen, callbacks, pay_url: _, qr_svg_url: __, ...order } = data
  assert.deepEqual(answer.data.orders[7], order)
  assert.deepEqual([transfers, seen, callbacks], [[], [], []])
})

test('pages follow each other without a gap or a repetition, whatever is added meanwhile', async () => {
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const answer = await list({ limit: '3', ...(cursor && { cursor }) })
    seen.push(...ids(answer))
    cursor = answer.data.next
    if (seen.length === 3) {
      const user = { username: 'late', localusermark: '1' }
      const { address } = (await api.ask(merchant, 'newAddress', user)).data
      await api.ask(merchant, 'TraderRechargeorder', { ...user, address, orderid: 'late', amount: '1' })
    }
  } while (cursor)
  assert.deepEqual(seen, ['o-9', 'o-8', 'o-7', 'o-6', 'o-5', 'o-4', 'o-3', 'o-2', 'o-1', 'o-0'])
  await api.pool.query(`delete from recharge_order where orderid = 'late'`)
})

test('orders of one moment are paged by the order of their making', async () => {
  const other = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const user = { username: 'u', localusermark: '1' }
  const { address } = (await api.ask(other, 'newAddress', user)).data
  const orderids = Array.from({ length: 7 }, (_, n) => `same-${n}`)
  for (const orderid of orderids)
    await api.ask(other, 'TraderRechargeorder', { ...user, address, orderid, amount: '1' })
  await api.pool.query(
    `update recharge_order set created_at = '2026-11-02T00:00:00.000123Z' where orderid like 'same-%'`,
  )
  const first = await list({ limit: '4' }, other)
  const second = await list({ limit: '4', cursor: first.data.next }, other)
  assert.deepEqual([...ids(first), ...ids(second)], orderids.reverse())
})

test('the order a page ended with may have left the filter meanwhile: the next page still begins right behind it', async () => {
  const first = await list({ state: 'pending', limit: '1' })
  assert.deepEqual(ids(first), ['o-8'])
  await api.pool.query(`update recharge_order set received = 1 where orderid = 'o-8'`)
  const second = await list({ state: 'pending', limit: '1', cursor: first.data.next })
  assert.deepEqual(ids(second), ['o-4'])
  assert.deepEqual(ids(await list({ state: 'pending', limit: '1', cursor: second.data.next })), ['o-0'])
  await api.pool.query(`update recharge_order set received = 0 where orderid = 'o-8'`)
})

test('filters: from is included and to is not, state by the sums, the user, the window', async () => {
  const filtered = async (wanted: Record<string, string>) => ids(await list(wanted))
  assert.deepEqual(await filtered({ from: String(base + 60 * 7) }), ['o-9', 'o-8', 'o-7'])
  assert.deepEqual(await filtered({ to: String(base + 60 * 2) }), ['o-1', 'o-0'])
  assert.deepEqual(await filtered({ from: String(base + 60), to: String(base + 120) }), ['o-1'])
  assert.deepEqual(await filtered({ state: 'pending' }), ['o-8', 'o-4', 'o-0'])
  assert.deepEqual(await filtered({ state: 'underpaid' }), ['o-9', 'o-5', 'o-1'])
  assert.deepEqual(await filtered({ state: 'paid' }), ['o-6', 'o-2'])
  assert.deepEqual(await filtered({ state: 'overpaid' }), ['o-7', 'o-3'])
  assert.deepEqual(await filtered({ localusermark: '2' }), ['o-9', 'o-7', 'o-5', 'o-3', 'o-1'])
  assert.deepEqual(await filtered({ localusermark: '2', state: 'overpaid', limit: '1' }), ['o-7'])
  await followChain(api.pool, new Date((base + 86_400 + 60 * 8) * 1000))
  assert.deepEqual(await filtered({ expired: 'false' }), ['o-9', 'o-8'])
  assert.equal((await filtered({ expired: 'true' })).length, 8)
  assert.ok(
    (await list({ expired: 'true' })).data.orders.every((order: { expired: boolean }) => order.expired),
  )
})

test("another merchant's orders are nobody else's, nor is their cursor", async () => {
  const other = await api.addMerchant()
  assert.deepEqual((await list({}, other)).data, { orders: [], next: null })
  const { next } = (await list({ limit: '1' })).data
  const answer = await list({ cursor: next }, other)
  assert.deepEqual([answer.httpStatus, answer.code], [400, 'bad_parameter'])
})

test('what is no filter is refused by name', async () => {
  const bad: Record<string, string>[] = [
    { limit: '0' },
    { limit: '501' },
    { limit: '1.5' },
    { limit: '' },
    { state: 'open' },
    { expired: '1' },
    { from: 'yesterday' },
    { to: '-1' },
    { cursor: 'cz-none' },
    { localusermark: '' },
  ]
  for (const wanted of bad) {
    const answer = await list(wanted)
    assert.equal(answer.code, 'bad_parameter', JSON.stringify(wanted))
    assert.ok(answer.err!.startsWith(`${Object.keys(wanted)[0]}: `), answer.err)
  }
  for (const limit of ['1', '100', '499', '500']) assert.equal((await list({ limit })).status, 1)
})
