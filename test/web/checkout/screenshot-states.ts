import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { renderProblem } from '../../../src/web/checkout/checkout-page.tsx'
import { openBrowser, seriousFindings } from '../../support/browser.ts'
import { servePages } from './page-server.ts'
import { sampleStates, sampleView } from './sample-view.ts'

// npx tsx test/web/checkout/screenshot-states.ts [--only paid]: renders every state of the payer's page in both themes, on
// a phone and a desk, and in Chinese, into test-screenshots/, to be looked at. Ends with 1 when axe has a serious finding,
// when the browser reports an error, or when a page is wider than its window.
const { values } = parseArgs({ options: { only: { type: 'string' } } })
const folder = join(import.meta.dirname, '../../../test-screenshots')
const states = [...Object.keys(sampleStates), 'accent', 'problem']
const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } }
const looks = [
  ['light', 'en'],
  ['dark', 'en'],
  ['light', 'zh'],
] as const

const server = await servePages((query, locale) => {
  const state = query.get('state')!
  if (state === 'problem') return renderProblem('not_found', locale)
  const view = sampleView({ ...sampleStates[state], locale })
  return state === 'accent' ? { ...view, merchant: { ...view.merchant, accent: '#7a3ff2' } } : view
})
const browser = await openBrowser()
await mkdir(folder, { recursive: true })
for (const state of states.filter(name => !values.only || values.only === name)) {
  for (const size of ['phone', 'desk'] as const) {
    for (const [colorScheme, lang] of looks) await shoot(state, size, colorScheme, lang)
  }
}
await browser.close()
await server.close()
console.log(`screenshots are in ${folder}`)

async function shoot(state: string, size: keyof typeof sizes, colorScheme: 'light' | 'dark', lang: string) {
  const viewport = sizes[size]
  const isPhone = size === 'phone'
  const context = await browser.newContext({
    viewport,
    colorScheme,
    hasTouch: isPhone,
    isMobile: isPhone,
    timezoneId: 'Asia/Shanghai',
  })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', error => faults.push(`${error}`))
  page.on('console', message => message.type() === 'error' && faults.push(message.text()))
  await page.goto(`${server.origin}/pay/x?state=${state}&lang=${lang}`)
  const name = [state, size, colorScheme, lang].join('-')
  // Not `fullPage`: while it resizes, Chromium takes the phone for a desk with a mouse.
  const height = await page.evaluate(() => document.documentElement.scrollHeight)
  await page.setViewportSize({ ...viewport, height: Math.max(height, viewport.height) })
  await page.screenshot({ path: join(folder, `${name}.png`) })
  faults.push(...(await seriousFindings(page)))
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
  if (isWide) faults.push('wider than the window')
  for (const fault of faults) console.log(name, fault)
  if (faults.length > 0) process.exitCode = 1
  await context.close()
}
