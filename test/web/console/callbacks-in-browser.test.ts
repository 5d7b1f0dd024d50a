import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import type { BrowserContextOptions } from 'playwright-core'
import { chromiumOnPath, newContext, openBrowser, seriousFindings } from '../../support/browser.ts'
import { openConsoleUnderTest } from '../../support/console-under-test.ts'
import { findOrInstall } from '../../support/programs.ts'
import { seedAttempt, seedCallback } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

if (!chromiumOnPath()) findOrInstall('chromium', 'chromium')
const skip = chromiumOnPath() ? false : 'chromium is not on the PATH'

suite('an order and its callbacks in a browser', { skip }, async () => {
  if (skip) return
  const center = await openConsoleUnderTest({ PUBLIC_URL: 'http://localhost' })
  const { pool } = center
  const url = await center.app.listen({ host: '127.0.0.1', port: 0 })
  const browser = await openBrowser()
  after(() => browser.close())
  const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
  const owner = await center.addPerson('owner@example.com', { roles: [[merchant, 'owner']], name: 'Ann' })
  const { callbackId, key, orderId } = await seedCallback(pool, { merchant, orderid: 'sh-1' })
  const failed = { callbackId, outcome: 'refused', status: 503, scheduleStep: 0, retryInMs: 3_600_000 }
  await seedAttempt(pool, { ...failed, answer: `{"error":"${'down for maintenance '.repeat(20)}"}` })
  await pool.query(
    `update callback set attempts = 1, last_status = 503; update callback_outbox set schedule_step = 1, due_at = now() + interval '1 hour'`,
  )
  const { rows } = await pool.query('select ordersn from recharge_order where id = $1', [orderId])
  const order = `/console/orders/${rows[0].ordersn}`

  async function open(options: BrowserContextOptions = {}) {
    const context = await newContext(browser, { locale: 'en-US', bypassCSP: true, ...options })
    after(() => context.close())
    const { cookies } = await center.signedIn(owner)
    await context.addCookies([...cookies].map(([name, value]) => ({ name, value, url })))
    const page = await context.newPage()
    const faults: string[] = []
    page.on('pageerror', error => faults.push(`${error}`))
    page.on('dialog', dialog => dialog.accept())
    return { page, faults }
  }

  test('from the list of callbacks that fail to the order, a note, and the callback sent again', async () => {
    const { page, faults } = await open()
    await page.goto(`${url}/console/callbacks`)
    await page.getByRole('link', { name: 'Failing' }).click()
    assert.deepEqual(await seriousFindings(page), [])
    await page.getByRole('link', { name: 'sh-1' }).click()
    assert.equal(await page.locator('h1').innerText(), 'Order sh-1')
    assert.deepEqual(await seriousFindings(page), [])
    await page.getByLabel('Note').fill('They are told.')
    await page.getByRole('button', { name: 'Add the note' }).click()
    await page.getByText('The note was added.').waitFor()
    assert.match(await page.locator('.timeline').innerText(), /Note by Ann[\s\S]*They are told\./)
    await page.locator(`.timeline a[href="/console/callbacks/${key}"]`).click()
    await page.getByText('Answer').click()
    assert.match(await page.locator('pre').innerText(), /down for maintenance/)
    assert.deepEqual(await seriousFindings(page), [])
    await page.getByRole('button', { name: 'Send it again' }).click()
    await page.getByText('It is due now.').waitFor()
    assert.deepEqual(faults, [])
  })

  test('many are sent again after their number is shown; their page says how far it is, and stops it', async () => {
    const { page, faults } = await open()
    await page.goto(`${url}/console/callbacks?list=due`)
    await page.getByRole('link', { name: 'Send these again' }).click()
    await page.getByText('1 callback is in the list “Due”.').waitFor()
    assert.deepEqual(await seriousFindings(page), [])
    await page.getByRole('button', { name: 'Send 1 again' }).click()
    await page.getByText('It is recorded').waitFor()
    assert.equal(await page.locator('progress').getAttribute('value'), '0')
    assert.deepEqual(await seriousFindings(page), [])
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('stopped by Ann').waitFor()
    assert.deepEqual(faults, [])
  })

  test('filters stand open where there is room, and on a phone when they are asked for', async () => {
    for (const [width, isShown] of [
      [1440, true],
      [390, false],
    ] as const) {
      const { page } = await open({ viewport: { width, height: 844 } })
      await page.goto(`${url}/console/orders`)
      const field = page.getByLabel('Amount or received')
      assert.equal(await field.isVisible(), isShown)
      if (!isShown) await page.getByText('Filters', { exact: true }).click()
      await field.fill('3')
      await page.getByRole('button', { name: 'Filter', exact: true }).click()
      await page.waitForURL(/amount=3/)
      // What is filtered is seen.
      assert.equal(await field.inputValue(), '3')
      assert.equal(await field.isVisible(), true)
    }
  })

  test('on a phone, in the dark and in Chinese nothing is cut off, and by the keyboard alone a test is sent', async () => {
    const { page, faults } = await open({
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
      locale: 'zh-CN',
    })
    for (const path of [
      order,
      '/console/callbacks',
      `/console/callbacks/${key}`,
      '/console/callbacks/origins',
      '/console/callbacks/resends',
    ]) {
      await page.goto(url + path)
      const { width, whole } = await page.evaluate(() => ({
        width: document.documentElement.clientWidth,
        whole: document.documentElement.scrollWidth,
      }))
      assert.ok(whole <= width, `${path}: ${whole} of ${width}`)
      assert.deepEqual(await seriousFindings(page), [], path)
      assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN')
    }
    await page.goto(`${url}/console/callbacks/test`)
    await page.locator('#f-url').focus()
    await page.keyboard.type('https://127.0.0.1/')
    await page.keyboard.press('Enter')
    await page.locator('.hint.wrong').waitFor()
    await page.locator('#f-url').fill('')
    await page.keyboard.press('Enter')
    await page.getByText('没有发送任何内容').waitFor()
    assert.deepEqual(await seriousFindings(page), [])
    assert.deepEqual(faults, [])
  })
})
