import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { setPage } from '../../../src/merchants/page-settings.ts'
import { setMerchant } from '../../../src/merchants/set-merchant.ts'
import { openApiUnderTest } from '../../support/api-under-test.ts'
import { addressIdOf } from '../../support/seed.ts'
import { seedSeen } from '../../support/seed-transfer.ts'

const api = await openApiUnderTest({ watched: true })
const merchant = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
const user = { username: 'u', localusermark: '1' }

async function createOrder(orderid: string, more: Record<string, string> = {}) {
  const order = { ...user, address: 'auto', orderid, amount: '25', ...more }
  const answer = await api.ask(merchant, 'TraderRechargeorder', order)
  assert.equal(answer.status, 1, JSON.stringify(answer))
  return answer.data as { address: string; pay_url: string; qr_svg_url: string }
}

const pathOf = (url: string) => new URL(url).pathname
const get = (url: string, headers: Record<string, string> = {}) => api.app.inject({ url, headers })
const sight = async (address: string, amount: bigint, blockTime = new Date()) =>
  seedSeen(api.pool, {
    addressId: await addressIdOf(api.pool, { address }),
    amount,
    height: 1_000_000,
    blockTime,
  })

test('an order has one link, in both answers, whose page says what to pay and where', async () => {
  const order = await createOrder('sh-1')
  assert.match(order.pay_url, /^https:\/\/pay\.example\/pay\/[\w-]{22}$/)
  assert.equal(order.qr_svg_url, `${order.pay_url}/qr.svg`)
  const { data } = await api.ask(merchant, 'findorder', { orderid: 'sh-1', ...stampOf() })
  assert.deepEqual([data.pay_url, data.qr_svg_url], [order.pay_url, order.qr_svg_url])
  assert.deepEqual(await createOrder('sh-1'), order)

  const page = await get(pathOf(order.pay_url))
  assert.equal(page.statusCode, 200)
  for (const said of ['25', 'sh-1', order.address.slice(0, 4), 'TRC-20'])
    assert(page.body.includes(said), said)
  const { headers } = page
  assert.match(`${headers['content-security-policy']}`, /^default-src 'none'; .*frame-ancestors 'none'$/)
  assert.doesNotMatch(`${headers['content-security-policy']}`, /unsafe/)
  assert.deepEqual(
    [headers['referrer-policy'], headers['cache-control'], headers['set-cookie']],
    ['no-referrer', 'no-store', undefined],
  )
  assert.doesNotMatch(page.body, /<script(?![^>]* src=)| style=|(src|href)="https?:/)
  const zipped = await get(pathOf(order.pay_url), { 'accept-encoding': 'br, gzip' })
  assert.equal(zipped.headers['content-encoding'], 'gzip')
  assert.match(gunzipSync(zipped.rawPayload).toString(), /^<!doctype html>/)
  assert(zipped.rawPayload.length < page.rawPayload.length / 2)
  const chinese = await get(pathOf(order.pay_url), { 'accept-language': 'zh-CN,zh;q=0.9' })
  assert.match(chinese.body, /<html lang="zh/)
})

test('tokens that nobody has, and what is no token, get one and the same page', async () => {
  const unknown = await get(`/pay/${'A'.repeat(22)}`)
  assert.equal(unknown.statusCode, 404)
  for (const token of ['x', 'A'.repeat(21), 'A'.repeat(23), `${'A'.repeat(21)}B`, '%00', "'--"]) {
    for (const part of ['', '/qr.svg', '/events', '/logo', '/accent.css']) {
      const { statusCode, body } = await get(`/pay/${token}${part}`)
      assert.deepEqual([statusCode, body], [404, unknown.body], `${token}${part}`)
    }
  }
})

test('an order of an older version gets its link when it is next answered', async () => {
  await createOrder('sh-old')
  await createOrder('sh-old-2')
  await api.pool.query(`delete from pay_link`)
  const asked = { orderid: 'sh-old' }
  const [one, two] = await Promise.all([
    api.ask(merchant, 'findorder', { ...asked, ...stampOf() }),
    api.ask(merchant, 'findorder', { ...asked, ...stampOf() }),
  ])
  assert.equal(one.data.pay_url, two.data.pay_url)
  assert.equal((await get(pathOf(one.data.pay_url))).statusCode, 200)
  const again = await createOrder('sh-old-2')
  assert.equal((await get(pathOf(again.pay_url))).statusCode, 200)
})

test('the QR code is an image that a page of the shop may show', async () => {
  const { qr_svg_url } = await createOrder('sh-qr')
  const { headers, body } = await get(pathOf(qr_svg_url))
  assert.equal(headers['content-type'], 'image/svg+xml; charset=utf-8')
  assert.equal(headers['access-control-allow-origin'], '*')
  assert.equal(headers['cross-origin-resource-policy'], 'cross-origin')
  assert.match(`${headers['cache-control']}`, /max-age/)
  assert.match(body, /^<svg /)
})

test('assets are kept for a year, and come compressed to who takes that', async () => {
  const page = await get(pathOf((await createOrder('sh-assets')).pay_url))
  const paths = [...page.body.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path!)
  assert(paths.length >= 2)
  for (const path of paths) {
    const plain = await get(path)
    const zipped = await get(path, { 'accept-encoding': 'gzip' })
    assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable')
    assert.deepEqual(
      [plain.headers['content-encoding'], zipped.headers['content-encoding']],
      [undefined, 'gzip'],
    )
    assert(zipped.rawPayload.length < plain.rawPayload.length)
  }
})

test("a payment at the head is shown at the order's own address", async () => {
  const { pay_url, address } = await createOrder('sh-seen')
  const before = (await get(pathOf(pay_url))).body
  await sight(address, 10_000_000n)
  const after = (await get(pathOf(pay_url))).body
  assert(
    !before.includes('1000000') && after.includes('1,000,000') !== after.includes('1000000'),
    'its block',
  )
  const version = (html: string) => /data-version="([^"]+)"/.exec(html)![1]
  assert.notEqual(version(before), version(after))
})

