import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { BrowserContextOptions } from 'playwright-core'
import { raiseAlarm } from '../../../src/alarms/alarm-store.ts'
import { reportProcess } from '../../../src/alarms/process-store.ts'
import { addNodeCalls, writeNodes } from '../../../src/blocks/node-store.ts'
import { followChain, testXpub } from '../../support/api-under-test.ts'
import { chromiumOnPath, seriousFindings } from '../../support/browser.ts'
import { openConsoleInBrowser } from '../../support/console-in-browser.ts'
import { findOrInstall } from '../../support/programs.ts'
import { seedAddress, seedOrders } from '../../support/seed.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchants } from '../../support/seed-merchant.ts'
import { seedTransfers, seedWaiting } from '../../support/seed-transfer.ts'

if (!chromiumOnPath()) findOrInstall('chromium', 'chromium')
const skip = chromiumOnPath() ? false : 'chromium is not on the PATH'
/** Where pictures are put, to be looked at. */
const shots = process.env.SCREENSHOTS

suite('the overview and the pages of admins in a browser', { skip }, async () => {
  const center = skip ? null! : await openConsoleInBrowser({ TRON_NODES: 'https://node.example/key' })
  if (!skip) await seedBusyGateway()
  const at = (path: string) => center.siteUrl + path

  test('from the overview to a merchant that is added, renamed, disabled and looked at', async () => {
    const { page, faults } = await center.openAs(center.admin)
    await center.confirmed(center.admin)
    assert.equal(new URL(page.url()).pathname, '/console')
    await page.click('summary')
    assert.equal(await page.locator('details table tbody tr').count(), 31)
    await page.click('nav a[href="/console/merchants"]')
    await page.click('main a[href="/console/merchants/add"]')
    await page.fill('[name=name]', 'Browser shop')
    await page.fill('[name=xpub]', testXpub)
    await page.click('main form button')
    // No node answers at that name.
    await page.check('[name=unchecked]', { timeout: 15_000 })
    await page.click('main form button')
    await page.waitForSelector('.secret', { timeout: 15_000 })
    assert.match(await page.innerText('.secret'), /whsec_/)
    await page.click('main a.button >> nth=0')
    assert.match(page.url(), /\?merchant=\w{16}$/)
    await page.click('.end-of-top a[href="/console"]')
    await page.click('nav a[href="/console/merchants"]')
    await page.click('[aria-label="Change: Browser shop"]')
    await page.fill('[name=name]', 'Renamed shop')
    await page.click('button:text-is("Rename")')
    await page.waitForSelector('[role=status]')
    assert.equal(await page.innerText('h1'), 'Renamed shop')
    page.once('dialog', dialog => dialog.accept())
    await page.fill('[name=reason]', 'they have closed')
    await page.click('button:text-is("Disable")')
    await page.waitForSelector('button:text-is("Enable")')
    await page.click('nav a[href="/console/system"]')
    await page.click('#alarms a[href$="/alarms/lag"]')
    assert.match(await page.innerText('main'), /blocks behind the solidified head/)
    assert.deepEqual(faults, [])
  })

  const looks: [string, BrowserContextOptions][] = [
    ['light-1440', { viewport: { width: 1440, height: 900 } }],
    ['dark-1440', { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' }],
    ['dark-390', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
    ['zh-390', { viewport: { width: 390, height: 844 }, locale: 'zh-CN' }],
  ]
  for (const [look, options] of looks) {
    test(`every page fits and is accessible: ${look}`, async () => {
      const { page, faults } = await center.openAs(center.admin, { ...options, bypassCSP: true })
      await center.confirmed(center.admin)
      for (const [name, path] of [
        ['overview', ''],
        ['merchants', '/merchants'],
        ['add', '/merchants/add'],
        ['merchant', '/merchants/of/BusyShop00000000'],
        ['nodes', '/nodes'],
        ['system', '/system'],
        ['alarm', '/system/alarms/lag'],
        ['overview-of-one', '?merchant=BusyShop00000000'],
      ] as const) {
        await page.goto(at(`/console${path}`))
        if (look.startsWith('zh')) assert.match(await page.innerText('h1'), /\p{Script=Han}|Busy/u)
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        assert(wide <= 0, `${name} is ${wide} px too wide`)
        if (shots) await page.screenshot({ path: `${shots}/${name}-${look}.png`, fullPage: true })
        assert.deepEqual(await seriousFindings(page), [], name)
      }
      assert.deepEqual(faults, [])
    })
  }

  async function seedBusyGateway() {
    const { pool } = center
    await followChain(pool)
    const shops = await seedMerchants(
      pool,
      ['Busy shop', 'Quiet shop', 'A merchant with a rather long name, as some have'].map((name, i) => ({
        ...{ name, appid: `BusyShop0000000${i}`, callbackUrl: 'https://shop.example/cb' },
      })),
    )
    const { addressId } = await seedAddress(pool, { merchantId: shops[0]!.id, localusermark: 'u1' })
    const dayMs = 86_400_000
    await seedTransfers(
      pool,
      Array.from({ length: 29 }, (_, i) => ({
        addressId,
        amount: BigInt(1 + ((i * 37) % 29)) * 1_234_567_800n,
        blockTime: new Date(Date.now() - i * dayMs),
      })),
    )
    const callbacks = await seedCallbacks(
      pool,
      Array.from({ length: 29 }, (_, i) => ({
        merchant: shops[0]!,
        amount: BigInt(1 + ((i * 37) % 29)) * 1_000_000_000n,
      })),
    )
    // What a callback announces never changes; here its day does.
    await pool.query(`alter table callback disable trigger user`)
    await pool.query(
      `update callback c
          set created_at = now() - (n % 28) * interval '1 day', attempts = 1,
              delivered_at = case when n > 3 then now() - (n % 28) * interval '1 day' + interval '900 milliseconds' end,
              exhausted_at = case when n <= 2 then now() end
         from unnest($1::bigint[]) with ordinality u (id, n)
        where c.id = u.id`,
      [callbacks.map(({ callbackId }) => callbackId)],
    )
    await pool.query(`alter table callback enable trigger user`)
    await pool.query(
      `delete from callback_outbox b using callback c
        where c.id = b.callback_id and (c.delivered_at is not null or c.exhausted_at is not null)`,
    )
    await pool.query(`update callback_outbox set due_at = now() - interval '5 hours'`)
    await seedOrders(
      pool,
      [0n, 1n, 3n, 3n, 9n].map(received => ({ addressId, amount: 3n, received })),
    )
    for (const reason of ['unclaimed', 'held', 'quarantined'])
      await seedWaiting(pool, { addressId, reason, amount: 12_000_000n })
    for (const name of ['lag', 'discrepancy'] as const)
      await raiseAlarm(pool, { name, by: 'watcher', count: 1, detail: { blocks_behind: 77 } })
    const node = { transport: 'http', until: null, quota: 100_000, host: 'api.trongrid.io' } as const
    await writeNodes(pool, [
      { ...node, node: 'api.trongrid.io', state: 'ok', why: '', solidHeight: 70_000_000 },
      {
        ...{ ...node, node: 'node.example:8091', solidHeight: 69_999_000, quota: null },
        ...{ state: 'distrusted', why: 'it showed block 69999001 differently from two others' },
      },
    ])
    const day = (ago: number) => new Date(Date.now() - ago * dayMs).toISOString().slice(0, 10)
    await addNodeCalls(
      pool,
      Array.from({ length: 14 }, (_, i) => ({
        ...{ node: 'api.trongrid.io', day: day(i), calls: 50_000 + ((i * 7919) % 20_000) },
      })),
    )
    const running = { id: 'gateway-1 17 ab12cd34', roles: ['api', 'watcher', 'courier'], version: '0.1.0' }
    await reportProcess(pool, { ...running, why: null })
    await pool.query(
      `insert into job (kind, subject, started_by, started_at, done, total, ended_at)
       values ('rescan', 'blocks 69000000 to 69010000', 'command line alice@host', now() - interval '3 minutes', 4711, 10001, null),
              ('resend', 'merchant BusyShop00000000', 'Ada <ada@example.com>', now() - interval '1 day', 12, 12, now() - interval '1 day')`,
    )
  }
})
