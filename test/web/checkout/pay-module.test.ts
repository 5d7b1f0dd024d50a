import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { CheckoutView } from '../../../src/web/checkout/checkout-view.ts'
import { wordsOf } from '../../../src/web/checkout/languages.ts'
import { chromiumOnPath, newContext, openBrowser } from '../../support/browser.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { servePages } from './page-server.ts'
import { sampleAddress, samplePayment, sampleStates, sampleView } from './sample-view.ts'

// The module of the payer's page in a real browser, against a server that plays the gateway's part.
const skip = chromiumOnPath() ? false : 'chromium is not on the PATH'
const words = wordsOf('en')
let browser: Browser
let context: BrowserContext
let page: Page
let view: CheckoutView
let server: Awaited<ReturnType<typeof servePages>>
let errors: string[]

before(async () => {
  if (skip) return
  browser = await openBrowser()
})
after(() => browser?.close())

beforeEach(async () => {
  if (skip) return
  view = sampleView()
  server = await servePages(() => view)
  context = await newContext(browser, { timezoneId: 'Asia/Shanghai', locale: 'en-GB' })
  page = await context.newPage()
  errors = []
  page.on('pageerror', error => errors.push(`${error}`))
})
afterEach(async () => {
  if (skip) return
  await context.close()
  await server.close()
  assert.deepEqual(errors, [])
})

const open = async () => {
  await page.goto(`${server.origin}${view.path}`)
  await page.locator('html.script').waitFor()
}
const change = (state: string, over: Partial<CheckoutView> = {}) => {
  view = sampleView({ ...sampleStates[state], version: `${Number(view.version) + 1}`, ...over })
}
const headline = () => page.locator('h1').textContent()
const said = () => page.locator('#said').textContent()

test('a change is shown at once, said once, and leaves focus and scroll where they are', {
  skip,
}, async () => {
  await page.setViewportSize({ width: 390, height: 500 })
  await open()
  await waitUntil('the stream', () => server.streams.size === 1)
  await page.locator('#copy-address').focus()
  const top = await page.evaluate(() => scrollY)
  change('underpaid')
  server.tell(view)
  await waitUntil('the change', async () => (await headline()) === words.headlines.underpaid)
  assert.equal(await page.title(), '12.50 USDT missing · Blue Harbour Games')
  assert.equal(await page.locator('#live').getAttribute('data-version'), view.version)
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'copy-address')
  assert.equal(await page.evaluate(() => scrollY), top)
  assert.match((await said())!, /^Paid in part\. 12\.50 USDT of 25\.00 USDT has arrived/)
  change('paid')
  server.tell(view)
  await waitUntil('the next', async () => (await headline()) === words.headlines.paid)
  assert.equal(await page.locator('#copy-address').count(), 0)
  assert.equal(await page.locator('#return.button').count(), 1)
  assert.equal(server.counts.pages, 1, 'the page was not asked for again')
})

test('a confirmation more is shown and not said', { skip }, async () => {
  change('seen')
  await open()
  await waitUntil('the stream', () => server.streams.size === 1)
  change('seen', { payments: [samplePayment({ state: 'seen', confirmations: 8 })] })
  server.tell(view)
  await page.locator('text=8 of 19 confirmations').waitFor()
  assert.equal(await said(), '')
})

test('details that the payer has opened stay open', { skip }, async () => {
  change('expired')
  await open()
  await waitUntil('the stream', () => server.streams.size === 1)
  await page.locator('summary').click()
  change('expiredUnderpaid')
  server.tell(view)
  await waitUntil('the change', async () => (await headline()) === words.headlines.expiredUnderpaid)
  assert.ok(await page.locator('.address').isVisible())
})

test('where the stream is refused, the page is asked for instead', { skip }, async () => {
  server.state.streams = 'refused'
  await page.clock.install()
  await open()
  change('paid')
  await waitUntil('the change', async () => {
    await page.clock.runFor(2_000)
    return (await headline()) === words.headlines.paid
  })
  assert.ok(server.counts.streams >= 3)
})

