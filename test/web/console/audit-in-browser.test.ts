import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { recordAudit } from '../../../src/db/audit-store.ts'
import { inTransaction } from '../../../src/db/pool.ts'
import { freePort } from '../../../src/demo/embedded-database.ts'
import { chromiumOnPath, newContext, openBrowser, seriousFindings } from '../../support/browser.ts'
import { openConsoleUnderTest, testPassword } from '../../support/console-under-test.ts'
import { findOrInstall } from '../../support/programs.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

if (!chromiumOnPath()) findOrInstall('chromium', 'chromium')
const skip = chromiumOnPath() ? false : 'chromium is not on the PATH'

suite('the page of the audit in a browser', { skip }, async () => {
  const port = skip ? 0 : await freePort()
  const center = skip ? null! : await openConsoleUnderTest({ PUBLIC_URL: `http://localhost:${port}` })
  const browser: Browser = skip ? null! : await openBrowser()
  after(() => browser?.close())
  if (!skip) {
    await center.app.listen({ port, host: 'localhost' })
    const { id: merchantId } = await seedMerchant(center.pool, { appid: 'Shop1Shop1Shop1S', name: 'Shop' })
    for (let n = 0; n < 60; n++) {
      await inTransaction(center.pool, tx =>
        recordAudit(tx, {
          ...{ actor: n % 2 === 0 ? 'command line carol' : 'Root <root@example.com>', merchantId },
          ...{ action: 'merchant.renamed', subject: 'merchant Shop1Shop1Shop1S', reason: 'a new brand' },
          ...{ detail: { from: `name ${n}`, to: `name ${n + 1}` }, address: '203.0.113.7' },
        }),
      )
    }
  }

  /** Signs in by the form, in a browser of its own settings. */
  async function open(options: BrowserContextOptions = {}) {
    const context = await newContext(browser, { locale: 'en-US', bypassCSP: true, ...options })
    after(() => context.close())
    const page = await context.newPage()
    const faults: string[] = []
    page.on('pageerror', error => faults.push(`${error}`))
    page.on('console', message => message.type() === 'error' && faults.push(message.text()))
    await page.goto(`http://localhost:${port}/console/sign-in?next=/console/audit`)
    await page.locator('input[name=email]').fill(center.admin.email)
    await page.locator('input[name=password]').fill(testPassword)
    await page.keyboard.press('Enter')
    await page.waitForURL(({ pathname }) => pathname === '/console/audit')
    return { page, faults }
  }

  test('an admin reads on, looks at details, filters by a person and checks the chain', async () => {
    const { page, faults } = await open()
    await page.locator('details:has(pre) summary').first().click()
    assert.match(await page.locator('details[open] pre').innerText(), /"to": "name 60"/)
    await page.locator('a[rel=next]').click()
    assert.match(await page.locator('tbody').innerText(), /audit\.began/)
    await page.goBack()
    await page.getByRole('link', { name: 'command line carol' }).first().click()
    await page.waitForURL(/actor=/)
    assert.equal(await page.locator('tbody tr').count(), 30)
    assert.equal(await page.locator('#f-actor').inputValue(), 'command line carol')
    assert.deepEqual(await seriousFindings(page), [])
    await page.getByRole('link', { name: 'Check the chain' }).click()
    assert.equal(await page.locator('.title .state').innerText(), 'Whole')
    assert.deepEqual(await seriousFindings(page), [])
    assert.deepEqual(faults, [])
  })

  test('on a phone, dark and in Chinese, nothing is cut off', async () => {
    const viewport = { width: 390, height: 844 }
    const { page } = await open({ locale: 'zh-CN', colorScheme: 'dark', viewport })
    for (const path of ['audit', 'audit/chain']) {
      await page.goto(`http://localhost:${port}/console/${path}`)
      assert.match(await page.locator('h1').innerText(), /审计/)
      assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), path)
      assert.deepEqual(await seriousFindings(page), [], path)
    }
  })
})
