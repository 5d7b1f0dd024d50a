import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meanings } from '../../../src/alarms/alarm.ts'
import { raiseAlarm } from '../../../src/alarms/alarm-store.ts'
import { legacy, usdt } from '../../../src/base/money.ts'
import { writeNodes } from '../../../src/blocks/node-store.ts'
import { addToDays } from '../../../src/credits/money-day-store.ts'
import type { User } from '../../../src/people/user-store.ts'
import { lastDays } from '../../../src/web/console/overview/money-days.ts'
import { countOrders, readDeliveries } from '../../../src/web/console/overview/overview-store.ts'
import { barHeights } from '../../../src/web/console/parts/chart.tsx'
import { keepReadings } from '../../../src/web/console/parts/kept-readings.ts'
import { followChain } from '../../support/api-under-test.ts'
import { type ConsoleUnderTest, openConsoleUnderTest } from '../../support/console-under-test.ts'
import { pageWords } from '../../support/page-words.ts'
import { seedAddress, seedOrders } from '../../support/seed.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'
import { seedTransfer, seedWaiting } from '../../support/seed-transfer.ts'

test('a merchant sees sums of its own by day, the same in the chart and in the table', async () => {
  const center = await openConsoleUnderTest()
  const { pool } = center
  const shop = await seedMerchant(pool, { name: 'Shop', callbackUrl: 'https://shop.example/cb' })
  const other = await seedMerchant(pool, { name: 'Other', callbackUrl: 'https://other.example/cb' })
  const person = await center.addPerson('fin@example.com', { roles: [[shop, 'finance']] })
  await seedCallbacks(pool, [
    { merchant: shop, amount: 1_234_500_000n },
    { merchant: shop, amount: 499_999n },
    { merchant: other, amount: 77_000_000n },
  ])
  const { addressId } = await seedAddress(pool, { merchantId: shop.id, localusermark: 'u9' })
  const today = new Date().toISOString().slice(0, 10)
  const long = new Date(Date.now() - 29 * 86_400_000).toISOString().slice(0, 10)
  await seedTransfer(pool, { addressId, amount: 20_000_001n, blockTime: new Date(`${long}T00:00:00Z`) })
  const before = new Date(new Date(`${long}T00:00:00Z`).getTime() - 1)
  await seedTransfer(pool, { addressId, amount: 900_000_000n, blockTime: before })
  await addToDays(pool)
  const visit = await center.signedIn(person)
  const { text, status } = await visit.get('/console')
  assert.equal(status, 200)
  const rows = [...text.matchAll(/<tr>.*?<\/tr>/gs)].map(([row]) => pageWords(row).replaceAll(' ', ''))
  const row = (day: string) => rows.find(one => one.startsWith(day))
  assert.equal(row(today), `${today}1234.9999991234.999922`)
  assert.equal(row(long), `${long}20.0000010.0010`)
  assert.equal(row('Sum'), 'Sum1255.001234.999932')
  assert.equal(rows.filter(one => /^\d{4}-/.test(one)).length, 30)
  assert.match(text, new RegExp(`<title>${today}: 1234.999999 received, 1234.9999 announced</title>`))
  assert.match(text, /role="img" aria-label="[^"]*1255 USDT received, 1234.9999 USDT announced/)
  assert.match(pageWords(text), /Days are those of UTC/)
  assert.doesNotMatch(text, /77\.00|Other/)
})

test('an admin sees all merchants, or the one that is chosen', async () => {
  const center = await openConsoleUnderTest()
  const { pool } = center
  const merchants = await Promise.all(
    ['One', 'Two'].map(name => seedMerchant(pool, { name, callbackUrl: 'https://shop.example/cb' })),
  )
  await seedCallbacks(
    pool,
    merchants.map((merchant, i) => ({ merchant, amount: BigInt(i + 1) * 11_000_000n })),
  )
  const visit = await center.signedIn(center.admin)
  const today = async (query: string) =>
    /Received today ([\d .]+)/
      .exec(pageWords((await visit.get(`/console${query}`)).text))![1]!
      .replaceAll(' ', '')
  assert.equal(await today(''), '33.00')
  assert.equal(await today(`?merchant=${merchants[0]!.appid}`), '11.00')
  assert.equal(await today(`?merchant=${merchants[1]!.appid}`), '22.00')
})

