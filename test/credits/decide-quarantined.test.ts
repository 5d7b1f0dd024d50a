import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditGateway } from '../../src/audit/audit-gateway.ts'
import { rejectQuarantined, reopenQuarantined } from '../../src/credits/decide-quarantined.ts'
import { rescan } from '../../src/credits/rescan.ts'
import { retryQuarantined } from '../../src/credits/retry-quarantined.ts'
import { firstPage } from '../../src/db/id-page.ts'
import type { Pool } from '../../src/db/pool.ts'
import { listQuarantined, openQuarantine } from '../../src/transfers/quarantine-store.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import {
  addAddress,
  addOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  creditedChain,
  orderOf,
  waiting,
} from './credited-chain.ts'

const because = { actor: 'command line alice@host', reason: 'settled by hand' }
const pay = (toBytes: Buffer, units: bigint) => [{ toBytes, units }]

/** u1 is paid 10, 77 (which the database refuses) and 5 for an order of 15. */
async function chainWithQuarantined() {
  const it = await creditedChain('quarantined')
  const to = await addAddress(it.pool, 'u1')
  await addOrder(it.pool, 'u1', 'o-1', 15, 1)
  await it.pool.query(`alter table credit add constraint refused check (amount <> 77)`)
  const blocks = [it.block(3, [pay(to, 10n), pay(to, 77n)]), it.block(6, [pay(to, 5n)])]
  await it.credit(blocks)
  const [parked] = await listQuarantined(it.pool, firstPage(10))
  return { ...it, to, blocks, id: parked!.id }
}

async function assertAudit(pool: Pool, rejected: { transfers: bigint; units: bigint }, logs = 0n) {
  const { checks, open } = await auditGateway(pool, { appid: null, dueMaxS: 900 })
  assert.deepEqual(
    checks.filter(({ differences }) => differences > 0),
    [],
  )
  assert.deepEqual(open.rejected, rejected)
  assert.equal(open.rejectedLogs, logs)
  await assertNoneHomeless(pool)
  await assertTotalsAddUp(pool)
}

const none = { transfers: 0n, units: 0n }

test('a transfer that will never fit is rejected: it takes no money, what is behind it is credited, and a rescan leaves it so', async () => {
  const { pool, rules, id, blocks } = await chainWithQuarantined()
  assert.equal((await orderOf(pool, 'o-1')).received, 10n)
  assert.deepEqual(await rejectQuarantined(pool, rules, id, because), {
    kind: 'done',
    state: 'rejected',
    credits: 1,
  })
  assert.equal((await orderOf(pool, 'o-1')).received, 15n)
  assert.deepEqual(await waiting(pool), [])
  assert.equal(await openQuarantine(pool), 0)
  await assertAudit(pool, { transfers: 1n, units: 77n })
  const { rows } = await pool.query(
    'select actor, action, subject, reason from audit_event where chain_position > 1',
  )
  assert.deepEqual(
    [rows[0].actor, rows[0].action, rows[0].subject, rows[0].reason],
    [because.actor, 'quarantine.rejected', `quarantine ${id}`, because.reason],
  )
  // Even when it could be credited by now: that it is real was never in doubt.
  await pool.query('alter table credit drop constraint refused')
  await rescan(pool, rules, served(blocks), { from: 1, to: 2 })
  assert.equal((await orderOf(pool, 'o-1')).received, 15n)
  assert.equal((await retryQuarantined(pool, rules, id)).became, 'not parked')
  await assertAudit(pool, { transfers: 1n, units: 77n })
})

test('reopened it is quarantined again for its reason, blocks what comes, and can be retried', async () => {
  const { pool, rules, id, block, credit, to } = await chainWithQuarantined()
  const [before] = await listQuarantined(pool, firstPage(10))
  await rejectQuarantined(pool, rules, id, because)
  const reopened = await reopenQuarantined(pool, rules, id, because)
  assert.deepEqual(reopened, { kind: 'done', state: 'quarantined', credits: 0 })
  assert.deepEqual(await listQuarantined(pool, firstPage(10)), [before])
  await credit([block(9, [pay(to, 6n)])])
  assert.deepEqual(
    (await waiting(pool)).map(({ reason }) => reason),
    ['quarantined', 'behind'],
  )
  await assertAudit(pool, none)
  await pool.query('alter table credit drop constraint refused')
  assert.equal((await retryQuarantined(pool, rules, id)).became, 'credited')
  const { rows } = await pool.query('select amount from credit order by id')
  assert.deepEqual(
    rows.map(({ amount }) => amount),
    [10n, 5n, 77n, 6n],
  )
  await assertAudit(pool, none)
})

