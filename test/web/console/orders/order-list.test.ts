import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followChain } from '../../../support/api-under-test.ts'
import { openConsoleUnderTest } from '../../../support/console-under-test.ts'
import { downloadCsv } from '../../../support/read-csv.ts'
import { seedAddress, seedOrder, seedOrders } from '../../../support/seed.ts'
import { seedMerchant } from '../../../support/seed-merchant.ts'
import { seedCredit, seedTransfer } from '../../../support/seed-transfer.ts'

const center = await openConsoleUnderTest()
const { pool, addPerson, signedIn } = center
await followChain(pool)
const mine = await seedMerchant(pool, { name: 'My shop' })
const other = await seedMerchant(pool, { name: 'Other shop' })
const visit = await signedIn(await addPerson('mine@example.com', { roles: [[mine, 'support']] }))
const admin = await signedIn(center.admin)

/** Orders of every kind, one an hour; the first at midnight in Shanghai. */
const kinds = {
  pending: { received: 0n },
  partial: { received: 1_000_000n },
  exact: { received: 3_000_000n },
  over: { received: 4_000_000n },
  late: { received: 3_000_000n, amount: 3_000_000n },
  'u-2': { received: 0n, user: 'second', amount: 12_500_000n },
}
const midnight = Date.UTC(2026, 4, 9, 16)
const hour = 3_600_000
for (const [i, [orderid, facts]] of Object.entries(kinds).entries()) {
  const user = 'user' in facts ? facts.user : 'first'
  const { addressId } = await seedAddress(pool, { merchantId: mine.id, localusermark: user, isBase: false })
  const { orderId } = await seedOrder(pool, {
    orderid,
    addressId,
    ...facts,
    createdAt: new Date(midnight + i * hour),
  })
  if (orderid !== 'late') continue
  const { transferId } = await seedTransfer(pool, { addressId })
  await seedCredit(pool, { transferId, orderId, late: true })
}
const { addressId: theirs } = await seedAddress(pool, { merchantId: other.id, localusermark: 'first' })
await seedOrder(pool, { addressId: theirs, orderid: 'theirs', createdAt: new Date(midnight + hour / 2) })

