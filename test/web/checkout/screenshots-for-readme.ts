import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openBrowser } from '../../support/browser.ts'
import { servePages } from './page-server.ts'
import { sampleStates, sampleView } from './sample-view.ts'

// npx tsx test/web/checkout/screenshots-for-readme.ts: draws the two pictures of the payer's page that the README shows.
const folder = join(import.meta.dirname, '../../../docs/images')
const pictures = { light: 'waiting', dark: 'seen' } as const

const server = await servePages((query, locale) =>
  sampleView({ ...sampleStates[query.get('state')!], locale }),
)
const browser = await openBrowser()
await mkdir(folder, { recursive: true })
for (const colorScheme of ['light', 'dark'] as const) {
  const context = await browser.newContext({
    viewport: { width: 920, height: 700 },
    colorScheme,
    timezoneId: 'UTC',
  })
  const page = await context.newPage()
  await page.goto(`${server.origin}/pay/x?state=${pictures[colorScheme]}`)
  await page.screenshot({ path: join(folder, `payers-page-${colorScheme}.png`) })
}
await browser.close()
await server.close()
