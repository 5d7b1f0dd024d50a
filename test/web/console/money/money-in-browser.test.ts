import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chromiumOnPath, newContext, openBrowser, seriousFindings } from '../../../support/browser.ts'
import { openMoneyShop } from './money-shop.ts'

// Somebody of finance assigns an unclaimed transfer by keyboard and notes a refund, in a real browser; on a desk and on a phone,
// light and dark.
const shots = process.env.SCREENSHOTS

test('an unclaimed transfer is assigned, and a part of it refunded', {
  skip: chromiumOnPath() === null && 'chromium is not on the PATH',
}, async () => {
  const shop = await openMoneyShop({ PUBLIC_URL: 'http://localhost:1' })
  const { pool, app, signedIn, unclaimed, u1, finance } = shop
  const { cookies } = await signedIn(finance)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const origin = `http://localhost:${(app.server.address() as { port: number }).port}`
  const browser = await openBrowser()
  try {
    const context = await newContext(browser, { bypassCSP: true, baseURL: origin })
    await context.addCookies([...cookies].map(([name, value]) => ({ name, value, url: origin })))
    const page = await context.newPage()
    page.on('dialog', dialog => dialog.accept())
    const looked = async (name: string) => {
      for (const [theme, width] of [
        ['light', 1440],
        ['dark', 1440],
        ['dark', 390],
        ['light', 390],
      ] as const) {
        await page.emulateMedia({ colorScheme: theme })
        await page.setViewportSize({ width, height: 900 })
        assert.deepEqual(await seriousFindings(page), [], `${name} ${theme} ${width}`)
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        assert(over <= 0, `${name} is too wide by ${over} at ${width}`)
        if (shots)
          await page.screenshot({ path: `${shots}/money-${name}-${theme}-${width}.png`, fullPage: true })
      }
      await page.setViewportSize({ width: 1440, height: 900 })
    }
    await page.goto('/console/money')
    await looked('unclaimed')
    await page.locator(`a[href$="/transfers/${unclaimed.transferId}"]`).click()
    await looked('transfer')
    await page.getByLabel('Order', { exact: true }).fill('nobodys')
    await page.keyboard.press('Tab')
    await page.keyboard.type('the payer wrote us')
    await page.keyboard.press('Enter')
    await page.getByText('There is no such order.').waitFor()
    await looked('wrong')
    await page.getByLabel('Order', { exact: true }).fill('sh-2')
    await page.keyboard.press('Enter')
    await page.getByText('The merchant is called back as usual.').waitFor()
    await page.getByLabel('Amount in USDT').fill('1.5')
    await page.getByLabel('Transaction that paid it back').fill('ab'.repeat(32))
    await page.getByLabel('Reason').fill('paid twice')
    await page.getByRole('button', { name: 'Note it' }).click()
    await page.getByText('Noted.').waitFor()
    await looked('marked')
    await page.locator('summary', { hasText: 'Withdraw' }).click()
    await page.getByLabel('Why').fill('it came back')
    await page.keyboard.press('Enter')
    await page.getByText('Withdrawn.').waitFor()
    await page.goto('/console/money?list=marks')
    await looked('marks')
    await page.goto('/console/money?list=held')
    await looked('held')
    await page.goto('/console/addresses')
    await looked('addresses')
    await page.goto(`/console/addresses/${u1.address}`)
    await looked('address')
    await pool.query(`update console_user set locale = 'zh'`)
    await page.goto(`/console/money/transfers/${unclaimed.transferId}`)
    await page.getByRole('heading', { name: '3 USDT 的转账' }).waitFor()
    await looked('transfer-zh')
    const { rows } = await pool.query('select received from recharge_order')
    assert.deepEqual(rows, [{ received: 3_000_000n }])
  } finally {
    await browser.close()
  }
})
