import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordAudit } from '../../../src/db/audit-store.ts'
import { inTransaction } from '../../../src/db/pool.ts'
import { tamper } from '../../audit/audited-database.ts'
import { openConsoleUnderTest } from '../../support/console-under-test.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

const center = await openConsoleUnderTest()
const { pool, addPerson, signedIn } = center
const shop = await seedMerchant(pool, { appid: 'Shop1Shop1Shop1S', name: 'Shop' })
const other = await seedMerchant(pool, { appid: 'Other0therOther1', name: 'Other' })
const owner = await addPerson('olga@example.com', { roles: [[shop, 'owner']], name: 'Olga' })
const admin = await signedIn(center.admin)
const visit = await signedIn(owner)

const record = (event: Partial<Parameters<typeof recordAudit>[1]>) =>
  inTransaction(pool, tx =>
    recordAudit(tx, { actor: 'command line carol', action: 'merchant.set', subject: 'x', ...event }),
  )
await record({
  subject: `merchant ${shop.appid}`,
  merchantId: shop.id,
  reason: 'asked for by <b>mail</b>',
  detail: { always200: true },
})
await record({ subject: `merchant ${other.appid}`, merchantId: other.id, reason: 'a secret of the others' })
await record({
  ...{ actor: 'Olga <olga@example.com>', action: 'merchant.renamed', subject: `merchant ${shop.appid}` },
  ...{ merchantId: shop.id, address: '203.0.113.7' },
})
await record({
  ...{ actor: 'Root <root@example.com>', action: 'held.rejected', subject: 'transfer 7', reason: 'made up' },
  ...{ merchantId: shop.id, address: '198.51.100.9', detail: { nodes: 'node.example has it not' } },
})

test('an admin sees every event with who, what, why and from where, and that it fits the one before it', async () => {
  const { status, text } = await admin.get('/console/audit')
  assert.equal(status, 200)
  for (const shown of [
    ...['audit.began', 'command line carol', 'asked for by &lt;b>mail&lt;/b>', 'a secret of the others'],
    ...['198.51.100.9', '203.0.113.7', 'node.example has it not', 'Root &lt;root@example.com>', shop.appid],
  ])
    assert(text.includes(shown), shown)
  assert(!text.includes('does not fit'))
  assert.match(text, / fits</)
})

test("a merchant's owner sees its events alone, and not from where an admin came or what the nodes said", async () => {
  const { status, text } = await visit.get('/console/audit')
  assert.equal(status, 200)
  for (const shown of ['asked for by', 'held.rejected', 'made up', '203.0.113.7', 'always200'])
    assert(text.includes(shown), shown)
  for (const hidden of ['audit.began', 'a secret of the others', '198.51.100.9', 'node.example', other.appid])
    assert(!text.includes(hidden), hidden)
  assert(!text.includes('/console/audit/chain'))
  const csv = await visit.get('/console/audit.csv')
  assert.equal(csv.text.trim().split('\r\n').length, 4)
  for (const hidden of ['audit.began', 'a secret of the others', '198.51.100.9', 'node.example'])
    assert(!csv.text.includes(hidden), hidden)
  assert.equal((await visit.get('/console/audit/chain')).status, 404)
  assert.equal((await visit.get(`/console/audit?merchant=${other.appid}`)).status, 404)
})

test('who may not see the audit finds nothing there', async () => {
  for (const role of ['developer', 'finance', 'support'] as const) {
    const one = await signedIn(await addPerson(`${role}@example.com`, { roles: [[shop, role]] }))
    for (const path of ['/console/audit', '/console/audit.csv', '/console/audit/chain'])
      assert.equal((await one.get(path)).status, 404, `${role} ${path}`)
  }
})

