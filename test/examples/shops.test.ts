import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { MerchantCredentials } from '../../src/demo/demo-merchant.ts'
import { freePort } from '../../src/demo/embedded-database.ts'
import type { Receiver } from '../clients/receiver.ts'
import { startRunningGateway } from '../clients/running-gateway.ts'
import { cloneDatabase } from '../support/database.ts'
import { waitUntil } from '../support/wait-until.ts'
import { buildExpressShop, buildPhpShop, noPhp, type ShopProgram } from './shop-programs.ts'
import { type PostedCallback, type ShopVisitor, visitShop } from './shop-visitor.ts'

// The example shops as they are, in front of the gateway itself on a sandbox chain.
const running = await startRunningGateway()
const database = await cloneDatabase()

for (const { name, build, skip } of [
  { name: 'express', build: () => buildExpressShop(database), skip: false },
  { name: 'php', build: buildPhpShop, skip: noPhp },
] as const) {
  suite(`the ${name} shop`, { skip }, () => {
    let shop: ShopProgram
    let server: Receiver
    let merchant: MerchantCredentials
    let visitor: ShopVisitor
    let port: number
    const start = (gatewayUrl: string) => shop.start({ ...merchant, gatewayUrl, port })

    before(async () => {
      port = await freePort()
      shop = await build()
      // Its default URL leads nowhere: the order says where its callbacks go.
      merchant = await running.addMerchant({ callbackUrl: 'http://127.0.0.1:9/' })
      visitor = visitShop(shop, merchant, port)
      server = await start(running.apiUrl)
    })
    after(async () => {
      await server?.stop()
      await shop?.remove()
    })

    test('shows address and amount, and books what arrives: in two parts, each once', async () => {
      const url = await visitor.topUp('3')
      const address = addressOn(await visitor.page(url), '3')
      assert.equal(addressOn(await visitor.page(url), '3'), address)
      await running.pay(address, '3.00005')
      await waitUntil('the first part', async () => (await visitor.balance()) === '3')
      assert.match((await visitor.page(url)).text, /Received: <b>3 USDT<\/b>/)
      await running.pay(address, '0.5')
      await waitUntil('the second part', async () => (await visitor.balance()) === '3.5')
      assert.match((await visitor.page(url)).text, /Received: <b>3.5 USDT<\/b>/)
      assert.equal(server.output().match(/booked /g)?.length, 2)
    })

    test('books a callback once that is posted twice, later again, and eight times at once', async () => {
      const orderid = orderidOf(await visitor.topUp('10'))
      const before = units(await visitor.balance())
      const post = (key: string) => visitor.post({ key, orderid, amount: 45_001n })
      assert.equal(await post('cb_twice'), 200)
      assert.equal(await post('cb_twice'), 200)
      const atOnce = await Promise.all(Array.from({ length: 8 }, () => post('cb_at_once')))
      assert.deepEqual(atOnce, Array(8).fill(200))
      assert.equal(await post('cb_twice'), 200)
      assert.equal(units(await visitor.balance()) - before, 2n * 45_001n)
    })

    test('refuses what is forged, stale or not signed, with a 400, and books none of it', async () => {
      const orderid = orderidOf(await visitor.topUp('10'))
      const before = await visitor.balance()
      const callback = { key: 'cb_forged', orderid, amount: 45_000n }
      const stale = Math.floor(Date.now() / 1000) - 400
      const forgeries: Partial<PostedCallback>[] = [
        { forge: (body: string) => body.replace('45000', '95000') },
        { forge: () => '' },
        { headers: { 'webhook-id': 'cb_another' } },
        { headers: { 'webhook-signature': 'v1,AAAA' } },
        { headers: { 'content-type': 'application/json' }, forge: () => '{"amount":1}' },
        { headers: { 'content-type': 'multipart/form-data; boundary=x' }, forge: () => '--x--\r\n' },
        { at: stale },
      ]
      for (const changes of forgeries) {
        assert.equal(await visitor.post({ ...callback, ...changes }), 400, JSON.stringify(changes))
      }
      assert.equal(await visitor.balance(), before)
    })

    test('acknowledges a sample, and no callback of a top-up that it does not know', async () => {
      const before = await visitor.balance()
      const sample = { key: 'cb_sample', orderid: 'test-1', amount: 0n }
      assert.equal(await visitor.post(sample), 200)
      assert.equal(await visitor.post({ key: 'cb_unknown', orderid: 'another', amount: 10_000n }), 500)
      assert.equal(await visitor.balance(), before)
    })

    test('refuses an amount that is none', async () => {
      for (const amount of ['', '0', '-1', '1e3', '1,5', '1.00001', '1234567', '<b>1</b>']) {
        const { status, text } = await visitor.refusedTopUp(amount)
        assert.equal(status, 400, amount)
        assert.match(text, /Enter an amount/)
      }
    })

    test('shows nobody a top-up that does not exist', async () => {
      const url = await visitor.topUp('1')
      for (const other of [url.replace(/.$/, 'x'), url.replace(/.$/, '%00'), `${url}%27--`]) {
        assert.equal((await visitor.page(other)).status, 404, other)
      }
    })

    test('a gateway that does not answer costs no top-up: its page asks again, under the same orderid', async () => {
      await server.stop()
      server = await start('http://127.0.0.1:9')
      const url = await visitor.topUp('7')
      const waiting = await visitor.page(url)
      assert.equal(waiting.status, 503)
      assert.match(waiting.text, /http-equiv="refresh"/)
      await server.stop()
      server = await start(running.apiUrl)
      const address = addressOn(await visitor.page(url), '7')
      const before = units(await visitor.balance())
      await running.pay(address, '7')
      await waitUntil('the payment', async () => units(await visitor.balance()) - before === 70_000n)
    })
  })
}

function addressOn({ status, text }: { status: number; text: string }, amount: string): string {
  assert.equal(status, 200, text)
  assert.ok(text.includes(`Pay ${amount} USDT`) && text.includes('TRON (TRC-20)'))
  return /<code>(T\w{33})<\/code>/.exec(text)![1]!
}

function orderidOf(url: string): string {
  return /[0-9a-f-]{32,36}$/.exec(url)![0]
}

/** Decimal USDT as 1/10000. */
function units(balance: string): bigint {
  const [whole, fraction = ''] = balance.split('.')
  return BigInt(`${whole}${fraction.padEnd(4, '0')}`)
}
