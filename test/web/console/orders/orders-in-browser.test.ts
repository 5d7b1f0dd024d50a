import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { followChain } from '../../../support/api-under-test.ts'
import { chromiumOnPath, seriousFindings } from '../../../support/browser.ts'
import { openConsoleInBrowser } from '../../../support/console-in-browser.ts'
import { findOrInstall } from '../../../support/programs.ts'
import { seedAddress, seedOrders } from '../../../support/seed.ts'
import { seedMerchant } from '../../../support/seed-merchant.ts'
import { seedCredit, seedTransfer } from '../../../support/seed-transfer.ts'

if (!chromiumOnPath()) findOrInstall('chromium', 'chromium')
const skip = chromiumOnPath() ? false : 'chromium is not on the PATH'
/** Where pictures of the pages go, to be looked at. */
const shots = process.env.CONSOLE_SHOTS

suite('search and orders in a browser', { skip }, async () => {
  const center = skip ? null! : await openConsoleInBrowser()
  const at = (path: string) => center.siteUrl + path

  async function seed() {
    const { pool } = center
    await followChain(pool)
    const shop = await seedMerchant(pool, { name: 'Blue shop' })
    const { addressId } = await seedAddress(pool, { merchantId: shop.id, localusermark: 'ann' })
    const received = [0n, 1_000_000n, 3_000_000n, 12_345_670_000n, 3_000_000n]
    const orders = await seedOrders(
      pool,
      Array.from({ length: 60 }, (_, n) => ({
        ...{ addressId, orderid: `sh-${n}`, received: received[n % 5]! },
        createdAt: new Date(Date.UTC(2026, 4, 10) + n * 3_600_000),
      })),
    )
    const { transferId } = await seedTransfer(pool, { addressId })
    await seedCredit(pool, { transferId, orderId: orders[59]!.orderId, late: true })
    return shop
  }

  test('by keyboard: the key / from anywhere, a search that opens an order’s list, filters, pages, a file', async () => {
    const shop = await seed()
    const user = await center.addPerson('ann@example.com', { roles: [[shop, 'support']] })
    const { page, faults } = await center.openAs(user)
    await page.goto(at('/console/account'))
    await page.keyboard.press('/')
    await page.keyboard.type('ann')
    await Promise.all([page.waitForURL(/\/console\/orders\?.*user=ann/), page.keyboard.press('Enter')])
    assert.equal(await page.inputValue('[name=user]'), 'ann')
    assert.equal(await page.locator('tbody tr').count(), 50)
    await Promise.all([page.waitForURL(/before=/), page.click('[rel=next]')])
    assert.equal(await page.locator('tbody tr').count(), 10)
    await page.selectOption('[name=state]', 'overpaid')
    await Promise.all([page.waitForURL(/state=overpaid/), page.click('.filters button')])
    assert.equal(await page.locator('tbody tr').count(), 12)
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('a[download]')])
    assert.equal(file.suggestedFilename(), 'orders.csv')
    // The filters of the file are those of the page.
    assert.match(file.url(), /state=overpaid/)
    await page.keyboard.press('/')
    await page.keyboard.type('3')
    await Promise.all([page.waitForURL(/search\?q=3/), page.keyboard.press('Enter')])
    assert.match(await page.locator('main').innerText(), /There are more than 20/)
    assert.deepEqual(faults, [])
  })

  for (const [name, options] of [
    ['light-1440', { viewport: { width: 1440, height: 900 } }],
    ['dark-390', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
    ['zh-1440', { viewport: { width: 1440, height: 900 }, locale: 'zh-CN', colorScheme: 'dark' }],
    ['zh-390', { viewport: { width: 390, height: 844 }, locale: 'zh-CN' }],
  ] as const) {
    test(`pages fit and have no serious finding: ${name}`, async () => {
      const { page } = await center.open({ ...options, bypassCSP: true })
      await center.signIn(page, center.admin)
      const pages = [
        ['orders', '/orders'],
        ['orders-wrong', '/orders?amount=x'],
        ['orders-none', '/orders?order=none'],
        ['orders-looked', '/orders?state=late'],
        ['search', '/search'],
        ['search-many', '/search?q=3'],
        ['search-unknown', `/search?q=${'ab'.repeat(32)}`],
        ['search-nothing', '/search?q=nothing'],
      ] as const
      for (const [shot, path] of pages) {
        await page.goto(at(`/console${path}`))
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        assert(wide <= 0, `${path} is ${wide} px too wide`)
        assert.deepEqual(await seriousFindings(page), [], path)
        if (shots) await page.screenshot({ path: `${shots}/${shot}-${name}.png`, fullPage: true })
      }
    })
  }
})
