import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { FailpointName } from '../../../src/base/failpoint.ts'
import type { CallbackId } from '../../../src/base/ids.ts'
import { listResendJobs } from '../../../src/callbacks/outbox/resend-job-store.ts'
import { orderResend, runResendJobs, stopResend } from '../../../src/callbacks/outbox/resend-jobs.ts'
import { listJobs } from '../../../src/db/job-store.ts'
import type { Pool } from '../../../src/db/pool.ts'
import type { Merchant } from '../../../src/merchants/merchant.ts'
import { exhaust } from '../../support/callback-states.ts'
import { cloneDatabase } from '../../support/database.ts'
import { withCourier } from '../../support/open-courier.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedManyCallbacks } from '../../support/seed-many-callbacks.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'
import { waitUntil } from '../../support/wait-until.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const by = { actor: 'Ann <ann@shop.example>', address: '192.0.2.7', reason: 'our server was down' }
/** Later slices of a job, an hour later: so a test sees them one at a time. */
const hourly = { size: 50, everyMs: 3_600_000 }

/** A merchant with some callbacks that were given up. */
async function givenUp(pool: Pool, count: number) {
  const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
  const seeded = await seedCallbacks(pool, Array(count).fill({ merchant }))
  for (const callback of seeded) await exhaust(pool, callback)
  return { merchant, ids: seeded.map(({ callbackId }) => callbackId) }
}

function order(pool: Pool, merchant: Merchant | null, ids: readonly CallbackId[]): Promise<bigint | null> {
  return orderResend(pool, { merchant, ids, state: 'exhausted', filter: { list: 'exhausted' } }, by)
}

/** The first merchant's exhausted callbacks of many. */
async function many(pool: Pool, nth = 0) {
  const [id] = (await seedManyCallbacks(pool, 30_000)).slice(nth)
  const { rows } = await pool.query(`select id, appid from merchant where id = $1`, [id])
  return { merchant: rows[0] as Merchant, ids: await exhaustedOf(pool, rows[0].id) }
}

async function exhaustedOf(pool: Pool, merchantId: bigint): Promise<CallbackId[]> {
  const { rows } = await pool.query(
    `select id from callback where merchant_id = $1 and exhausted_at is not null order by id`,
    [merchantId],
  )
  return rows.map(({ id }) => id)
}

test('a courier carries out what was asked for, and who asked is in the audit', async () => {
  const { pool, url } = await cloneDatabase()
  const { merchant, ids } = await givenUp(pool, 3)
  const jobId = await order(pool, merchant, ids)
  await withCourier({ pool, url, redisUrl: undefined, merchants: [] }, async () => {
    await waitUntil('the job to end', async () => (await listResendJobs(pool, merchant.id, 1))[0]!.endedAt)
  })
  const [job] = await listResendJobs(pool, merchant.id, 10)
  assert.deepEqual(
    [job!.jobId, job!.done, job!.total, job!.resent, job!.stoppedBy, job!.startedBy],
    [jobId, 3n, 3n, 3, null, by.actor],
  )
  const { rows } = await pool.query(
    `select actor, action, address, reason, merchant_id, detail from audit_event where action like 'callbacks.%' order by id`,
  )
  const of = { ...by, merchant_id: merchant.id }
  assert.deepEqual(rows, [
    { ...of, action: 'callbacks.resend_begun', detail: { list: 'exhausted', matching: 3 } },
    { ...of, action: 'callbacks.resent', detail: { list: 'exhausted', matching: 3, resent: 3, skipped: 0 } },
  ])
  const [shown] = await listJobs(pool, 1)
  assert.deepEqual([shown!.kind, shown!.done, shown!.total], ['resend', 3n, 3n])
})

test('a courier that is killed within a slice, or after one, loses and repeats nothing: the next goes on', async () => {
  for (const [failpoint, done] of [
    ['resend:before-commit', 50n],
    ['resend-job:after-commit', 100n],
  ] as const) {
    const { pool, url } = await cloneDatabase()
    const { merchant, ids } = await many(pool)
    await order(pool, merchant, ids)
    dieAt(url, failpoint)
    const [job] = await listResendJobs(pool, merchant.id, 1)
    assert.equal(job!.done, done)
    assert.equal((await exhaustedOf(pool, merchant.id)).length, ids.length - Number(done))
    // What was sent again meanwhile, and given up again, is not sent a second time.
    await pool.query(
      `with again as (delete from callback_outbox where callback_id = $1)
       update callback set exhausted_at = now() where id = $1`,
      [ids[0]],
    )
    await runResendJobs(pool, { everyMs: 0 })
    const [ended] = await listResendJobs(pool, merchant.id, 1)
    assert.deepEqual([ended!.done, ended!.resent], [BigInt(ids.length), ids.length])
    assert(ended!.endedAt)
    assert.deepEqual(await exhaustedOf(pool, merchant.id), [ids[0]])
  }
})

