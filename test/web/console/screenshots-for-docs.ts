import { join } from 'node:path'
import { newContext, openBrowser } from '../../support/browser.ts'

// npx tsx test/web/console/screenshots-for-docs.ts LINK: draws the pictures of docs/console.md from a running demo, whose console
// link LINK is. Let the demo run for two minutes first.
const folder = join(import.meta.dirname, '../../../docs/images')
const [link] = process.argv.slice(2)
if (!link) throw new Error('the link that the demo printed for its console is missing')
const { origin } = new URL(link)
const password = 'a password of the demo'

const browser = await openBrowser()
const joining = await newContext(browser, { viewport: { width: 1280, height: 800 } })
const form = await joining.newPage()
await form.goto(link)
for (const [name, value] of Object.entries({ name: 'Ada Lovelace', password, again: password }))
  await form.fill(`[name=${name}]`, value)
await Promise.all([form.waitForURL(url => url.pathname === '/console'), form.keyboard.press('Enter')])
const storageState = await joining.storageState()

/** An order whose endpoint failed and recovered. */
const order = async () => {
  await form.goto(`${origin}/console/search?q=shop-1011`)
  return new URL(form.url()).pathname
}
const pictures = [
  ['order', await order(), 'light'],
  ['overview', '/console', 'dark'],
] as const
for (const [name, path, colorScheme] of pictures) {
  const context = await newContext(browser, {
    ...{ viewport: { width: 1280, height: 860 }, colorScheme, storageState, timezoneId: 'UTC' },
  })
  const page = await context.newPage()
  await page.goto(origin + path)
  await page.screenshot({ path: join(folder, `console-${name}-${colorScheme}.png`) })
}
await browser.close()