test('where a proxy keeps the stream back, the page is asked for after a while, and the stream tried again', {
  skip,
}, async () => {
  server.state.streams = 'silent'
  await page.clock.install()
  await open()
  change('paid')
  await page.clock.runFor(20_000)
  assert.notEqual(await headline(), words.headlines.paid)
  await waitUntil('the change', async () => {
    await page.clock.runFor(2_000)
    return (await headline()) === words.headlines.paid
  })
  server.state.streams = 'open'
  const before = server.counts.streams
  await waitUntil('the stream again', async () => {
    await page.clock.runFor(5_000)
    return server.counts.streams > before
  })
})

test('offline is said, and what happened meanwhile is shown when the connection is back', {
  skip,
}, async () => {
  await open()
  await context.setOffline(true)
  await page.locator(`#notice:has-text("${words.browser.offline}")`).waitFor()
  change('paid')
  await context.setOffline(false)
  await waitUntil('the change', async () => (await headline()) === words.headlines.paid)
  assert.ok(await page.locator('#notice').isHidden())
})

test("the time left runs by the server's clock, and times are the payer's own", { skip }, async () => {
  await page.clock.install({ time: new Date('2030-01-01T00:00:00Z') })
  await open()
  assert.match((await page.locator('#time-left').textContent())!, /^59:1[0-2]$/)
  await page.clock.runFor(60_000)
  assert.match((await page.locator('#time-left').textContent())!, /^58:1[0-2]$/)
  const until = page.locator('.time time')
  assert.match((await until.textContent())!, /22:05|10:05/)
  assert.equal(await until.getAttribute('title'), '2026-11-29 14:05:20 UTC')
})

test('when the time is over, the server is asked what that means', { skip }, async () => {
  change('waiting', { expiresAt: view.now + 3 })
  await open()
  change('expired')
  await waitUntil('the change', async () => (await headline()) === words.headlines.expired)
})

test('amount and address are copied, and that is said', { skip }, async () => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await open()
  const copied = () => page.evaluate(() => navigator.clipboard.readText())
  await page.locator('#copy-amount').press('Enter')
  await page.locator('#copy-amount:has-text("Copied")').waitFor()
  assert.equal(await copied(), '25')
  assert.equal(await said(), words.browser.copied)
  await page.locator('#copy-address').click()
  await page.locator('#copy-address:has-text("Copied")').waitFor()
  assert.equal(await copied(), sampleAddress)
  await page.locator('#copy-address:has-text("Copy")').waitFor()
})

test('without the clipboard of https the old way copies', { skip }, async () => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.addInitScript(() =>
    Object.defineProperty(navigator.clipboard, 'writeText', { value: () => Promise.reject(new Error('no')) }),
  )
  await open()
  await page.locator('#copy-address').click()
  await page.locator('#copy-address:has-text("Copied")').waitFor()
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), sampleAddress)
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'copy-address')
})

test('the address that is selected by hand copies without gaps', { skip }, async () => {
  await open()
  const selected = await page.evaluate(() => {
    getSelection()!.selectAllChildren(document.querySelector('.address')!)
    return `${getSelection()}`
  })
  assert.equal(selected, sampleAddress)
})

test('a phone without a wallet in the page gets links that open the page in one', { skip }, async () => {
  const phone = await newContext(browser, {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  })
  const other = await phone.newPage()
  const url = `${server.origin}${view.path}?lang=en`
  await other.goto(url)
  const links = other.locator('#wallet-links a')
  await links.first().waitFor()
  const hrefs = await links.evaluateAll(all => all.map(link => (link as unknown as { href: string }).href))
  const [tronlink, tokenpocket, imtoken] = hrefs.map(href => new URL(href)) as [URL, URL, URL]
  assert.ok(hrefs[0]!.startsWith('tronlinkoutside://pull.activity?'))
  assert.deepEqual(JSON.parse(tronlink.searchParams.get('param')!), {
    url,
    action: 'open',
    protocol: 'tronlink',
    version: '1.0',
  })
  assert.ok(hrefs[1]!.startsWith('tpdapp://open?'))
  assert.equal(JSON.parse(tokenpocket.searchParams.get('params')!).url, url)
  assert.ok(hrefs[2]!.startsWith('imtokenv2://navigate/DappView?'))
  assert.equal(imtoken.searchParams.get('url'), url)
  await phone.close()
  await open()
  assert.ok(
    await page
      .locator('#wallet')
      .isVisible()
      .then(isVisible => !isVisible),
    'a desk has none',
  )
})

