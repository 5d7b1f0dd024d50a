import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditGateway } from '../../src/audit/audit-gateway.ts'
import { recordAudit } from '../../src/db/audit-store.ts'
import { inTransaction } from '../../src/db/pool.ts'
import { copyDatabase } from '../support/copy-database.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedMerchant } from '../support/seed-merchant.ts'
import { differencesOf, tamper } from './audited-database.ts'

// Twelve events after the one that the chain begins with, changed behind the triggers' back, each time in a copy.
const it = await cloneDatabase()
for (let n = 1; n <= 12; n++) {
  const event = { actor: 'command line alice', action: `test.${n}`, subject: 'test', reason: 'why not' }
  await inTransaction(it.pool, tx => recordAudit(tx, { ...event, detail: { n } }))
}

test('an untouched chain holds, and its end is shown', async () => {
  const { checks, open } = await auditGateway(it.pool, { appid: null, dueMaxS: 900 })
  assert.deepEqual(
    checks.filter(({ differences }) => differences > 0),
    [],
  )
  assert.equal(open.trail.events, 13n)
  const { rows } = await it.pool.query(`select hash from report.audit_events where action = 'test.12'`)
  assert.equal(open.trail.hash, rows[0].hash)
})

/** Writes an event's hash as the chain would have it, so that it fits the one before. */
const hashAnew = (action: string) => `
  update audit_event e
     set hash = sha256((select hash from audit_event where chain_position = e.chain_position - 1) ||
           convert_to(jsonb_build_array(e.chain_position, e.id, (extract(epoch from e.created_at) * 1000000)::bigint, e.actor,
             e.action, e.subject, e.detail, e.reason, e.address, e.merchant_id)::text, 'UTF8'))
   where action = '${action}'`

const seeded: [what: string, sql: string, first: RegExp, differences: number][] = [
  ['an actor changed', `update audit_event set actor = 'you' where action = 'test.3'`, /: event 4 of/, 1],
  ['a reason changed', `update audit_event set reason = null where action = 'test.3'`, /: event 4 of/, 1],
  [
    'a detail changed',
    `update audit_event set detail = '{"n": 4}' where action = 'test.3'`,
    /: event 4 of/,
    1,
  ],
  [
    'a time changed',
    `update audit_event set created_at = created_at - interval '1 us' where action = 'test.3'`,
    /: event 4 of/,
    1,
  ],
  [
    'an event changed with its hash, so that the next one does not fit',
    `update audit_event set actor = 'you' where action = 'test.3'; ${hashAnew('test.3')}`,
    /: event 5 of the chain is not what was recorded, or another one was before it/,
    1,
  ],
  [
    'two events changed, the first of which is named first',
    `update audit_event set actor = 'you' where action in ('test.2', 'test.11')`,
    /^audit.chained null audit event \d+: event 3 of/,
    2,
  ],
  [
    'two events deleted',
    `delete from audit_event where action in ('test.3', 'test.4')`,
    /: is event 6 of the chain, the one before it is 3: 2 missing/,
    1,
  ],
  [
    'the last event deleted',
    `delete from audit_event where action = 'test.12'`,
    /the end\): the chain ends with event 13 [0-9a-f]{64}, the last one is 12 /,
    1,
  ],
  [
    'the last event deleted, and the end moved',
    `delete from audit_event where action = 'test.12';
     update audit_chain set chain_position = 12`,
    /the end\): the chain ends with event 12 /,
    1,
  ],
  [
    'the first event deleted',
    `delete from audit_event where action = 'audit.began'`,
    /: is event 2 of the chain, the one before it is 0: 1 missing/,
    2,
  ],
  [
    'all events deleted, with the end of the chain',
    `delete from audit_event; delete from audit_chain`,
    /the first\): is not the one that the chain begins with, audit.began/,
    1,
  ],
  [
    'all events deleted, and the chain begun anew',
    `delete from audit_event; update audit_chain set chain_position = 0, hash = decode(repeat('00', 32), 'hex')`,
    /: the chain ends with event 0 0{64}, the last one is none/,
    2,
  ],
  [
    'an event added outside the chain',
    `insert into audit_event (actor, action, subject) values ('me', 'test.13', 'test')`,
    /: is not in the chain, though later than its beginning/,
    1,
  ],
  [
    'an event added to the chain with another hash',
    `insert into audit_event (actor, action, subject, chain_position, hash) values ('me', 'test.13', 'test', 14, sha256('x'))`,
    /: event 14 of the chain is not what was recorded/,
    2,
  ],
  [
    'an event added before the chain',
    `insert into audit_event (id, actor, action, subject) overriding system value values (0, 'me', 'test.0', 'test')`,
    /^audit.older null audit events before 1: are 1 with the digest [0-9a-f]{64}, recorded were 0 with /,
    1,
  ],
]

test('the audit finds a reason, an address or a merchant that an event from before the chain was given later', async () => {
  const { pool } = await copyDatabase(it.url)
  const shop = await seedMerchant(pool)
  // As the migration leaves an older event.
  await tamper(
    pool,
    `insert into audit_event (id, actor, action, subject, merchant_id) overriding system value
     values (0, 'me', 'merchant.added', 'merchant ${shop.appid}', ${shop.id});
     update audit_event b
        set detail = jsonb_build_object('events', 1, 'digest', encode(sha256(sha256(convert_to(jsonb_build_array(o.id,
              (extract(epoch from o.created_at) * 1000000)::bigint, o.actor, o.action, o.subject, o.detail)::text, 'UTF8'))), 'hex'))
       from audit_event o
      where b.chain_position = 1 and o.id = 0`,
  )
  const older = async () => (await differencesOf(pool)).checks['audit.older'] ?? 0
  assert.equal(await older(), 0)
  for (const change of [`reason = 'x'`, `address = '10.0.0.1'`, `merchant_id = null`]) {
    await tamper(pool, `update audit_event set ${change} where id = 0`)
    assert.equal(await older(), 1, change)
    await tamper(
      pool,
      `update audit_event set reason = null, address = null, merchant_id = ${shop.id} where id = 0`,
    )
  }
})

for (const [what, sql, first, differences] of seeded) {
  test(`the audit finds ${what}`, async () => {
    const { pool } = await copyDatabase(it.url)
    await tamper(pool, sql)
    const { checks, said } = await differencesOf(pool)
    assert.deepEqual(Object.values(checks), [differences])
    assert.match(said.split('\n')[0]!, first)
  })
}
