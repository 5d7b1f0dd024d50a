import { after } from 'node:test'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { freePort } from '../../src/demo/embedded-database.ts'
import type { User } from '../../src/people/user-store.ts'
import { newContext, openBrowser } from './browser.ts'
import { openConsoleUnderTest, testPassword } from './console-under-test.ts'

/** The console where a real browser reaches it: on http://localhost, where browsers have passkeys, too. */
export async function openConsoleInBrowser(settings: Record<string, string> = {}) {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const center = await openConsoleUnderTest({ TRON_NETWORK: 'sandbox', ...settings, PUBLIC_URL: url })
  await center.app.listen({ port, host: 'localhost' })
  const browser: Browser = await openBrowser()
  after(() => browser.close())

  /** Opens a browser of somebody's own. What its pages did wrong is in `faults`. */
  const open = async (options: BrowserContextOptions = {}) => {
    const context: BrowserContext = await newContext(browser, { locale: 'en-US', ...options })
    const page = await context.newPage()
    const faults: string[] = []
    page.on('pageerror', error => faults.push(`${error}`))
    page.on('requestfinished', request => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) faults.push(request.url())
    })
    return { context, page, faults }
  }

  /** Opens one in which somebody has signed in. */
  const openAs = async (user: User, options: BrowserContextOptions = {}) => {
    const opened = await open(options)
    await signIn(opened.page, user)
    return opened
  }

  const signIn = async (page: Page, { email }: Pick<User, 'email'>) => {
    await page.goto(`${url}/console/sign-in`)
    await page.fill('[name=email]', email)
    await page.fill('[name=password]', testPassword)
    await page.press('[name=password]', 'Enter')
    await page.waitForURL(to => to.pathname !== '/console/sign-in')
  }

  /** Somebody's second factor was given just now. */
  const confirmed = (user: User) =>
    center.pool.query(`update console_session set second_factor_at = now() where user_id = $1`, [user.id])

  return { ...center, siteUrl: url, open, openAs, signIn, confirmed }
}
