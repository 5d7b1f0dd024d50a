import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Page } from 'playwright-core'
import { raiseAlarm } from '../../../src/alarms/alarm-store.ts'
import { reportProcess } from '../../../src/alarms/process-store.ts'
import { addNodeCalls, writeNodes } from '../../../src/blocks/node-store.ts'
import { takeLease } from '../../../src/blocks/watcher-lease-store.ts'
import { followChain, testXpub } from '../../support/api-under-test.ts'
import { chromiumOnPath, seriousFindings } from '../../support/browser.ts'
import { openConsoleInBrowser } from '../../support/console-in-browser.ts'
import { findOrInstall } from '../../support/programs.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

if (!chromiumOnPath()) findOrInstall('chromium', 'chromium')
const skip = chromiumOnPath() ? false : 'chromium is not on the PATH'

suite("the admin's pages in a browser", { skip }, async () => {
  const center = skip ? null! : await openConsoleInBrowser()
  if (!skip) await seed()

  async function seed() {
    const { pool } = center
    await followChain(pool)
    await takeLease(pool, 'watcher-7', 60_000)
    const shop = await seedMerchant(pool, { name: 'Great Shop', callbackUrl: 'https://shop.example/cb' })
    await seedCallbacks(pool, [{ merchant: shop, amount: 1_500_000_000n }, { merchant: shop }])
    const node = { transport: 'http', until: null, quota: 100_000, solidHeight: 70_000_123 } as const
    await writeNodes(pool, [
      { ...node, node: 'api.trongrid.io', host: 'api.trongrid.io', state: 'ok', why: '' },
      {
        ...{
          ...node,
          node: 'node.example',
          host: 'node.example',
          solidHeight: 70_000_100,
          state: 'distrusted',
        },
        why: 'it gave another block at height 70000090 than two other nodes did',
      },
    ])
    const day = new Date().toISOString().slice(0, 10)
    await addNodeCalls(pool, [{ node: 'api.trongrid.io', day, calls: 61_920 }])
    await raiseAlarm(pool, { name: 'disagreement', by: 'watcher', count: 1, detail: { height: 70_000_090 } })
    await reportProcess(pool, { id: 'one 17 a1b2', roles: ['api', 'watcher'], why: null, version: '0.1.0' })
    await reportProcess(pool, {
      ...{ id: 'two 23 c3d4', roles: ['courier'], version: '0.1.0' },
      why: 'Redis cannot be reached: connect ECONNREFUSED 10.0.0.7:6379',
    })
    await pool.query(
      `insert into job (kind, subject, started_by, started_at, done, total, seen_at, ended_at, problem)
       values ('rescan', 'blocks 69000000 to 69400000', 'alice', now() - interval '10 minutes', 100000, 400000, now(), null, null),
              ('import_from_block', 'address TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', 'bob', now() - interval '1 hour', 5, 9, now(), now(), 'it broke')`,
    )
  }

  const look = async (page: Page, name: string) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(wide <= 0, `${name} is ${wide} px too wide`)
    assert.deepEqual(await seriousFindings(page), [], name)
  }

  test('an admin finds what is wrong, and adds, renames, disables and enables a merchant by keyboard', async () => {
    const { page, context, faults } = await center.openAs(center.admin, { bypassCSP: true })
    const heading = () => page.locator('h1').innerText()
    await page.goto(`${center.siteUrl}/console`)
    await page.getByRole('link', { name: /disagreement/ }).press('Enter')
    await page.waitForURL(/\/console\/system#alarms$/)
    await page.getByRole('link', { name: 'disagreement: What to do' }).press('Enter')
    await page.waitForURL(/\/system\/alarms\/disagreement$/)
    assert.match(await page.locator('main').innerText(), /It is raised\.[\s\S]*70000090/)
    await page.getByRole('link', { name: 'Alarms that are raised' }).press('Enter')
    await page.waitForURL(/\/console\/system#alarms$/)
    assert.match(await page.locator('#processes').innerText(), /no process worked as: courier/)

    await center.confirmed(center.admin)
    await page.goto(`${center.siteUrl}/console/merchants/add`)
    await page.locator('[name=name]').focus()
    await page.keyboard.type('Second Shop')
    await page.keyboard.press('Tab')
    await page.keyboard.type(testXpub)
    await page.getByRole('button', { name: 'Add a merchant' }).press('Enter')
    await page.getByText('It could not be checked').waitFor()
    await page.getByLabel(/although nobody could say/).press('Space')
    await page.getByRole('button', { name: 'Add a merchant' }).press('Enter')
    await page.getByText('are shown only now').waitFor()
    const secret = await page.getByText(/^whsec_/).innerText()

    await page.goto(`${center.siteUrl}/console/merchants?find=Second`)
    await page.getByRole('link', { name: 'Change: Second Shop' }).press('Enter')
    await page.waitForURL(/\/merchants\/of\//)
    assert(!(await page.content()).includes(secret.replace(/\s/g, '')))
    await page.locator('[name=name]').fill('Third Shop')
    await page.locator('[name=name]').press('Enter')
    await page.waitForURL(/done=renamed/)
    assert.equal(await heading(), 'Third Shop')

    page.on('dialog', dialog => dialog.accept())
    await page.getByLabel('Reason').fill('fraud is suspected')
    await page.getByRole('button', { name: 'Disable' }).press('Enter')
    await page.waitForURL(/done=disabled/)
    await page.getByLabel('Reason').fill('it was not')
    await page.getByRole('button', { name: 'Enable' }).press('Enter')
    await page.waitForURL(/done=enabled/)
    assert.deepEqual(faults, [])
    await context.close()
  })

  for (const [what, options, lang] of [
    ['light-1440', { viewport: { width: 1440, height: 900 } }, 'en'],
    ['dark-390', { colorScheme: 'dark', viewport: { width: 390, height: 844 } }, 'en'],
    ['zh-390', { viewport: { width: 390, height: 844 } }, 'zh'],
  ] as const) {
    test(`each page of the admin's fits, and can be read: ${what}`, async () => {
      const { page, context } = await center.openAs(center.admin, { bypassCSP: true, ...options })
      await center.confirmed(center.admin)
      const { rows } = await center.pool.query(`select appid from merchant where name = 'Great Shop'`)
      for (const [name, path] of [
        ['merchants', '/merchants'],
        ['merchant-add', '/merchants/add'],
        ['merchant', `/merchants/of/${rows[0].appid}`],
        ['nodes', '/nodes'],
        ['system', '/system'],
        ['alarm', '/system/alarms/disagreement'],
      ]) {
        await page.goto(`${center.siteUrl}/console${path}?lang=${lang}`)
        assert.equal(await page.locator('h1').count(), 1)
        await look(page, `${name}-${what}`)
      }
      await context.close()
    })
  }
})
