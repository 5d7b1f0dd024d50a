import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import type { Page } from 'playwright-core'
import { inTransaction } from '../../../src/db/pool.ts'
import type { User } from '../../../src/people/user-store.ts'
import { chromiumOnPath, newContext, openBrowser } from '../../support/browser.ts'
import { seedOrder } from '../../support/seed.ts'
import { openMoneyShop } from './money/money-shop.ts'

// Two people of a merchant, each in a browser of their own, who have opened the same page and decide one after the other. Whoever
// comes second sees what became of it, and nothing is done twice.
const skip = chromiumOnPath() === null && 'chromium is not on the PATH'

suite('two people at once', { skip }, async () => {
  const shop = skip ? null! : await openMoneyShop({ PUBLIC_URL: 'http://localhost:1' })
  const browser = skip ? null! : await openBrowser()
  after(() => browser?.close())
  let origin = ''

  async function pageOf(user: User, { confirmed = false } = {}): Promise<Page> {
    if (origin === '') {
      await shop.app.listen({ port: 0, host: '127.0.0.1' })
      origin = `http://localhost:${(shop.app.server.address() as { port: number }).port}`
    }
    const { cookies } = await shop.signedIn(user, { confirmed })
    const context = await newContext(browser, { baseURL: origin, locale: 'en-US' })
    await context.addCookies([...cookies].map(([name, value]) => ({ name, value, url: origin })))
    const page = await context.newPage()
    page.on('dialog', dialog => dialog.accept())
    return page
  }

  test("an unclaimed transfer that both assign goes to the first one's order, once", async () => {
    const { pool, addPerson, u2, unclaimed, finance } = shop
    await seedOrder(pool, { addressId: u2.addressId, orderid: 'sh-3' })
    const second = await addPerson('gil@shop.example', { name: 'Gil', roles: [[shop.shop, 'finance']] })
    const pages = [await pageOf(finance), await pageOf(second)] as const
    for (const [i, page] of pages.entries()) {
      await page.goto(`/console/money/transfers/${unclaimed.transferId}`)
      await page.getByLabel('Order', { exact: true }).fill(`sh-${2 + i}`)
      await page.locator('#f-order-reason').fill('the payer wrote us')
    }
    const submit = (page: Page) => page.getByRole('button', { name: 'Credit it to this order' }).click()
    await submit(pages[0])
    await pages[0].getByText('The merchant is called back as usual.').waitFor()
    await submit(pages[1])
    await pages[1].getByText('Nothing was changed. What has become of it: Credited').waitFor()
    assert.equal(
      await pages[1].locator('form[action$="/assign"]').count(),
      0,
      'there is nothing to decide any more',
    )
    assert.match(await pages[1].locator('main').innerText(), /the payer wrote us \(Fin <fin@shop\.example>\)/)
    const { rows } = await pool.query(
      `select o.orderid, count(*)::int as credits from credit c join recharge_order o on o.id = c.order_id group by o.orderid`,
    )
    assert.deepEqual(rows, [{ orderid: 'sh-2', credits: 1 }])
    const assigned = await pool.query(`select actor from audit_event where action = 'transfer.assigned'`)
    assert.deepEqual(assigned.rows, [{ actor: 'Fin <fin@shop.example>' }])
  })

  test('a member whom both owners change is removed by the first, and the second is told', async () => {
    const { pool, addPerson, support } = shop
    const owners = [
      await addPerson('ann@shop.example', { name: 'Ann', roles: [[shop.shop, 'owner']] }),
      await addPerson('ben@shop.example', { name: 'Ben', roles: [[shop.shop, 'owner']] }),
    ] as const
    const [ann, ben] = [
      await pageOf(owners[0], { confirmed: true }),
      await pageOf(owners[1], { confirmed: true }),
    ]
    for (const page of [ann, ben]) await page.goto(`/console/people/${support.id}`)
    await ann.getByRole('button', { name: 'Remove from this merchant' }).click()
    await ann.getByText('Removed.').waitFor()
    await ben.getByLabel('Role').selectOption('owner')
    await ben.getByRole('button', { name: 'Change the role' }).click()
    await ben.getByRole('heading', { name: 'This person is not here any more' }).waitFor()
    const left = await pool.query(`select from membership where user_id = $1`, [support.id])
    assert.equal(left.rowCount, 0)
  })

  test('a form that is sent after its session was ended changes nothing, and says so', async () => {
    const { pool, addPerson } = shop
    const user = await addPerson('cat@shop.example', { name: 'Cat', roles: [[shop.shop, 'owner']] })
    const page = await pageOf(user, { confirmed: true })
    await page.goto('/console/people/new')
    await page.getByLabel('Mail address').fill('friend@shop.example')
    await inTransaction(pool, tx =>
      tx.query(`update console_session set ended_at = now() where user_id = $1`, [user.id]),
    )
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'You are not signed in any more' }).waitFor()
    await page.getByRole('link', { name: 'Sign in' }).click()
    await page.waitForURL(/sign-in\?next=%2Fconsole%2Fpeople%2Fnew/)
    const invited = await pool.query(`select from console_user where email = 'friend@shop.example'`)
    assert.equal(invited.rowCount, 0)
  })
})
