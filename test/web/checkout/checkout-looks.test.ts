import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { decodeQR } from 'qr/decode.js'
import { chromiumOnPath, newContext, openBrowser, seriousFindings } from '../../support/browser.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { servePages } from './page-server.ts'
import { sampleAddress, sampleStates, sampleView } from './sample-view.ts'

const skip = chromiumOnPath() ? false : 'chromium is not on the PATH'
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
const desk = { viewport: { width: 1440, height: 900 } }
let browser: Browser
let server: Awaited<ReturnType<typeof servePages>>

before(async () => {
  if (skip) return
  browser = await openBrowser()
  server = await servePages((query, locale) => sampleView({ ...sampleStates[query.get('state')!], locale }))
})
after(async () => {
  await browser?.close()
  await server?.close()
})

const looks = [
  { name: 'a phone in the dark', options: { ...phone, colorScheme: 'dark' as const }, lang: 'en' },
  {
    name: 'a desk in the light, in Chinese',
    options: { ...desk, colorScheme: 'light' as const },
    lang: 'zh',
  },
]
for (const { name, options, lang } of looks) {
  test(`on ${name} every state is accessible, fits, and breaks no policy`, { skip }, async () => {
    const context = await newContext(browser, options)
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', error => errors.push(`${error}`))
    page.on('console', message => message.type() === 'error' && errors.push(message.text()))
    for (const state of Object.keys(sampleStates)) {
      await page.goto(`${server.origin}/pay/x?state=${state}&lang=${lang}`)
      for (const closed of await page.locator('details').all()) await closed.click()
      assert.deepEqual(await seriousFindings(page), [], state)
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), state)
      assert.deepEqual(errors, [], state)
    }
    await context.close()
  })
}

test('the QR code of a screenshot decodes to the address, in the dark too', { skip }, async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await newContext(browser, { ...phone, colorScheme, deviceScaleFactor: 2 })
    const page = await context.newPage()
    await page.goto(`${server.origin}/pay/x?state=waiting`)
    const picture = await page.locator('.qr').screenshot()
    assert.equal(decodeQR(await pixels(picture)), sampleAddress)
    await context.close()
  }
})

/** Decodes a PNG, in a browser, since Node has nothing for it. */
async function pixels(png: Buffer) {
  const page = await browser.newPage()
  const image = await page.evaluate(
    async url => {
      const picture = new Image()
      picture.src = url
      await picture.decode()
      const canvas = new OffscreenCanvas(picture.width, picture.height)
      const drawing = canvas.getContext('2d')!
      drawing.drawImage(picture, 0, 0)
      const { data } = drawing.getImageData(0, 0, picture.width, picture.height)
      // As text: an array of a million numbers takes seconds to get here.
      const text = Array.from(data, byte => String.fromCharCode(byte)).join('')
      return { width: picture.width, height: picture.height, text }
    },
    `data:image/png;base64,${png.toString('base64')}`,
  )
  await page.close()
  const { width, height, text } = image
  return { width, height, data: new Uint8ClampedArray(Buffer.from(text, 'latin1')) }
}

test('without script the page is whole, and a button that could do nothing is not there', {
  skip,
}, async () => {
  const context = await browser.newContext({ ...phone, javaScriptEnabled: false })
  const page = await context.newPage()
  await page.goto(`${server.origin}/pay/x?state=sandbox`)
  assert.equal((await page.locator('.address').innerText()).trim(), sampleAddress)
  assert.ok(await page.locator('.qr svg').isVisible())
  assert.equal((await page.locator('.time').innerText()).trim(), 'Time left 59:12 (14:05 UTC)')
  assert.equal(await page.locator('.copy:visible, #wallet button:visible, #wallet a:visible').count(), 0)
  assert.equal(await page.locator('.sandbox button:visible').count(), 4)
  await context.close()
})

test('all that can be done can be done by the keyboard, in the order of the page', { skip }, async () => {
  const context = await newContext(browser, desk)
  const page = await context.newPage()
  await page.goto(`${server.origin}/pay/x?state=sandbox`)
  await page.locator('html.script').waitFor()
  const reached = []
  for (const _ of Array.from({ length: 9 })) {
    await page.keyboard.press('Tab')
    reached.push(await focused(page))
  }
  assert.deepEqual(reached, [
    'language',
    'copy-amount',
    'copy-address',
    'sandbox-exact',
    'sandbox-half',
    'sandbox-double',
    'sandbox-late',
    'support',
    'return',
  ])
  await context.close()
})

/** @returns id or class of what has the focus, having checked that one sees it. */
async function focused(page: Page): Promise<string> {
  const { name, outline } = await page.evaluate(() => {
    const element = document.activeElement!
    return { name: element.id || element.className, outline: getComputedStyle(element).outlineStyle }
  })
  assert.equal(outline, 'solid', name)
  return name
}

test('the language switch changes the language', { skip }, async () => {
  const context = await newContext(browser, phone)
  const page = await context.newPage()
  await page.goto(`${server.origin}${sampleView().path}`)
  await page.locator('.language').click()
  await waitUntil('Chinese', async () => (await page.locator('html').getAttribute('lang')) === 'zh-CN')
  await page.locator('.language').click()
  await waitUntil('English', async () => (await page.locator('html').getAttribute('lang')) === 'en')
  await context.close()
})
