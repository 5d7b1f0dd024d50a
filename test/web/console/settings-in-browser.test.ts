import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '../../../src/merchants/read-settings.ts'
import { addKey } from '../../../src/merchants/rotate-keys.ts'
import { chromiumOnPath, newContext, openBrowser, seriousFindings } from '../../support/browser.ts'
import { openConsoleUnderTest } from '../../support/console-under-test.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

// An owner changes a URL and cancels that, and replaces a key, in a real browser; on a desk and on a phone, light and dark.
const shots = process.env.SCREENSHOTS

test('an owner changes and cancels a URL, and creates and promotes a key', {
  skip: chromiumOnPath() === null && 'chromium is not on the PATH',
}, async () => {
  const center = await openConsoleUnderTest({ PUBLIC_URL: 'http://localhost:1' })
  const { pool, config, app, addPerson, signedIn } = center
  const merchant = await seedMerchant(pool, {
    name: 'Red Lantern',
    callbackUrl: 'https://shop.example/callbacks',
  })
  await addKey(pool, config.masterKey, merchant.appid, { scheme: 'sha1' })
  await pool.query('update merchant_key set promoted = true where merchant_id = $1', [merchant.id])
  const owner = await addPerson('ada@shop.example', { name: 'Ada', roles: [[merchant, 'owner']] })
  const { cookies } = await signedIn(owner, { confirmed: true })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const port = (app.server.address() as { port: number }).port
  const origin = `http://localhost:${port}`
  const browser = await openBrowser()
  try {
    const open = async (options: object) => {
      const context = await newContext(browser, { bypassCSP: true, baseURL: origin, ...options })
      await context.addCookies([...cookies].map(([name, value]) => ({ name, value, url: origin })))
      return context.newPage()
    }
    const page = await open({ viewport: { width: 1440, height: 900 } })
    page.on('dialog', dialog => dialog.accept())
    const wide = async (name: string) => {
      assert.deepEqual(await seriousFindings(page), [], name)
      const width = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      assert(width <= 0, `${name} is too wide by ${width}`)
      if (shots) await page.screenshot({ path: `${shots}/settings-${name}.png`, fullPage: true })
    }
    await page.goto('/console/settings')
    await page.getByRole('link', { name: 'Change' }).first().click()
    await page.getByLabel('New URL').fill('http://shop.example')
    await page.getByRole('button', { name: 'Change' }).click()
    await page.getByText('callback URL must be https').waitFor()
    await wide('url-wrong-light-1440')
    await page.getByLabel('New URL').fill('https://new.example/callbacks')
    await page.keyboard.press('Enter')
    await page.getByText('A new callback URL waits').waitFor()
    await wide('waiting-light-1440')
    await page.setViewportSize({ width: 390, height: 844 })
    await page.emulateMedia({ colorScheme: 'dark' })
    await wide('waiting-dark-390')
    await page.getByRole('button', { name: 'Cancel this change' }).click()
    await page.getByText('was cancelled').waitFor()
    for (const path of ['url', 'callbacks', 'requests', 'looks', 'keys']) {
      await page.goto(`/console/settings/${path}`)
      await wide(`${path}-dark-390`)
      await page.setViewportSize({ width: 1440, height: 900 })
      await page.emulateMedia({ colorScheme: 'light' })
      await wide(`${path}-light-1440`)
      await page.setViewportSize({ width: 390, height: 844 })
      await page.emulateMedia({ colorScheme: 'dark' })
    }
    await page.getByRole('button', { name: 'Create a key' }).click()
    await page.getByText('It is shown only now.').waitFor()
    await wide('new-key-dark-390')
    await page.getByRole('link', { name: 'I have kept it' }).click()
    await page.getByRole('button', { name: 'Promote' }).click()
    await page.getByText('This key signs callbacks from now on.').waitFor()
    const { keys, settings, waiting } = await readSettings(pool, merchant.id)
    assert.deepEqual(
      keys.map(({ promoted }) => promoted),
      [false, true],
    )
    assert.deepEqual([settings.callbackUrl, waiting], ['https://shop.example/callbacks', null])
    await pool.query(`update console_user set locale = 'zh'`)
    await page.goto('/console/settings')
    await page.getByRole('heading', { name: '设置' }).waitFor()
    await wide('chinese-dark-390')
    await page.goto('/console/settings/keys')
    await page.setViewportSize({ width: 1440, height: 900 })
    await wide('keys-chinese-dark-1440')
  } finally {
    await browser.close()
  }
})