test("at an address of many orders a page shows nothing of another order's payment", async () => {
  const { data } = await api.ask(merchant, 'newAddress', user)
  const one = await createOrder('sh-shared-1', { address: data.address })
  const two = await createOrder('sh-shared-2', { address: data.address })
  const before = await Promise.all([one, two].map(async ({ pay_url }) => (await get(pathOf(pay_url))).body))
  await sight(data.address, 25_000_000n)
  const after = await Promise.all([one, two].map(async ({ pay_url }) => (await get(pathOf(pay_url))).body))
  const live = (html: string) => /data-version="([^"]+)"/.exec(html)![1]
  assert.deepEqual(after.map(live), before.map(live))
  // When the other one is paid, it can only be this one's.
  await api.pool.query(`update recharge_order set received = amount where orderid = 'sh-shared-1'`)
  assert.notEqual(live((await get(pathOf(two.pay_url))).body), live(before[1]!))
})

test("a merchant's texts are texts, and its addresses lead to nothing but pages", async () => {
  const markup = '<img src=x onerror=alert(1)>"\'&'
  await setPage(api.pool, merchant.appid, {
    displayName: markup,
    accent: '#0b6e4f',
    supportUrl: 'https://shop.example/help?a="><script>',
    frameAncestors: ['https://shop.example'],
  })
  await setMerchant(api.pool, merchant.appid, { returnUrl: true }, { checkUrl: () => null })
  await api.merchants.refresh()
  const returnUrl = 'https://shop.example/thanks?a="><script>alert(1)</script>'
  const { pay_url } = await createOrder('sh-<b>', { return_url: returnUrl })
  const page = await get(pathOf(pay_url))
  assert.doesNotMatch(page.body, /<img src=x|<script>|"><script|<b>/)
  assert(page.body.includes('&lt;img src=x'))
  assert.match(`${page.headers['content-security-policy']}`, /frame-ancestors https:\/\/shop\.example$/)
  const accent = await get(`${pathOf(pay_url)}/accent.css`)
  assert.match(`${accent.headers['content-type']}`, /^text\/css/)
  assert(accent.body.includes('#0b6e4f'))

  // The return URL is part of what makes two creates the same, for this merchant.
  const order = { ...user, address: 'auto', orderid: 'sh-<b>', amount: '25' }
  assert.equal((await api.ask(merchant, 'TraderRechargeorder', order)).code, 'orderid_conflict')
  const wrong = { ...order, orderid: 'sh-js', return_url: 'javascript:alert(1)' }
  assert.equal((await api.ask(merchant, 'TraderRechargeorder', wrong)).code, 'bad_return_url')
})

test('a merchant who has no return URLs may send anything under that name', async () => {
  const other = await api.addMerchant({ callbackUrl: 'https://other.example/cb' })
  const order = { ...user, address: 'auto', orderid: 'o-1', amount: '25' }
  const created = await api.ask(other, 'TraderRechargeorder', { ...order, return_url: 'javascript:alert(1)' })
  assert.equal(created.status, 1)
  assert.deepEqual((await api.ask(other, 'TraderRechargeorder', order)).data, created.data)
  assert.doesNotMatch((await get(pathOf(created.data.pay_url))).body, /javascript:/)
})

test('a logo is served by us as what it is', async () => {
  const { pay_url } = await createOrder('sh-logo', { return_url: 'https://shop.example/' })
  assert.equal((await get(`${pathOf(pay_url)}/logo`)).statusCode, 404)
  const bytes = Buffer.from('\x89PNG\r\n\x1a\nrest', 'latin1')
  await setPage(api.pool, merchant.appid, { logo: { type: 'image/png', bytes } })
  const logo = await get(`${pathOf(pay_url)}/logo`)
  assert.deepEqual([logo.headers['content-type'], logo.rawPayload], ['image/png', bytes])
  assert((await get(pathOf(pay_url))).body.includes(`${pathOf(pay_url)}/logo`))
})

test('the page of a disabled merchant asks nobody for money', async () => {
  const closed = await api.addMerchant({ callbackUrl: 'https://closed.example/cb' })
  const order = { ...user, address: 'auto', orderid: 'c-1', amount: '25' }
  const { data } = await api.ask(closed, 'TraderRechargeorder', order)
  await api.pool.query(`update merchant set disabled_at = now() where appid = $1`, [closed.appid])
  const page = await get(pathOf(data.pay_url))
  assert.equal(page.statusCode, 200)
  assert(!page.body.includes(data.address) && !page.body.includes('<svg'))
})

test('only a sandbox can be paid by a button', async () => {
  const { pay_url } = await createOrder('sh-button', { return_url: 'https://shop.example/' })
  const pressed = await api.app.inject({
    method: 'POST',
    url: `${pathOf(pay_url)}/sandbox`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: 'what=exact',
  })
  assert.equal(pressed.statusCode, 404)
  assert(!(await get(pathOf(pay_url))).body.includes('/sandbox'))
})

let nonces = 0
const stampOf = () => ({ t: `${Math.floor(Date.now() / 1000)}`, nonce: `nonce-of-checkout-${nonces++}` })

test('guessing is limited, with a page', async () => {
  const limited = await openApiUnderTest({ ipRateLimitPerMinute: 5 })
  const guess = () => limited.app.inject({ url: `/pay/${'A'.repeat(22)}` })
  const codes: number[] = []
  for (let i = 0; i < 6; i++) codes.push((await guess()).statusCode)
  assert.deepEqual(codes, [404, 404, 404, 404, 404, 429])
  const refused = await guess()
  assert(Number(refused.headers['retry-after']) > 0)
  assert.match(`${refused.headers['content-type']}`, /^text\/html/)
})