test('orders are counted by state, and callbacks by how they fared', async () => {
  const { pool, addPerson, signedIn } = await openConsoleUnderTest()
  const shop = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
  const other = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
  const { addressId } = await seedAddress(pool, { merchantId: shop.id })
  const elsewhere = await seedAddress(pool, { merchantId: other.id })
  await seedOrders(pool, [
    ...[0n, 0n, 1n, 3n, 3n, 3n, 9n].map(received => ({ addressId, amount: 3n, received })),
    { addressId, createdAt: new Date(Date.now() - 8 * 86_400_000) },
    { addressId: elsewhere.addressId },
  ])
  const of = { pending: 2, underpaid: 1, paid: 3, overpaid: 1 }
  assert.deepEqual(await countOrders(pool, shop.id), of)
  assert.deepEqual(await countOrders(pool, null), { ...of, pending: 3 })

  const callbacks = await seedCallbacks(pool, Array(20).fill({ merchant: other }))
  const took = `created_at + n * interval '1 second'`
  await pool.query(
    `update callback c
        set attempts = case when n <= 10 then 1 else 4 end, delivered_at = case when n <= 16 then ${took} end,
            exhausted_at = case when n > 16 and n <= 18 then now() end
       from unnest($1::bigint[]) with ordinality u (id, n)
      where c.id = u.id`,
    [callbacks.map(({ callbackId }) => callbackId)],
  )
  const { since, ...fared } = await readDeliveries(pool, other.id)
  assert(since)
  assert.deepEqual(fared, {
    ...{ callbacks: 20, delivered: 16, atOnce: 10, exhausted: 2 },
    ...{ p50Ms: 8_500, p95Ms: 15_250 },
  })
  assert.deepEqual(await readDeliveries(pool, shop.id), {
    ...{ callbacks: 0, since: null, delivered: 0, atOnce: 0, exhausted: 0, p50Ms: null, p95Ms: null },
  })
  const visit = await signedIn(await addPerson('dev@example.com', { roles: [[other, 'developer']] }))
  const words = pageWords((await visit.get('/console')).text)
  assert.match(words, /Callbacks acknowledged 80\.0 %/)
  assert.match(words, /at the first attempt 10 50\.0 %/)
  assert.match(words, /Given up 2 10\.0 %/)
  assert.match(words, /p95 15 s/)
})

/** The list of what needs somebody: each link and its words. */
async function needsOf(center: ConsoleUnderTest, who: User, query = ''): Promise<string[]> {
  const visit = await center.signedIn(who)
  const { text } = await visit.get(`/console${query}`)
  const section = /id="needs">.*?<\/section>/s.exec(text)![0]
  return [...section.matchAll(/<a href="([^"]*)">(.*?)<\/a>/gs)].map(
    ([, link, words]) => `${link!.replace('/console', '').replaceAll('&amp;', '&')} ${pageWords(words!)}`,
  )
}

const ownFactor = '/account You have no second factor: a password alone opens your account'

test('what needs somebody stands on top, with its link; what is the gateway is for admins alone', async () => {
  const center = await openConsoleUnderTest()
  const { pool } = center
  const shop = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
  const owner = await center.addPerson('own@example.com', { roles: [[shop, 'owner']] })
  await center.addPerson('sup@example.com', { roles: [[shop, 'support']] })
  const { addressId } = await seedAddress(pool, { merchantId: shop.id })
  for (const reason of ['unclaimed', 'unclaimed', 'held', 'quarantined'])
    await seedWaiting(pool, { addressId, reason, amount: 5n })
  const [late, gone] = await seedCallbacks(pool, [{ merchant: shop }, { merchant: shop }])
  await pool.query(`update callback_outbox set due_at = now() - interval '2 hours' where callback_id = $1`, [
    late!.callbackId,
  ])
  await pool.query(`delete from callback_outbox where callback_id = $1`, [gone!.callbackId])
  await pool.query(`update callback set exhausted_at = now() where id = $1`, [gone!.callbackId])
  await pool.query(`update callback_lane set opened_at = now(), probe_at = now(), failures = 9`)
  await followChain(pool)
  await raiseAlarm(pool, { name: 'discrepancy', by: 'watcher', count: 1, detail: {} })
  await pool.query(`insert into discrepancy (kind, subject, detail) values ('transfer', 'x', '{}')`)
  await writeNodes(pool, [
    {
      ...{ node: 'node.example', host: 'node.example', transport: 'http', state: 'failing', why: 'timeout' },
      ...{ solidHeight: 5, until: null, quota: null },
    },
  ])
  const ofShop = [
    '/callbacks?list=exhausted 1 callback was given up in the last 7 days, and not sent again',
    '/callbacks/origins 1 endpoint fails: callbacks wait for it',
    '/money?list=quarantine 1 transfer is quarantined: it could not be credited',
    '/callbacks?list=due The oldest callback has been due for 2 h',
    '/money?list=held 1 transfer is held',
    '/money?list=unclaimed 2 transfers are unclaimed',
    ownFactor,
    '/people 1 person has no second factor',
  ]
  assert.deepEqual(await needsOf(center, owner), ofShop)
  const all = await needsOf(center, center.admin)
  assert.equal(all[0], `/system#alarms Alarm discrepancy: ${meanings.discrepancy}`)
  for (const need of [
    '/nodes These nodes are not used now: node.example',
    '/money?list=discrepancies A second source differs from our records in 1 place',
    '/money?list=unclaimed 2 transfers are unclaimed',
    '/people 2 people have no second factor',
  ])
    assert(all.includes(need), `${need}\n${all.join('\n')}`)
  const chosen = await needsOf(center, center.admin, `?merchant=${shop.appid}`)
  assert(
    chosen.includes(`/callbacks?merchant=${shop.appid}&list=exhausted ${ofShop[0]!.split('exhausted ')[1]}`),
  )
  assert(!chosen.some(need => /Alarm|node/.test(need)), chosen.join('\n'))
})