test('filters stand in the address, and a wrong day is said beside its field', async () => {
  const by = await admin.get('/console/audit?actor=Olga+%3Colga%40example.com%3E')
  assert.match(by.text, /merchant\.renamed/)
  assert(!by.text.includes('held.rejected'))
  const of = await admin.get('/console/audit?action=held.rejected')
  assert(of.text.includes('made up') && !of.text.includes('merchant.renamed'))
  const today = new Date().toISOString().slice(0, 10)
  assert.match((await admin.get(`/console/audit?from=${today}&to=${today}`)).text, /held\.rejected/)
  const long = await admin.get('/console/audit?to=2020-01-01')
  assert.match(long.text, /Nothing fits/)
  for (const day of ['2026-02-30', 'yesterday', '2026-1-1']) {
    const wrong = await admin.get(`/console/audit?from=${day}`)
    assert.equal(wrong.status, 400)
    assert.match(wrong.text, /aria-invalid/)
  }
  const ofShop = await admin.get(`/console/audit?merchant=${shop.appid}`)
  assert(ofShop.text.includes('held.rejected') && !ofShop.text.includes('a secret of the others'))
})

test('pages lead to older events, each shown once, and the file has all of them', async () => {
  for (let n = 0; n < 120; n++) await record({ action: 'page.turned', subject: `leaf ${n}.` })
  const seen: string[] = []
  let path: string | undefined = '/console/audit?action=page.turned'
  while (path) {
    const { text } = await admin.get(path)
    seen.push(...[...text.matchAll(/leaf (\d+)\./g)].map(([, n]) => n!))
    path = /rel="next" href="([^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&')
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 120 }, (_, n) => `${119 - n}`),
  )
  const csv = await admin.get('/console/audit.csv?action=page.turned')
  assert.match(`${csv.headers['content-disposition']}`, /audit\.csv/)
  assert.equal(csv.text.match(/leaf \d+\./g)?.length, 120)
  assert.match(csv.text, /^\ufeffdone_local,done_utc,actor,action,/)
  const east = await admin.get('/console/audit.csv?action=page.turned&zone=Asia/Tokyo')
  const [, local, utc] = /\r\n([-\d]+ [:\d]+),([-\dT:]+Z),/.exec(east.text)!
  assert.equal(Date.parse(`${local!.replace(' ', 'T')}Z`) - Date.parse(utc!), 9 * 3_600_000)
})

test('the page is in Chinese as well', async () => {
  const { text } = await admin.get('/console/audit?lang=zh')
  assert.match(text, /审计记录/)
  assert.match((await admin.get('/console/audit/chain?lang=zh')).text, /审计哈希链/)
})

test('the chain is checked as a whole, and an event that was changed is shown where it stands', async () => {
  const whole = await admin.get('/console/audit/chain')
  const { rows } = await pool.query(`select chain_position, encode(hash, 'hex') as hash from audit_chain`)
  assert.match(whole.text, />Whole</)
  assert(whole.text.includes(rows[0].hash))
  assert(whole.text.includes(`events 1 to ${rows[0].chain_position}`))
  await tamper(pool, `update audit_event set actor = 'command line you' where subject = 'leaf 60.'`)
  const broken = await admin.get('/console/audit/chain')
  assert.match(broken.text, />Not whole</)
  const found = await pool.query(`select id, chain_position from audit_event where subject = 'leaf 60.'`)
  const { id, chain_position: place } = found.rows[0]
  assert(broken.text.includes(`number ${place} of the chain (id ${id})`))
  const listed = await admin.get('/console/audit?actor=command+line+you')
  assert.match(listed.text, / does not fit</)
  assert.match(listed.text, /role="alert"/)
  // From behind it on, all is well.
  assert.match((await admin.get(`/console/audit/chain?after=${place}`)).text, />Whole</)
  await tamper(pool, `delete from audit_event where subject = 'leaf 119.'`)
  const cut = await admin.get(`/console/audit/chain?after=${place}`)
  assert.match(cut.text, />Not whole</)
  assert.match(cut.text, /last events are missing/)
})
