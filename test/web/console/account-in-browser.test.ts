import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Page } from 'playwright-core'
import { invitationPath } from '../../../src/people/invitation-store.ts'
import { invitePerson } from '../../../src/people/invite-person.ts'
import { chromiumOnPath, readQr, seriousFindings } from '../../support/browser.ts'
import { openConsoleInBrowser } from '../../support/console-in-browser.ts'
import { testPassword } from '../../support/console-under-test.ts'
import { codeOf } from '../../support/one-time-codes.ts'
import { findOrInstall } from '../../support/programs.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

if (!chromiumOnPath()) findOrInstall('chromium', 'chromium')
const skip = chromiumOnPath() ? false : 'chromium is not on the PATH'

suite('accounts and people in a browser', { skip }, async () => {
  const center = skip ? null! : await openConsoleInBrowser()
  const shop = skip ? null! : await seedMerchant(center.pool, { name: 'Blue shop' })
  const at = (path: string) => center.siteUrl + path

  /** Presses Tab until the focus is where it should be. */
  async function tabTo(page: Page, selector: string) {
    for (let presses = 0; presses < 80; presses++) {
      await page.keyboard.press('Tab')
      if (await page.evaluate(it => document.activeElement?.matches(it) ?? false, selector)) return
    }
    assert.fail(`the keyboard does not reach ${selector} on ${page.url()}`)
  }
  const pathOf = (page: Page) => new URL(page.url()).pathname
  async function goes(page: Page, path: string, what: () => Promise<unknown>) {
    await Promise.all([page.waitForURL(url => url.pathname === path), what()])
  }

  test('by keyboard alone: invited, a password, one-time codes, out, and in again with a code', async () => {
    const to = { merchantId: shop.id, appid: shop.appid, role: 'owner' } as const
    const { token } = await invitePerson(center.pool, 'ada@example.com', to, { actor: 'test' })
    const { page, faults } = await center.open()
    const enter = () => page.keyboard.press('Enter')
    await page.goto(at(invitationPath(token!)))
    await tabTo(page, '[name=name]')
    await page.keyboard.type('Ada Lovelace')
    await tabTo(page, '[name=password]')
    await page.keyboard.type(testPassword)
    await tabTo(page, '[name=again]')
    await page.keyboard.type(testPassword)
    await goes(page, '/console', enter)
    await page.goto(at('/console/people'))
    await tabTo(page, 'a[href^="/console/account"]')
    await goes(page, '/console/account', enter)
    await tabTo(page, 'a[href="/console/account/codes"]')
    await goes(page, '/console/account/codes', enter)
    await tabTo(page, 'main button')
    await Promise.all([page.waitForSelector('.qr svg'), enter()])
    const secret = (await page.locator('main code').innerText()).replaceAll(' ', '')
    assert.match(await readQr(page), new RegExp(`^otpauth://totp/.*secret=${secret}`))
    await page.keyboard.type(codeOf(secret))
    await Promise.all([page.waitForSelector('ol.secret'), enter()])
    assert.equal(await page.locator('ol.secret li').count(), 10)
    await tabTo(page, 'main a.button')
    await goes(page, '/console/account', enter)
    await tabTo(page, 'form[action="/console/sign-out"] button')
    await goes(page, '/console/sign-in', enter)
    // The focus is in the first field.
    await page.keyboard.type('ada@example.com')
    await tabTo(page, '[name=password]')
    await page.keyboard.type(testPassword)
    await goes(page, '/console/sign-in/code', enter)
    // Of the next step: the one of this step was used.
    await page.keyboard.type(codeOf(secret, 1))
    await goes(page, '/console', enter)
    assert.deepEqual(faults, [])
  })

  test('a passkey: added, used to sign in, and to confirm', async () => {
    const user = await center.addPerson('key@example.com', { roles: [[shop, 'owner']] })
    const { page, context, faults } = await center.openAs(user)
    const devtools = await context.newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified: true, automaticPresenceSimulation: true },
      },
    })
    await page.goto(at('/console/account/passkeys/new'))
    await page.fill('[name=name]', 'laptop')
    await goes(page, '/console/account/factors', () => page.click('[data-passkey] button'))
    assert.match(await page.locator('main').innerText(), /laptop/)
    // The same device once more: the browser says no, and the page says that.
    await page.goto(at('/console/account/passkeys/new'))
    await page.fill('[name=name]', 'again')
    await page.click('[data-passkey] button')
    await page.waitForFunction(() => document.querySelector('[data-failed]')?.textContent !== '')
    await page.goto(at('/console/account'))
    await goes(page, '/console/sign-in', () => page.click('form[action="/console/sign-out"] button'))
    await center.signIn(page, user)
    assert.equal(pathOf(page), '/console/sign-in/code')
    await goes(page, '/console', () => page.click('[data-passkey] button'))
    await center.pool.query(
      `update console_session set second_factor_at = now() - interval '1 hour' where user_id = $1`,
      [user.id],
    )
    await page.goto(at('/console/people/new'))
    assert.equal(pathOf(page), '/console/confirm')
    await goes(page, '/console/people/new', () => page.click('[data-passkey] button'))
    assert.deepEqual(faults, [])
  })

  test('a session that is ended from another browser is over at the next click, and goes on where it was', async () => {
    const user = await center.addPerson('two@example.com', { roles: [[shop, 'owner']] })
    const lost = await center.openAs(user, { userAgent: 'Lost telephone' })
    const kept = await center.openAs(user)
    await lost.page.goto(at('/console/account'))
    await kept.page.goto(at('/console/account'))
    const row = kept.page.locator('tr', { hasText: 'Lost telephone' })
    await Promise.all([kept.page.waitForURL(/done=ended/), row.locator('button').click()])
    await goes(lost.page, '/console/sign-in', () => lost.page.click('a[href="/console/account/password"]'))
    await lost.page.fill('[name=email]', user.email)
    await lost.page.fill('[name=password]', testPassword)
    await goes(lost.page, '/console/account/password', () => lost.page.press('[name=password]', 'Enter'))
    await kept.page.reload()
    assert.equal(pathOf(kept.page), '/console/account')
    // What the browser's module sends is over as well.
    await lost.page.goto(at('/console/account/passkeys/new'))
    await lost.page.fill('[name=name]', 'laptop')
    await center.pool.query(`update console_session set ended_at = now() where user_id = $1`, [user.id])
    await goes(lost.page, '/console/sign-in', () => lost.page.click('[data-passkey] button'))
  })

  for (const [name, options, locale] of [
    ['on a telephone, dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }, 'en'],
    ['in Chinese', { viewport: { width: 1440, height: 900 }, locale: 'zh-CN' }, 'zh'],
    ['in Chinese on a telephone', { viewport: { width: 390, height: 844 }, locale: 'zh-CN' }, 'zh'],
  ] as const) {
    test(`pages fit and have no serious finding: ${name}`, async () => {
      const user = await center.addPerson('looks@example.com', {
        ...{ roles: [[shop, 'owner']], name: 'Grace Hopper' },
      })
      const { page } = await center.open({ ...options, bypassCSP: true })
      const check = async (path: string) => {
        await page.goto(at(path))
        assert.equal(await page.locator('html').getAttribute('lang'), locale === 'zh' ? 'zh-CN' : 'en')
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        assert(wide <= 0, `${path} is ${wide} px too wide`)
        assert.deepEqual(await seriousFindings(page), [], path)
      }
      await check('/console/sign-in')
      await center.signIn(page, user)
      await center.confirmed(user)
      for (const path of [
        ...['/account', '/account/password', '/account/again', '/account/codes', '/account/passkeys/new'],
        ...['/account/factors', '/confirm', '/people', '/people/new', `/people/${user.id}`],
      ])
        await check(`/console${path}`)
      await page.goto(at('/console/account/codes'))
      await page.click('main button')
      await page.waitForSelector('.qr svg')
      assert.deepEqual(await seriousFindings(page), [])
    })
  }

  test('who changes the language stays on the page', async () => {
    const user = await center.addPerson('words@example.com', { roles: [[shop, 'owner']] })
    const { page } = await center.openAs(user)
    await page.goto(at('/console/account/password'))
    await page.click('form[action="/console/language"] button')
    await page.waitForSelector('html[lang=zh-CN]')
    assert.equal(pathOf(page), '/console/account/password')
  })

  test('a page is small', async () => {
    const user = await center.addPerson('small@example.com', { roles: [[shop, 'owner']] })
    const { page } = await center.openAs(user)
    let bytes = 0
    page.on('response', async response => {
      bytes += (await response.body()).length
    })
    await page.goto(at('/console/account'))
    await page.waitForLoadState('networkidle')
    assert(bytes > 0 && bytes < 50_000, `${bytes} bytes without compression`)
  })
})
