import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MerchantId } from '../../src/base/ids.ts'
import { recordAudit } from '../../src/db/audit-store.ts'
import { type AuditEventsWanted, auditEventsQuery, listAuditEvents } from '../../src/db/list-audit-events.ts'
import { inTransaction, rows } from '../../src/db/pool.ts'
import { tamper } from '../audit/audited-database.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedMerchants } from '../support/seed-merchant.ts'

const { pool } = await cloneDatabase()
const merchants = await seedMerchants(
  pool,
  Array.from({ length: 20 }, (_, n) => ({ appid: `Shop${`${n}`.padStart(12, '0')}` })),
)
const [shop, other] = merchants.map(({ id }) => id) as [MerchantId, MerchantId]
const count = 120_000
/** A minute apart, by 40 people, of 30 kinds, for 20 merchants; a kind and a person that are hardly ever there. */
await tamper(
  pool,
  `insert into audit_event (actor, action, subject, merchant_id, created_at)
   select 'command line ' || case when n % 50000 = 7 then 'rare' else 'person' || n % 40 end,
          case when n % 50000 = 9 then 'rare.action' else 'action.' || n % 30 end,
          'subject ' || n, case when n % 3 > 0 then ${shop} + n % 20 end,
          '2026-01-01'::timestamptz + n * interval '1 minute'
     from generate_series(1, ${count}) n;
   analyze audit_event`,
)

const day = (text: string) => new Date(`${text}T00:00:00Z`)

for (const [what, wanted] of [
  ['all', {}],
  ["a merchant's", { merchantId: shop }],
  ["a person's", { actor: 'command line person3' }],
  ["somebody's who is hardly ever there", { actor: 'command line rare' }],
  ['one kind', { action: 'action.4' }],
  ['a rare kind', { action: 'rare.action' }],
  ["a merchant's of a rare kind", { merchantId: other, action: 'rare.action' }],
  ['old ones', { to: day('2026-01-20') }],
  ['a period', { from: day('2026-02-01'), to: day('2026-02-02') }],
  ["a merchant's in a period", { merchantId: other, from: day('2026-02-01'), to: day('2026-02-05') }],
  ['an empty period', { from: day('2030-02-01'), actor: 'command line person3' }],
] satisfies [string, AuditEventsWanted][]) {
  test(`a page of ${what} reads little more than it shows, from any page on`, async () => {
    const first = await listAuditEvents(pool, wanted, 50)
    await expectFew(wanted)
    const last = first.at(-1)
    if (last) await expectFew({ ...wanted, before: last.id })
  })
}

/** Counts the rows that the query reads of the table. A filter beside the index may pass over some, within one merchant's. */
async function expectFew(wanted: AuditEventsWanted): Promise<void> {
  const { text, values } = auditEventsQuery(wanted, 50)
  const [plan] = await rows<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    pool,
    `explain (analyze, format json) ${text}`,
    values,
  )
  const scans = nodesOf(plan!['QUERY PLAN'][0].Plan).filter(node => node['Relation Name'] === 'audit_event')
  assert(scans.length > 0)
  for (const scan of scans) {
    assert.notEqual(scan['Node Type'], 'Seq Scan', JSON.stringify(scan))
    const read = (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0)) * scan['Actual Loops']
    assert(read <= 200, `${read} rows read: ${JSON.stringify(scan)}`)
  }
}

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: PlanNode[]
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}

test('pages show each event once, newest first, also those of one moment', async () => {
  const actor = 'command line twins'
  await inTransaction(pool, async tx => {
    for (let n = 0; n < 7; n++) await recordAudit(tx, { actor, action: 'twin', subject: `${n}` })
  })
  const seen: string[] = []
  for (let before: bigint | undefined; ; ) {
    const page = await listAuditEvents(pool, { actor, before }, 3)
    if (page.length === 0) break
    seen.push(...page.map(({ subject }) => subject))
    before = page.at(-1)!.id
  }
  assert.deepEqual(seen, ['6', '5', '4', '3', '2', '1', '0'])
})

test('an event is shown with all that is known of it', async () => {
  const event = { actor: 'alice@shop.example', action: 'shown', subject: 'merchant x', detail: { to: 1 } }
  const why = { reason: 'asked for', address: '203.0.113.7', merchantId: other }
  await inTransaction(pool, tx => recordAudit(tx, { ...event, ...why }))
  const [shown] = await listAuditEvents(pool, { action: 'shown' }, 10)
  const { id, at, chainPosition, hash, ...rest } = shown!
  const { merchantId: _, ...reason } = why
  assert.deepEqual(rest, { ...event, ...reason, appid: merchants[1]!.appid })
  assert.deepEqual([typeof id, typeof chainPosition, at instanceof Date], ['bigint', 'bigint', true])
  assert.match(hash!, /^[0-9a-f]{64}$/)
})
