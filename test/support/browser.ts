import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { decodeQR } from 'qr/decode.js'

/** @returns the path of Debian's Chromium, or of a Chrome; null when none is on the PATH. */
export function chromiumOnPath(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  return names.flatMap(name => folders.map(folder => join(folder, name))).find(existsSync) ?? null
}

/** Starts the browser that is on the PATH. Its sandbox does not work for root, as whom tests often run. */
export function openBrowser(): Promise<Browser> {
  const executablePath = chromiumOnPath()
  if (!executablePath) throw new Error('chromium is not on the PATH')
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

/** Opens a context whose pages can run functions of a test: tsx compiles them to code that calls its own `__name`. */
export async function newContext(browser: Browser, options: BrowserContextOptions): Promise<BrowserContext> {
  const context = await browser.newContext(options)
  await context.addInitScript('globalThis.__name = value => value')
  return context
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** @returns what axe-core finds serious or critical in a page, each as a rule and the elements; the page must bypass its CSP. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() =>
    // biome-ignore lint/suspicious/noExplicitAny: axe puts itself on the window.
    (globalThis as any).axe.run(),
  )
  return (
    violations as {
      id: string
      impact: string
      nodes: { html: string; failureSummary: string }[]
    }[]
  )
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(node => `${node.html} ${node.failureSummary}`).join(' | ')}`)
}

/** Reads the QR code that the page shows, from the pixels of a screenshot. */
export async function readQr(page: Page): Promise<string> {
  const png = await page.locator('.qr svg').screenshot()
  const { width, height, data } = await page.evaluate(async base64 => {
    const image = new Image()
    image.src = `data:image/png;base64,${base64}`
    await image.decode()
    const canvas = new OffscreenCanvas(image.width, image.height)
    const drawing = canvas.getContext('2d')!
    drawing.drawImage(image, 0, 0)
    const pixels = drawing.getImageData(0, 0, image.width, image.height)
    return { width: image.width, height: image.height, data: [...pixels.data] }
  }, png.toString('base64'))
  return decodeQR({ width, height, data: Uint8Array.from(data) })
}
