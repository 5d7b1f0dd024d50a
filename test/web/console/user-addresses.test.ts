import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { TestVisitor } from '../../support/console-under-test.ts'
import { downloadCsv } from '../../support/read-csv.ts'
import { seedAddress, seedAddresses } from '../../support/seed.ts'
import { seedSeen } from '../../support/seed-transfer.ts'
import { openMoneyShop } from './money/money-shop.ts'

const { pool, signedIn, shop, other, u1, unclaimed, ...people } = await openMoneyShop()
let support: TestVisitor
let admin: TestVisitor
before(async () => {
  support = await signedIn(people.support)
  admin = await signedIn(people.admin)
})

const users = (text: string) =>
  [...text.matchAll(/<a href="\/console\/addresses\?[^"]*user=([^"&]*)[^"]*">/g)].map(([, user]) => user)

test('addresses are listed by their users, with what arrived at each, and those of one merchant alone', async () => {
  const { text } = await support.get('/console/addresses')
  assert.deepEqual(users(text), ['u1', 'u2', 'u3', 'u4'])
  assert.match(text, /3\.00/)
  assert.deepEqual(users((await admin.get('/console/addresses')).text), ['x1', 'u4', 'u3', 'u2', 'u1'])
})

test('a user is found by the whole of its id, with all its addresses', async () => {
  await seedAddress(pool, { merchantId: shop.id, localusermark: 'u1', isBase: false })
  assert.deepEqual(users((await support.get('/console/addresses?user=u1')).text), ['u1', 'u1'])
  assert.match((await support.get('/console/addresses?user=u')).text, /This user has no address/)
  assert.match((await support.get('/console/addresses?user=x1')).text, /This user has no address/)
  assert.deepEqual(users((await admin.get('/console/addresses?user=x1')).text), ['x1'])
})

test('an address shows its user, its transfers and what is on the way', async () => {
  await seedSeen(pool, { addressId: u1.addressId, txid: 'ee'.repeat(32), amount: 1_500_000n, height: 120 })
  const { text } = await support.get(`/console/addresses/${u1.address}`)
  assert.match(text, new RegExp(`/console/money\\?txid=${unclaimed.txid}`))
  assert.match(text, /Unclaimed/)
  assert.match(text, /On the chain, not irreversible yet/)
  const theirs = await pool.query('select address from deposit_address where merchant_id = $1', [other.id])
  assert.equal((await support.get(`/console/addresses/${theirs.rows[0].address}`)).status, 404)
  assert.equal((await admin.get(`/console/addresses/${theirs.rows[0].address}`)).status, 200)
  assert.equal((await support.get('/console/addresses/nothing')).status, 404)
})

test("addresses of a merchant, of a user, and an address's transfers are downloaded", async () => {
  const file = (visit: TestVisitor, query = '') => downloadCsv(visit, `/console/addresses.csv?${query}`)
  const own = await file(support)
  assert.deepEqual(
    own.map(({ localusermark }) => localusermark),
    ['u1', 'u1', 'u2', 'u3', 'u4'],
  )
  const { address, kind, received_usdt, received_at_least, unclaimed_usdt, appid } = own[0]!
  assert.deepEqual(
    { address, kind, received_usdt, received_at_least, unclaimed_usdt, appid },
    {
      ...{ address: u1.address, kind: 'base', received_usdt: '3', received_at_least: 'false' },
      ...{ unclaimed_usdt: '3', appid: shop.appid },
    },
  )
  assert.match(own[0]!.assigned_local!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  assert.equal((await file(support, 'user=u1')).length, 2)
  assert.equal((await file(support, 'user=x1')).length, 0)
  assert.equal((await file(admin)).length, 6)
  const path = `/console/addresses/${u1.address}/transfers.csv`
  const [transfer, ...others] = await downloadCsv(support, path)
  assert.deepEqual(
    [transfer!.txid, transfer!.amount_usdt, transfer!.state, others.length],
    [unclaimed.txid, '3', 'unclaimed', 0],
  )
  const theirs = await pool.query('select address from deposit_address where merchant_id = $1', [other.id])
  assert.equal((await support.get(`/console/addresses/${theirs.rows[0].address}/transfers.csv`)).status, 404)
})

test('a long list goes on where a page ended, by user and of one user', async () => {
  await seedAddresses(
    pool,
    Array.from({ length: 120 }, (_, i) => ({
      ...{ merchantId: shop.id, isBase: false, localusermark: i < 60 ? 'many' : `v${i}` },
    })),
  )
  const all = async (visit: TestVisitor, path: string) => {
    const seen: (string | undefined)[] = []
    for (let next: string | undefined = path; next !== undefined; ) {
      const { text } = await visit.get(next)
      seen.push(...[...text.matchAll(/\/console\/addresses\/(T\w{33})/g)].map(([, address]) => address))
      next = /rel="next" href="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&')
    }
    assert.deepEqual(seen, [...new Set(seen)])
    return seen.length
  }
  assert.equal(await all(support, '/console/addresses'), 125)
  assert.equal(await all(support, '/console/addresses?user=many'), 60)
  assert.equal(await all(admin, '/console/addresses?user=many'), 60)
  assert.equal(await all(admin, '/console/addresses'), 126)
})
