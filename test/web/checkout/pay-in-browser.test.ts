import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { chromiumOnPath, openBrowser, readQr, seriousFindings } from '../../support/browser.ts'
import { findOrInstall } from '../../support/programs.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { openShop } from './shop.ts'

if (!chromiumOnPath()) findOrInstall('chromium', 'chromium')
const skip = chromiumOnPath() ? false : 'chromium is not on the PATH'

suite("the payer's page in a browser", { skip }, async () => {
  const shop = skip ? null! : await openShop()
  const browser: Browser = skip ? null! : await openBrowser()
  after(() => browser?.close())

  /** Opens an order's page in a browser of its own settings. */
  async function open(
    orderid: string,
    options: BrowserContextOptions = {},
    before: (page: Page) => Promise<unknown> = async () => {},
  ) {
    const order = await shop.createOrder(orderid)
    const context = await browser.newContext({ locale: 'en-US', ...options })
    after(() => context.close())
    const page = await context.newPage()
    const faults: string[] = []
    page.on('pageerror', error => faults.push(`${error}`))
    page.on('requestfinished', request => {
      if (!request.url().startsWith(shop.apiUrl) && !request.url().startsWith('data:'))
        faults.push(request.url())
    })
    // tsx writes this call into functions that a page is given.
    await page.addInitScript('globalThis.__name = it => it')
    await before(page)
    await page.goto(order.pay_url)
    return { ...order, page, context, faults }
  }
  const stateOf = (page: Page) => page.locator('.sheet').getAttribute('data-state')
  const becomes = (page: Page, state: string) =>
    waitUntil(`it is ${state}`, async () => (await stateOf(page)) === state)
  /** A page that was loaded anew has forgotten it. */
  const mark = (page: Page) => page.evaluate(() => Object.assign(globalThis, { marked: true }))
  const isMarked = (page: Page) => page.evaluate(() => 'marked' in globalThis)

  test('from waiting to paid, live, with nothing from elsewhere and no serious finding', async () => {
    const { page, address, faults } = await open('b-live')
    assert.equal(await stateOf(page), 'waiting')
    await mark(page)
    assert.deepEqual(await seriousFindings(page), [])
    await shop.pay(address, '10')
    await becomes(page, 'paid')
    assert(await isMarked(page))
    assert.match(await page.locator('#said').innerText(), /./, 'it is said, too')
    assert.match(await page.title(), /paid/i)
    assert.deepEqual(await seriousFindings(page), [])
    assert.deepEqual([await page.context().cookies(), faults], [[], []])
  })

  test('underpaid, and then the rest', async () => {
    const { page, address } = await open('b-parts')
    await mark(page)
    await shop.pay(address, '4')
    await becomes(page, 'underpaid')
    assert.match(await page.locator('.amount').first().innerText(), /^6\b/)
    assert((await page.locator('#copy-amount').getAttribute('data-copy')) === '6')
    await shop.pay(address, '6')
    await becomes(page, 'paid')
    assert(await isMarked(page))
    assert.equal(await page.locator('[data-payment], .payments li').count(), 2)
  })

  test('late money is credited, and the page says that it was late', async () => {
    const { page } = await open('b-late')
    await page.locator('#sandbox-late').click()
    await becomes(page, 'paid')
    assert.match(await page.locator('#live').innerText(), /late|after the time/i)
  })

  test('where a proxy keeps the stream back, and offline for a while, the page asks again', async () => {
    // What is open when a browser goes offline stays open, so this page has no stream.
    const noStream = (page: Page) => page.route('**/events*', route => route.abort())
    const { page, context, address } = await open('b-offline', {}, noStream)
    await mark(page)
    await context.setOffline(true)
    await shop.pay(address, '10')
    const other = await open('b-offline')
    await becomes(other.page, 'paid')
    assert.equal(await stateOf(page), 'waiting')
    await waitUntil('it says that it is offline', () => page.locator('#notice').isVisible())
    await context.setOffline(false)
    await becomes(page, 'paid')
    assert(await isMarked(page))
  })

  test('without script it is complete, and loads itself again', async () => {
    const { page, address } = await open('b-plain', { javaScriptEnabled: false })
    const text = await page.locator('body').innerText()
    assert.match(text, /10/)
    assert.equal((await page.locator('code.address').innerText()).replace(/\s/g, ''), address)
    await page.locator('#sandbox-exact').click()
    await becomes(page, 'paid')
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`on a phone, ${colorScheme}, in Chinese: nothing is cut off, and the QR code of the screen is the address`, async () => {
      const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, locale: 'zh-CN' }
      const { page, address } = await open(`b-phone-${colorScheme}`, { ...phone, colorScheme })
      assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN')
      assert.match(await page.locator('body').innerText(), /[\u4e00-\u9fff]/)
      assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
      assert.deepEqual(await seriousFindings(page), [])
      assert.equal(await readQr(page), address)
      assert(await page.locator('#wallet-links').isVisible())
      const link = await page.locator('[data-wallet=tronlink]').getAttribute('href')
      assert(decodeURIComponent(link!).includes(page.url()))
    })
  }

  test('by keyboard alone', async () => {
    const { page, address } = await open('b-keys', { permissions: ['clipboard-read', 'clipboard-write'] })
    const focused = () => page.evaluate(() => document.activeElement?.id ?? '')
    const tabTo = async (id: string) => {
      for (let i = 0; i < 40; i++) {
        if ((await focused()) === id) return
        await page.keyboard.press('Tab')
      }
      assert.fail(`no way to #${id}`)
    }
    await tabTo('copy-address')
    await page.keyboard.press('Enter')
    await waitUntil(
      'it is copied',
      async () => (await page.evaluate(() => navigator.clipboard.readText())) === address,
    )
    await tabTo('sandbox-exact')
    await page.keyboard.press('Enter')
    await becomes(page, 'paid')
  })

  test('a wallet in the page is asked for one exact transfer', async () => {
    const asked: string[][] = []
    const { page, address } = await open('b-wallet', {}, page => injectWallet(page, 'sandbox', asked))
    await page.locator('#wallet-pay').click()
    await waitUntil('it has sent', () => asked.length === 1)
    assert.deepEqual(asked, [[address, '10000000']])
    await becomes(page, 'paid')
  })

  for (const [what, chain, sentence] of [
    ['on another network', '0x2b6653dc', /another network/],
    ['that prepares something else', 'wrong-call', /something other/],
  ] as const) {
    test(`a wallet ${what} is refused with a sentence`, async () => {
      const asked: string[][] = []
      const { page } = await open(`b-${chain}`, {}, page => injectWallet(page, chain, asked))
      await page.locator('#wallet-pay').click()
      await waitUntil('it says so', async () => sentence.test(await page.locator('#wallet-says').innerText()))
      assert.deepEqual([asked, await stateOf(page)], [[], 'waiting'])
    })
  }

  /** A wallet of our own that signs for the sandbox: what it sends is paid there. @param asked gets what was sent. */
  async function injectWallet(page: Page, chain: string, asked: string[][]): Promise<void> {
    await page.exposeFunction('sendOnSandbox', async (to: string, units: string) => {
      asked.push([to, units])
      await shop.pay(to, `${BigInt(units) / 1_000_000n}`)
    })
    await page.addInitScript(chain => {
      const hexOf = (text: string) =>
        `41${[...text]
          .map(c => c.charCodeAt(0).toString(16))
          .join('')
          .slice(0, 40)}`
      const ask = { to: '', units: '' }
      const word = (hex: string) => hex.padStart(64, '0')
      const tronWeb = {
        defaultAddress: { base58: 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm' },
        address: { toHex: hexOf },
        transactionBuilder: {
          triggerSmartContract: async (
            contract: string,
            _: string,
            __: object,
            [to, units]: { value: string }[],
          ) => {
            Object.assign(ask, { to: to!.value, units: units!.value })
            const amount = BigInt(units!.value) * (chain === 'wrong-call' ? 10n : 1n)
            const data = `a9059cbb${word(hexOf(to!.value).slice(2))}${word(amount.toString(16))}`
            const value = { contract_address: hexOf(contract), data }
            return { transaction: { raw_data: { contract: [{ parameter: { value } }] } } }
          },
        },
        trx: {
          getBlockByNumber: async () => ({ blockID: `${'0'.repeat(56)}${chain.slice(2)}` }),
          sign: async (transaction: object) => ({ ...transaction, signature: ['00'] }),
          sendRawTransaction: async ({ signature }: { signature?: string[] }) => {
            // biome-ignore lint/suspicious/noExplicitAny: exposed above.
            if (signature) await (globalThis as any).sendOnSandbox(ask.to, ask.units)
            return { result: signature !== undefined }
          },
        },
      }
      const chainId = chain.startsWith('0x') ? chain : 'sandbox'
      Object.assign(globalThis, { tron: { chainId, tronWeb, request: async () => [] } })
    }, chain)
  }
})