test('where nothing needs anybody, the page says so', async () => {
  const center = await openConsoleUnderTest()
  const shop = await seedMerchant(center.pool)
  const person = await center.addPerson('sup@example.com', { roles: [[shop, 'support']] })
  assert.deepEqual(await needsOf(center, person), [ownFactor])
  const visit = await center.signedIn(person)
  await center.pool.query(
    `insert into passkey (credential_id, user_id, public_key, name) values ('\\x01', $1, '\\x02', 'key')`,
    [person.id],
  )
  assert.match((await visit.get('/console')).text, /Nothing needs you/)
})

test('who is a member of no merchant is told whom to ask', async () => {
  const { addPerson, signedIn } = await openConsoleUnderTest()
  const visit = await signedIn(await addPerson('new@example.com'))
  const { status, text } = await visit.get('/console')
  assert.equal(status, 200)
  assert.match(text, /You are a member of no merchant/)
})

test('the last 30 days have a place each, in order, empty ones too', () => {
  const one = { transfers: 1n, received: usdt(5n), callbacks: 1n, announced: legacy(0n) }
  const now = new Date('2031-03-01T00:00:00Z')
  const days = lastDays([{ day: '2031-02-28', ...one }], now)
  assert.equal(days.length, 30)
  assert.equal(days[0]!.day, '2031-01-31')
  assert.equal(days.at(-1)!.day, '2031-03-01')
  assert.deepEqual(
    days.filter(({ received }) => received > 0n).map(({ day }) => day),
    ['2031-02-28'],
  )
})

test('bars are as high as their values; what is not zero is seen', () => {
  const heights = barHeights([{ values: [0n, 1n] }, { values: [500_000_000_000n, 1_000_000_000_000n] }])
  assert.deepEqual(heights, [
    [0, 1],
    [80, 160],
  ])
  assert.deepEqual(barHeights([{ values: [0n, 0n] }]), [[0, 0]])
})

test('what takes long to read is kept, and a page does not wait for it', async () => {
  const kept = keepReadings({ freshMs: 0, patienceMs: 0, staleMs: 0 })
  let finish: (value: string) => void = () => undefined
  let reads = 0
  const work = () => {
    reads++
    return new Promise<string>(resolve => {
      finish = resolve
    })
  }
  assert.equal(await kept.read('a', work), null, 'nothing was read yet')
  assert.equal(await kept.read('a', work), null)
  assert.equal(reads, 1, 'one reads for all')
  finish('first')
  const first = await keepReadings().read('b', async () => 'at once')
  assert.equal(first?.value, 'at once')
  const second = await kept.read('a', work)
  assert.equal(second?.value, 'first', 'the last answer, while a newer one is read')
  const cancelled = Object.assign(new Error('cancelled'), { code: '57014' })
  assert.equal(await keepReadings().read('c', () => Promise.reject(cancelled)), null)
  await assert.rejects(
    keepReadings().read('d', () => Promise.reject(new Error('a fault'))),
    /a fault/,
  )
})
