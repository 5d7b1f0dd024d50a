import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type CallbackState, callbackStates } from '../../../src/callbacks/outbox/callback.ts'
import { dueChannel } from '../../../src/callbacks/outbox/callback-store.ts'
import { listCallbacks } from '../../../src/callbacks/outbox/list-callbacks.ts'
import { resendInBulk } from '../../../src/callbacks/outbox/resend-in-bulk.ts'
import { addCallbackCommands } from '../../../src/cli/callback-commands.ts'
import { makePartitions } from '../../../src/db/partitions.ts'
import { deliver, exhaust, lease, standingOf, waitLong } from '../../support/callback-states.ts'
import { commandInProcess } from '../../support/command-in-process.ts'
import { cloneDatabase } from '../../support/database.ts'
import { type SeededCallback, seedCallback, seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'
import { waitUntil } from '../../support/wait-until.ts'

const { pool, url } = await cloneDatabase()
await makePartitions(pool, new Date())
const anything = {
  merchantId: null,
  state: null,
  from: null,
  to: null,
  origin: null,
  orderid: null,
  key: null,
}

/** Runs `gateway callbacks ...` in this process. @returns what it printed. */
function gateway(t: TestContext, ...args: string[]): Promise<string> {
  process.env.DATABASE_URL = url
  return commandInProcess(t, addCallbackCommands, 'callbacks', ...args)
}

/** A merchant with one callback in each state, in that order. */
async function callbackInEachState() {
  const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
  const seeded = await seedCallbacks(
    pool,
    callbackStates.map(() => ({ merchant })),
  )
  const [waiting, flying, held, delivered, exhausted] = seeded as [
    SeededCallback,
    SeededCallback,
    SeededCallback,
    SeededCallback,
    SeededCallback,
  ]
  await waitLong(pool, waiting)
  await lease(pool, flying)
  await pool.query(`update callback_outbox set state = 'held' where callback_id = $1`, [held.callbackId])
  await deliver(pool, delivered)
  await exhaust(pool, exhausted)
  const standings = () => Promise.all(seeded.map(callback => standingOf(pool, callback)))
  return { merchant, seeded, standings }
}

async function auditOf(subject: string) {
  const { rows } = await pool.query(
    `select actor, action, detail from audit_event where subject = $1 order by id`,
    [subject],
  )
  return rows
}

test('the list filters by merchant, state, time, origin and order, newest first, and counts what it does not show', async () => {
  const { merchant, seeded } = await callbackInEachState()
  const elsewhere = await seedCallback(pool, { merchant, notifyUrl: 'https://other.example:8443/cb' })
  const mine = { ...anything, merchantId: merchant.id }
  const keysOf = async (wanted: object) =>
    (await listCallbacks(pool, { ...mine, ...wanted }, 100)).callbacks.map(callback => callback.key)
  for (const [i, state] of callbackStates.entries()) {
    const expected = state === 'due' ? [elsewhere.key, seeded[0]!.key] : [seeded[i]!.key]
    assert.deepEqual(await keysOf({ state }), expected, state)
  }
  assert.deepEqual(await keysOf({ origin: 'https://other.example:8443' }), [elsewhere.key])
  assert.deepEqual(await keysOf({ origin: 'https://nowhere.example:443' }), [])
  const all = await listCallbacks(pool, mine, 100)
  assert.deepEqual(
    all.callbacks.map(callback => callback.key),
    [elsewhere, ...seeded.toReversed()].map(callback => callback.key),
  )
  const at = all.callbacks.at(-1)!.createdAt
  const later = new Date(at.getTime() + 1)
  assert.equal((await keysOf({ from: later })).includes(seeded[0]!.key), false)
  assert.equal((await keysOf({ to: later })).includes(seeded[0]!.key), true)
  const page = await listCallbacks(pool, mine, 2)
  assert.deepEqual([page.callbacks.length, page.total], [2, 6])
  assert.equal(page.callbacks[0]!.key, elsewhere.key)
})

test('two merchants may have the same orderid: without a merchant both are listed, and resending can be of one', async t => {
  const [one, two] = await Promise.all(
    ['https://one.example/cb', 'https://two.example/cb'].map(callbackUrl =>
      seedMerchant(pool, { callbackUrl }),
    ),
  )
  const first = await seedCallback(pool, { merchant: one!, orderid: 'same' })
  const second = await seedCallback(pool, { merchant: two!, orderid: 'same' })
  await seedCallback(pool, { merchant: one! })
  const keysOf = async (...args: string[]) =>
    JSON.parse(await gateway(t, 'list', '--orderid', 'same', '--json', ...args)).callbacks.map(
      ({ key }: { key: string }) => key,
    )
  assert.deepEqual(await keysOf(), [second.key, first.key])
  assert.deepEqual(await keysOf('--appid', one!.appid), [first.key])
  assert.match(await gateway(t, 'list', '--orderid', 'none'), /^0 in total$/)
  for (const callback of [first, second]) await exhaust(pool, callback)
  const resend = ['resend', '--state', 'exhausted', '--orderid', 'same', '--appid', one!.appid]
  assert.equal(await gateway(t, ...resend), '1 of 1 are due now')
  const [begun] = await auditOf(`merchant ${one!.appid}`)
  assert.equal(begun.detail.orderid, 'same')
})

test('each state is resent by its rules, and no other callback changes', async () => {
  for (const [i, state] of callbackStates.entries()) {
    if (state === 'in_flight') continue
    const { merchant, standings } = await callbackInEachState()
    const before = await standings()
    const wanted = { ...anything, merchantId: merchant.id, state }
    assert.deepEqual(await resendInBulk(pool, wanted, { appid: merchant.appid }), {
      matching: 1,
      resent: 1,
      skipped: 0,
    })
    const after = await standings()
    const resent = { state: 'due', step: 0, now: true, delivered: state === 'delivered', exhausted: false }
    assert.deepEqual(after.splice(i, 1), [resent])
    before.splice(i, 1)
    assert.deepEqual(after, before)
  }
})

test('a callback that has left its state meanwhile is skipped: an acknowledged one is not sent again by mistake', async () => {
  const { merchant, seeded } = await callbackInEachState()
  const more = await seedCallbacks(
    pool,
    Array.from({ length: 600 }, () => ({ merchant })),
  )
  const last = more.at(-1)!
  const wanted = { ...anything, merchantId: merchant.id, state: 'due' as CallbackState }
  let batches = 0
  const result = await resendInBulk(pool, wanted, {
    appid: merchant.appid,
    // Between two batches, as a courier does.
    onBatch: async () => {
      if (batches++ === 0) await deliver(pool, last)
    },
  })
  assert.equal(result.matching, 601)
  assert.equal(result.resent + result.skipped, 601)
  assert.equal(batches, 2)
  const { state, delivered } = await standingOf(pool, last)
  assert.deepEqual([state, delivered, result.skipped], ['delivered', true, 1])
  assert.equal((await standingOf(pool, seeded[0]!)).step, 0)
})

test('each batch is committed and unlocked before the next begins, and couriers are notified', async () => {
  const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
  const seeded = await seedCallbacks(
    pool,
    Array.from({ length: 1_100 }, () => ({ merchant })),
  )
  const ids = seeded.map(({ callbackId }) => callbackId)
  await pool.query(`delete from callback_outbox where callback_id = any($1)`, [ids])
  await pool.query(`update callback set exhausted_at = now() where id = any($1)`, [ids])
  const listener = await pool.connect()
  let heard = 0
  listener.on('notification', () => heard++)
  await listener.query(`listen ${dueChannel}`)
  const free: [number, number][] = []
  const wanted = { ...anything, merchantId: merchant.id, state: 'exhausted' as CallbackState }
  await resendInBulk(pool, wanted, {
    appid: merchant.appid,
    onBatch: async ({ resent }) => {
      const { rows } = await pool.query(
        `select callback_id from callback_outbox where callback_id = any($1) for update skip locked`,
        [ids],
      )
      free.push([rows.length, resent])
    },
  })
  assert.deepEqual(free, [
    [500, 500],
    [1_000, 1_000],
    [1_100, 1_100],
  ])
  await waitUntil('three notifications', () => heard === 3)
  listener.release(true)
  const { rows } = await pool.query(
    `select count(*)::int as n from callback where id = any($1) and exhausted_at is null`,
    [ids],
  )
  assert.equal(rows[0].n, 1_100)
})

test('its start and its result are in the audit log; a run that finds nothing is not', async () => {
  const { merchant } = await callbackInEachState()
  const from = new Date('2026-01-01T00:00:00Z')
  const wanted = { ...anything, merchantId: merchant.id, from, state: 'exhausted' as CallbackState }
  const options = { appid: merchant.appid, actor: 'alice' }
  await resendInBulk(pool, wanted, options)
  await resendInBulk(pool, wanted, options)
  const detail = {
    state: 'exhausted',
    from: from.toISOString(),
    to: null,
    origin: null,
    orderid: null,
    key: null,
    matching: 1,
  }
  assert.deepEqual(await auditOf(`merchant ${merchant.appid}`), [
    { actor: 'alice', action: 'callbacks.resend_begun', detail },
    { actor: 'alice', action: 'callbacks.resent', detail: { ...detail, resent: 1, skipped: 0 } },
  ])
})

test('from the command line: listed, counted without doing anything, and resent', async t => {
  const { merchant, seeded, standings } = await callbackInEachState()
  const { appid } = merchant
  const listed = JSON.parse(await gateway(t, 'list', '--appid', appid, '--json'))
  assert.equal(listed.total, 5)
  assert.deepEqual(
    listed.callbacks.map(({ key, state, usdt }: Record<string, string>) => [key, state, usdt]),
    seeded.map(({ key }, i) => [key, callbackStates[i], '3']).toReversed(),
  )
  const table = await gateway(t, 'list', '--appid', appid, '--state', 'exhausted')
  assert.match(table, new RegExp(`${seeded[4]!.key}.*exhausted`))
  assert.match(table, /^1 in total$/m)
  assert.match(await gateway(t, 'list', '--appid', appid, '--limit', '2'), /^the newest 2 of 5$/m)

  const exhausted = ['resend', '--appid', appid, '--state', 'exhausted']
  const before = await standings()
  assert.equal(await gateway(t, ...exhausted, '--dry-run'), '1 would be sent again')
  assert.deepEqual(await standings(), before)
  assert.deepEqual(await auditOf(`merchant ${appid}`), [])

  const longAgo = ['--from', '2020-01-01', '--to', '2020-02-01T00:00Z']
  assert.deepEqual(JSON.parse(await gateway(t, ...exhausted, ...longAgo, '--json')), {
    matching: 0,
    resent: 0,
    skipped: 0,
  })
  assert.equal(await gateway(t, ...exhausted, '--origin', 'https://shop.example'), '1 of 1 are due now')
  assert.equal((await standings())[4]!.state, 'due')
  assert.equal((await auditOf(`merchant ${appid}`)).length, 2)
})

test('every merchant is one command, if that is said', async t => {
  const [one, two] = [await callbackInEachState(), await callbackInEachState()]
  await gateway(t, 'resend', '--every-merchant', '--state', 'exhausted')
  for (const { standings } of [one, two]) assert.equal((await standings())[4]!.state, 'due')
  const [begun] = await auditOf('every merchant')
  assert.equal(begun.action, 'callbacks.resend_begun')
})

test('what is named wrongly is said in a sentence, and nothing is done', async t => {
  const { merchant } = await callbackInEachState()
  const { appid } = merchant
  const exhausted = ['--state', 'exhausted']
  const wrong: [string[], RegExp][] = [
    [['resend', '--appid', appid], /--state/],
    [['resend', '--appid', appid, '--state', 'in_flight'], /in_flight/],
    [['resend', ...exhausted], /give one --appid, or --every-merchant/],
    [['resend', '--appid', appid, '--every-merchant', ...exhausted], /give one --appid/],
    [['resend', '--appid', 'nobody', ...exhausted], /no merchant has the appid "nobody"/],
    [['list', '--appid', appid, '--from', 'yesterday'], /--from: a time such as/],
    [['list', '--appid', appid, '--from', '2026-02-30'], /--from: a time such as/],
    [['list', '--appid', appid, '--from', '2026-03-01', '--to', '2026-03-01'], /--from: must be before/],
    [['list', '--appid', appid, '--origin', 'shop'], /--origin: scheme, host and port/],
    [['list', '--appid', appid, '--limit', '0'], /--limit/],
  ]
  for (const [args, said] of wrong) await assert.rejects(gateway(t, ...args), said, args.join(' '))
  assert.deepEqual(await auditOf(`merchant ${appid}`), [])
})