/** The merchant's ids of the orders that a page shows, in its order. */
function shown(text: string): string[] {
  return [...text.matchAll(/href="\/console\/orders\/cz-[^"]*">([^<]*)</g)].map(([, orderid]) => orderid!)
}
const list = async (query: string, who = visit) => {
  const { status, text } = await who.get(`/console/orders?${query}`)
  assert.equal(status, 200, query)
  return shown(text)
}
const csv = (query: string, who = visit) => downloadCsv(who, `/console/orders.csv?${query}`)
const all = Object.keys(kinds).reverse()

test('each filter shows the orders that it names, newest first, and the file has the same', async () => {
  const filters: [query: string, orderids: string[]][] = [
    ['', all],
    ['state=pending', ['u-2', 'pending']],
    ['state=underpaid', ['partial']],
    ['state=paid', ['late', 'exact']],
    ['state=overpaid', ['over']],
    ['state=late', ['late']],
    ['user=second', ['u-2']],
    ['user=first&state=pending', ['pending']],
    ['order=over', ['over']],
    ['order=over&state=paid', []],
    ['order=theirs', []],
    ['amount=12.50 USDT', ['u-2']],
    // What was received is an amount, too.
    ['amount=4', ['over']],
    ['amount=3&state=paid', ['late', 'exact']],
    // The day in Shanghai began at 16 h UTC, and has all of them.
    ['from=2026-05-10&to=2026-05-10&zone=Asia/Shanghai', all],
    ['from=2026-05-10&zone=UTC', []],
    ['to=2026-05-09&zone=UTC', all],
    ['to=2026-05-09&zone=Asia/Shanghai', []],
    ['from=2026-05-09T17:00:00Z&to=2026-05-09T18:00:00Z', ['partial']],
  ]
  for (const [query, orderids] of filters) {
    assert.deepEqual(await list(query), orderids, query)
    assert.deepEqual(
      (await csv(query)).map(({ orderid }) => orderid),
      orderids,
      query,
    )
    // For an admin the same, beside those of others.
    assert.deepEqual(
      (await list(query, admin)).filter(orderid => orderid !== 'theirs'),
      orderids,
      query,
    )
    assert.deepEqual(await list(`${query}&merchant=${mine.appid}`, admin), orderids, query)
  }
  assert((await list('order=theirs', admin)).length === 1)
  const { ordersn } = (await pool.query(`select ordersn from recharge_order where orderid = 'exact'`)).rows[0]
  assert.deepEqual(await list(`order=${ordersn.toUpperCase()}`), ['exact'])
})

test('an admin sees whose each order is, and a merchant nobody else’s', async () => {
  const { text } = await admin.get('/console/orders')
  assert(text.includes('Other shop') && text.includes('My shop'))
  assert(!(await visit.get('/console/orders')).text.includes('Other shop'))
  assert.equal((await visit.get(`/console/orders?merchant=${other.appid}`)).status, 404)
  assert.equal((await visit.get(`/console/orders.csv?merchant=${other.appid}`)).status, 404)
})

test('a file has local days and UTC, and amounts as text with all their digits', async () => {
  const [row] = await csv('order=partial&zone=Asia/Shanghai')
  assert.equal(row!.created_local, '2026-05-10 01:00:00')
  assert.equal(row!.created_utc, '2026-05-09T17:00:00Z')
  assert.deepEqual(
    [row!.amount_usdt, row!.received_usdt, row!.state, row!.late],
    ['3.000000', '1.000000', 'underpaid', 'false'],
  )
  const { text } = await visit.get('/console/orders?order=partial&user=first')
  assert.match(text, /href="\/console\/orders\.csv\?order=partial&amp;user=first&amp;zone=UTC"/)
})

test('a value that cannot be read shows no orders, says what would be right, and gives no file', async () => {
  for (const [query, says] of [
    ['amount=much', 'An amount such as'],
    ['from=yesterday', 'A day such as'],
    ['to=2026-02-30', 'A day such as'],
    // Postgres has no such year.
    ['from=0000-01-01', 'A day such as'],
    ['state=lost', 'There is no such state'],
  ] as const) {
    const { status, text } = await visit.get(`/console/orders?${query}`)
    assert.equal(status, 400)
    assert.deepEqual(shown(text), [])
    assert(text.includes(says), query)
    assert.equal((await visit.get(`/console/orders.csv?${query}`)).location, `/console/orders?${query}`)
  }
  for (const query of [
    'before=x',
    'before=99999999999999999999.1',
    'order=%00',
    'user=%00',
    `order=${'9'.repeat(500)}`,
    'zone=Mars',
    'amount=1&amount=2',
  ])
    assert.equal((await visit.get(`/console/orders?${query}`)).status, 200, query)
})

test('pages follow one another without a gap, also where many orders have one time', async () => {
  const shop = await seedMerchant(pool)
  const user = await signedIn(await addPerson('pages@example.com', { roles: [[shop, 'support']] }))
  const { addressId } = await seedAddress(pool, { merchantId: shop.id, localusermark: 'p' })
  const createdAt = new Date('2026-05-10T00:00:00.123Z')
  await seedOrders(
    pool,
    Array.from({ length: 120 }, (_, n) => ({
      addressId,
      orderid: `p-${n}`,
      createdAt,
      received: n % 2 ? 0n : 3_000_000n,
    })),
  )
  for (const [query, count] of [
    ['', 120],
    ['state=paid', 60],
    // No index has it: the pages are those of a scan.
    ['amount=3', 120],
    ['amount=3&state=paid', 60],
    ['user=p&state=pending', 60],
  ] as const) {
    for (const [who, more] of [
      [user, ''],
      [admin, '&from=2026-05-10&to=2026-05-10&user=p'],
    ] as const) {
      const seen: string[] = []
      let path: string | null = `/console/orders?${query}${more}`
      for (let pages = 0; path !== null && pages < 10; pages++) {
        const { text }: { text: string } = await who.get(path)
        seen.push(...shown(text))
        path = /rel="next" href="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? null
      }
      assert.equal(new Set(seen).size, seen.length)
      assert.equal(seen.length, count, `${query}${more}`)
    }
    assert.equal((await csv(query, user)).length, count)
  }
})

test('what a merchant named is text on the page, and no formula in the file', async () => {
  const shop = await seedMerchant(pool, { name: '<b>shop</b>' })
  const user = await signedIn(await addPerson('odd@example.com', { roles: [[shop, 'support']] }))
  const { addressId } = await seedAddress(pool, {
    merchantId: shop.id,
    localusermark: '<script>alert(1)</script>',
  })
  await seedOrder(pool, { addressId, orderid: '=HYPERLINK("x")' })
  const { text } = await user.get('/console/orders')
  assert(!text.includes('<script>alert'))
  assert(text.includes('&lt;script>alert'))
  assert((await user.get('/console/orders.csv')).text.includes(`"'=HYPERLINK(""x"")"`))
})

test('the page is there in Chinese', async () => {
  await visit.post('/console/language', { locale: 'zh' })
  const { text } = await visit.get('/console/orders')
  assert(text.includes('<h1>订单</h1>') && text.includes('未到账') && text.includes('下载 CSV'))
  // The days of a Chinese reader are those of Shanghai.
  assert.match(text, /<option value="Asia\/Shanghai" selected/)
  await visit.post('/console/language', { locale: 'en' })
})