test('twice is harmless, and what is not so cannot be decided', async () => {
  const { pool, rules, id } = await chainWithQuarantined()
  assert.deepEqual(await reopenQuarantined(pool, rules, id, because), {
    kind: 'already',
    state: 'quarantined',
  })
  const [one, two] = await Promise.all([1, 2].map(() => rejectQuarantined(pool, rules, id, because)))
  assert.deepEqual([one!.kind, two!.kind].sort(), ['already', 'done'])
  await Promise.all([1, 2].map(() => reopenQuarantined(pool, rules, id, because)))
  await pool.query('alter table credit drop constraint refused')
  await retryQuarantined(pool, rules, id)
  for (const decide of [rejectQuarantined, reopenQuarantined]) {
    assert.deepEqual(await decide(pool, rules, id, because), { kind: 'impossible', state: 'resolved' })
    assert.deepEqual(await decide(pool, rules, 999n, because), { kind: 'impossible', state: 'unknown' })
  }
  const { rows } = await pool.query('select action from audit_event where chain_position > 1 order by id')
  assert.deepEqual(
    rows.map(({ action }) => action),
    ['quarantine.rejected', 'quarantine.reopened', 'quarantine.retried'],
  )
})

/** A block that pays 5, with a log that cannot be decoded where it pays 40 more. */
async function chainWithLog() {
  const it = await creditedChain('log')
  const to = await addAddress(it.pool, 'u1')
  await addOrder(it.pool, 'u1', 'o-1', 100, 1)
  const whole = it.block(3, [pay(to, 5n), pay(to, 40n)])
  const odd = whole.transfers[1]!
  const log = { address: 'ff', topics: ['ff'], data: 'ff' }
  await it.credit([
    {
      ...whole,
      transfers: whole.transfers.slice(0, 1),
      undecodable: [{ txid: odd.txid, txIndex: odd.txIndex, logIndex: odd.logIndex, reason: 'odd', log }],
    },
  ])
  const [parked] = await listQuarantined(it.pool, firstPage(10))
  return { ...it, whole, id: parked!.id }
}

test('a log that nobody can decode is rejected and reopened, and its bytes are kept', async () => {
  const { pool, rules, id } = await chainWithLog()
  const [before] = await listQuarantined(pool, firstPage(10))
  assert.deepEqual(await rejectQuarantined(pool, rules, id, because), {
    kind: 'done',
    state: 'rejected',
    credits: 0,
  })
  assert.equal(await openQuarantine(pool), 0)
  await assertAudit(pool, none, 1n)
  await reopenQuarantined(pool, rules, id, because)
  assert.deepEqual(await listQuarantined(pool, firstPage(10)), [before])
  await assertAudit(pool, none)
})

test('a rejected log stays so while it is read again undecoded, and is recorded once it can be decoded', async () => {
  const { pool, rules, id, whole } = await chainWithLog()
  await rejectQuarantined(pool, rules, id, because)
  const undecoded = {
    ...whole,
    transfers: whole.transfers.slice(0, 1),
    undecodable: [{ ...whole.transfers[1]!, reason: 'odd', log: { address: 'ab'.repeat(20) } }],
  }
  await rescan(pool, rules, served([undecoded as SolidBlock]), { from: 1, to: 1 })
  assert.equal(await openQuarantine(pool), 0)
  await assertAudit(pool, none, 1n)
  await rescan(pool, rules, served([whole]), { from: 1, to: 1 })
  assert.equal((await orderOf(pool, 'o-1')).received, 45n)
  await assertAudit(pool, none)
})

test('a rejected log that is decoded and then cannot be credited is quarantined again', async () => {
  const { pool, rules, id, whole } = await chainWithLog()
  await rejectQuarantined(pool, rules, id, because)
  await pool.query('alter table credit add constraint refused check (amount <> 40)')
  await rescan(pool, rules, served([whole]), { from: 1, to: 1 })
  assert.deepEqual(
    (await waiting(pool)).map(({ reason }) => reason),
    ['quarantined'],
  )
  assert.equal(await openQuarantine(pool), 1)
  await assertAudit(pool, none)
  assert.equal((await rejectQuarantined(pool, rules, id, because)).kind, 'done')
  await assertAudit(pool, { transfers: 1n, units: 40n })
})

function served(blocks: readonly SolidBlock[]) {
  return {
    solidBlock: async (height: number) => blocks[height - 1] ?? null,
    distrust: (_: string, why: string) => assert.fail(why),
  }
}