/** Carries out jobs in a process that kills itself at the second passing of a failpoint. */
function dieAt(url: string, name: FailpointName): void {
  const program = `
    import { armFailpoints } from './src/base/failpoint.ts'
    import { runResendJobs } from './src/callbacks/outbox/resend-jobs.ts'
    import { createPool } from './src/db/pool.ts'
    armFailpoints([{ name: '${name}', passing: 2, act: 'kill' }])
    await runResendJobs(createPool('${url}'), { size: 50, everyMs: 0 })`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
  const { signal, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  assert.equal(signal, 'SIGKILL', stderr)
}

test('a merchant has one job at a time, and the jobs of several take turns', async () => {
  const { pool } = await cloneDatabase()
  const first = await many(pool)
  const { rows } = await pool.query(`select id, appid from merchant order by id offset 1 limit 2`)
  const merchants = [first.merchant, ...rows] as Merchant[]
  for (const merchant of merchants) {
    const ids = await exhaustedOf(pool, merchant.id)
    assert.notEqual(await order(pool, merchant, ids), null)
    assert.equal(await order(pool, merchant, ids), null)
  }
  assert.notEqual(await order(pool, null, first.ids), null)
  assert.equal(await order(pool, null, first.ids), null)
  const done = async () => (await listResendJobs(pool, null, 10)).map(job => Number(job.done))
  await runResendJobs(pool, hourly)
  assert.deepEqual(await done(), [50, 50, 50, 50])
  await pool.query(`update resend_job set next_at = now()`)
  // Two couriers share them.
  await Promise.all([runResendJobs(pool, hourly), runResendJobs(pool, hourly)])
  assert.deepEqual(await done(), [100, 100, 100, 100])
})

test('a stopped job sends no more, and only who may see it can stop it', async () => {
  const { pool } = await cloneDatabase()
  const { merchant, ids } = await many(pool)
  const other = await seedMerchant(pool)
  const jobId = (await order(pool, merchant, ids))!
  await runResendJobs(pool, hourly)
  assert.equal(await stopResend(pool, jobId, other.id, by), false)
  assert.equal(await stopResend(pool, jobId, merchant.id, { actor: 'Bob' }), true)
  assert.equal(await stopResend(pool, jobId, merchant.id, { actor: 'Bob' }), false)
  await pool.query(`update resend_job set next_at = now()`)
  await runResendJobs(pool, hourly)
  const [job] = await listResendJobs(pool, merchant.id, 1)
  assert.deepEqual([job!.done, job!.stoppedBy, job!.resent], [50n, 'Bob', 50])
  assert.deepEqual(await listResendJobs(pool, other.id, 1), [])
  const { rows } = await pool.query(
    `select actor, detail from audit_event where action = 'callbacks.resend_stopped'`,
  )
  assert.deepEqual(rows, [{ actor: 'Bob', detail: { list: 'exhausted', resent: 50 } }])
  assert.notEqual(await order(pool, merchant, ids), null)
})

test('a job that fails is put off, and holds up no other', async () => {
  const { pool } = await cloneDatabase()
  const bad = await givenUp(pool, 1)
  const good = await givenUp(pool, 1)
  await order(pool, bad.merchant, bad.ids)
  await order(pool, good.merchant, good.ids)
  await pool.query(
    `create function refuse_it() returns trigger language plpgsql as $$ begin raise 'no'; end $$`,
  )
  await pool.query(
    `create trigger refuse_it before insert on callback_outbox for each row when (new.callback_id = ${bad.ids[0]})
     execute function refuse_it()`,
  )
  await assert.rejects(runResendJobs(pool), /no/)
  await runResendJobs(pool)
  const endedOf = async ({ id }: Merchant) => (await listResendJobs(pool, id, 1))[0]!.endedAt
  assert.equal(await endedOf(bad.merchant), null)
  assert(await endedOf(good.merchant))
  await pool.query('drop trigger refuse_it on callback_outbox')
  await pool.query('update resend_job set next_at = now()')
  await runResendJobs(pool)
  assert(await endedOf(bad.merchant))
})