interface PlayedWallet {
  genesis: string
  /** What the wallet builds instead of what it is asked for. */
  data?: string
  declines?: boolean
}

/** Puts a wallet into the page that writes down what it is asked for. */
const playWallet = (played: PlayedWallet) =>
  page.addInitScript(
    ({ played, address, contract }) => {
      const calls: unknown[] = []
      const hexOf: Record<string, string> = {
        [address]: `41${'a1'.repeat(20)}`,
        [contract]: `41${'c2'.repeat(20)}`,
      }
      const data = `a9059cbb${'a1'.repeat(20).padStart(64, '0')}${(25_000_000).toString(16).padStart(64, '0')}`
      const value = { contract_address: hexOf[contract], data: played.data ?? data }
      const transaction = { raw_data: { contract: [{ parameter: { value } }] } }
      const note =
        (name: string, answer: unknown) =>
        async (...args: unknown[]) => {
          calls.push([name, ...args])
          return answer
        }
      const tronWeb = {
        defaultAddress: { base58: 'TFrom' },
        address: { toHex: (text: string) => hexOf[text] },
        transactionBuilder: { triggerSmartContract: note('build', { transaction }) },
        trx: {
          getBlockByNumber: async () => ({ blockID: played.genesis }),
          sign: async (...args: unknown[]) => {
            if (played.declines) throw 'Confirmation declined by user'
            return note('sign', 'signed')(...args)
          },
          sendRawTransaction: note('send', { result: true }),
        },
      }
      Object.assign(globalThis, { calls, tron: { tronWeb, request: note('request', ['TFrom']) } })
    },
    { played, address: view.address, contract: view.usdtContract },
  )
const walletCalls = () => page.evaluate(() => (globalThis as unknown as { calls: unknown[][] }).calls)
const payWith = async (played: PlayedWallet) => {
  await playWallet(played)
  await open()
  await page.locator('#wallet-pay').click()
  const says = page.locator('#wallet-says')
  const final = Object.values(words.browser).filter(text => text !== words.browser.walletAsked)
  await waitUntil('the outcome', async () => final.includes((await says.textContent())!))
  return { says: await says.textContent(), calls: await walletCalls() }
}
const genesis = '00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc'
const nile = '0000000000000000d698d4192c56cb6be724a558448e2684802de4d6cd8690dc'

test('a wallet in the page is asked for one exact transfer, once', { skip }, async () => {
  const { says, calls } = await payWith({ genesis })
  assert.equal(says, words.browser.walletSent)
  assert.deepEqual(
    calls.map(([name]) => name),
    ['request', 'build', 'sign', 'send'],
  )
  assert.deepEqual(calls[1], [
    'build',
    view.usdtContract,
    'transfer(address,uint256)',
    { feeLimit: 100_000_000, callValue: 0 },
    [
      { type: 'address', value: sampleAddress },
      { type: 'uint256', value: '25000000' },
    ],
    'TFrom',
  ])
  assert.ok(await page.locator('#wallet-pay').isHidden(), 'it cannot be pressed again')
  change('underpaid')
  server.tell(view)
  await page.locator('#wallet-pay').waitFor()
  assert.ok(await page.locator('#wallet-says').isHidden())
})

test('a wallet on another network signs nothing', { skip }, async () => {
  const { says, calls } = await payWith({ genesis: nile })
  assert.equal(says, words.browser.walletWrongNetwork)
  assert.deepEqual(
    calls.map(([name]) => name),
    ['request'],
  )
})

test('a wallet that builds another call signs nothing', { skip }, async () => {
  const data = `a9059cbb${'a1'.repeat(20).padStart(64, '0')}${(26_000_000).toString(16).padStart(64, '0')}`
  const { says, calls } = await payWith({ genesis, data })
  assert.equal(says, words.browser.walletWrongCall)
  assert.deepEqual(
    calls.map(([name]) => name),
    ['request', 'build'],
  )
})

test('a payer who declines is told so, and may try again', { skip }, async () => {
  const { says, calls } = await payWith({ genesis, declines: true })
  assert.equal(says, words.browser.walletDeclined)
  assert.ok(calls.every(([name]) => name !== 'send'))
  assert.ok(await page.locator('#wallet-pay').isEnabled())
})
