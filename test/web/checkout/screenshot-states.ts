import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { accentCss } from '../../../src/web/checkout/accent-css.ts'
import { checkoutAssets } from '../../../src/web/checkout/checkout-assets.ts'
import { renderCheckout, renderProblem } from '../../../src/web/checkout/checkout-page.tsx'
import { chromiumOnPath, openBrowser, seriousFindings } from '../../support/browser.ts'
import { sampleStates, sampleView } from './sample-view.ts'

// npx tsx test/web/checkout/screenshot-states.ts [--only paid]: renders every state of the payer's page in both themes, on
// a phone and a desk, and in Chinese, into test-screenshots/, to be looked at. Ends with 1 when axe has a serious finding.
const { values } = parseArgs({ options: { only: { type: 'string' } } })
const folder = join(import.meta.dirname, '../../../test-screenshots')
const accent = '#7a3ff2'
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'"

const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } }

if (!chromiumOnPath()) throw new Error('chromium is not on the PATH: apt-get install chromium fonts-noto-cjk')
await mkdir(folder, { recursive: true })
const server = createServer((request, response) => {
  const url = new URL(request.url!, 'http://x')
  const asset = checkoutAssets.find(({ path }) => path === url.pathname)
  response.setHeader('content-security-policy', policy)
  if (asset) return response.setHeader('content-type', asset.contentType).end(asset.bytes)
  if (url.pathname.endsWith('/accent.css'))
    return response.setHeader('content-type', 'text/css').end(accentCss(accent))
  if (url.pathname.endsWith('/events')) return response.writeHead(503).end()
  response.setHeader('content-type', 'text/html; charset=utf-8')
  const locale = url.searchParams.get('lang') === 'zh' ? 'zh' : 'en'
  const state = url.searchParams.get('state')!
  if (state === 'problem') return response.end(renderProblem('not_found', locale))
  const view = sampleView({ ...sampleStates[state], locale })
  if (url.searchParams.has('accent')) view.merchant = { ...view.merchant, accent }
  response.end(renderCheckout(view))
})
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const browser = await openBrowser()
let isWhole = true
for (const state of [...Object.keys(sampleStates), 'accent', 'problem']) {
  if (values.only && values.only !== state) continue
  for (const [size, viewport] of Object.entries(sizes)) {
    for (const [colorScheme, lang] of [
      ['light', 'en'],
      ['dark', 'en'],
      ['light', 'zh'],
    ] as const) {
      const isPhone = size === 'phone'
      const context = await browser.newContext({
        viewport,
        colorScheme,
        hasTouch: isPhone,
        isMobile: isPhone,
        timezoneId: 'Asia/Shanghai',
      })
      const page = await context.newPage()
      const errors: string[] = []
      page.on('pageerror', error => errors.push(`${error}`))
      page.on('console', message => {
        // The stream is refused here, and the browser says so.
        if (message.type() === 'error' && !message.text().includes('503')) errors.push(message.text())
      })
      const query = state === 'accent' ? 'state=waiting&accent' : `state=${state}`
      await page.goto(`${origin}/pay/x?${query}&lang=${lang}`)
      const name = [state, size, colorScheme, lang].join('-')
      // Not `fullPage`: while it resizes, Chromium takes the phone for a desk with a mouse.
      const height = await page.evaluate(() => document.documentElement.scrollHeight)
      await page.setViewportSize({ ...viewport, height: Math.max(height, viewport.height) })
      await page.screenshot({ path: join(folder, `${name}.png`) })
      const findings = await seriousFindings(page)
      if (findings.length + errors.length > 0) isWhole = false
      const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
      if (isWide) isWhole = false
      if (isWide) errors.push('wider than the window')
      for (const fault of [...findings, ...errors]) console.log(name, fault)
      await context.close()
    }
  }
}
await browser.close()
server.close()
console.log(`screenshots are in ${folder}`)
process.exitCode = isWhole ? 0 : 1
