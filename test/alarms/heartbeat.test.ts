import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { beat, countHeartbeats } from '../../src/alarms/heartbeat.ts'
import { reportProcess } from '../../src/alarms/process-store.ts'
import { openSender } from '../../src/alarms/send-message.ts'
import { watchProcess } from '../../src/alarms/watch-process.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { cloneDatabase } from '../support/database.ts'
import { startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { recordLog } from '../support/recorded-log.ts'
import { waitUntil } from '../support/wait-until.ts'

const { pool } = await cloneDatabase()

async function startBeating(state: { isBehind: boolean }) {
  const receiver = await startMerchantEndpoint({ status: 200 })
  const stopping = new AbortController()
  const recorded = recordLog()
  const counter = countHeartbeats(createMetrics())
  const sender = openSender()
  const options = { db: pool, url: `${receiver.url}/t0ken`, sender, counter, log: recorded.log }
  const done = beat({
    ...options,
    isBehind: () => state.isBehind,
    signal: stopping.signal,
    everyMs: 10,
  })
  after(async () => {
    stopping.abort()
    await sender.close()
    await done
  })
  const countOf = async (outcome: string) =>
    (await counter.get()).values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0
  /** Waits until two more runs have ended in this way: the first may have begun before the state changed. */
  const comes = async (outcome: string) => {
    const before = await countOf(outcome)
    await waitUntil(`it is ${outcome}`, async () => (await countOf(outcome)) >= before + 2)
  }
  return { receiver, recorded, comes }
}

const report = (id: string, roles: string[], why: string | null = null) =>
  reportProcess(pool, { id, roles, why, version: '0.1.0' })

test('the heartbeat comes while a process of each role works and the watcher keeps up, and stops otherwise', async () => {
  const state = { isBehind: false }
  const { receiver, recorded, comes } = await startBeating(state)
  await comes('withheld')
  await report('one', ['api', 'watcher'])
  await comes('withheld')
  await report('two', ['courier'])
  await comes('sent')
  assert.equal(receiver.requests[0]!.method, 'GET')

  // The only courier cannot work.
  await report('two', ['courier'], 'the courier cannot reach its queue')
  await comes('withheld')
  const sent = receiver.requests.length
  await comes('withheld')
  assert.equal(receiver.requests.length, sent)
  await report('three', ['courier'])
  await comes('sent')
  // It has died and said nothing.
  await pool.query(`update running_process set seen_at = now() - interval '2 min' where id = 'three'`)
  await comes('withheld')
  await report('three', ['courier'])
  await comes('sent')

  state.isBehind = true
  await comes('withheld')
  state.isBehind = false
  await comes('sent')
  const reasons = recorded.lines('heartbeat.withheld').map(({ reason }) => reason)
  assert.deepEqual(reasons, [
    'no process works as api, watcher, courier',
    'no process works as courier',
    'no process works as courier',
    'no process works as courier',
    'the watcher is behind',
  ])
})

test('a URL that does not answer is reported without its token, and tried again', async () => {
  await report('all', ['api', 'watcher', 'courier'])
  const { receiver, recorded, comes } = await startBeating({ isBehind: false })
  receiver.answer = { reset: true }
  await comes('failed')
  receiver.answer = { status: 404 }
  await comes('failed')
  receiver.answer = { status: 200 }
  await comes('sent')
  assert.deepEqual(
    recorded
      .lines('heartbeat.failed')
      .map(({ reason }) => reason)
      .at(-1),
    'status 404',
  )
  assert(!recorded.text().includes('t0ken'))
})

test('a process reports itself with the reason why it is not ready, raises what it sees, and leaves when it stops', async () => {
  await pool.query(`delete from alarm; delete from running_process`)
  const stopping = new AbortController()
  const watch = () =>
    watchProcess({
      ...{ db: pool, id: 'host 1 abc', roles: ['courier'], log: recordLog().log, signal: stopping.signal },
      ready: () => Promise.reject(new Error('the courier cannot reach its queue')),
      courierWorks: () => false,
    })
  const running = watch()
  const reported = await waitUntil('it reports', async () => {
    const { rows } = await pool.query(`select id, roles, working, why from running_process`)
    return rows[0]
  })
  assert.deepEqual(reported, {
    ...{ id: 'host 1 abc', roles: ['courier'], working: false, why: 'the courier cannot reach its queue' },
  })
  stopping.abort()
  await running
  assert.deepEqual((await pool.query(`select from running_process`)).rows, [])
  assert.deepEqual((await pool.query(`select from alarm`)).rows, [], 'no watcher was ever started')
})

test('that no watcher leads is raised by whichever process sees it twice in a row, once', async () => {
  await pool.query(
    `insert into watcher_lease (holder, epoch, expires_at) values ('gone', 1, now() - interval '2 min')`,
  )
  const stopping = new AbortController()
  const watching = ['a', 'b'].map(id =>
    watchProcess({
      ...{ db: pool, id, roles: ['api'], log: recordLog().log, signal: stopping.signal },
      ready: async () => undefined,
      courierWorks: () => undefined,
      everyMs: 50,
    }),
  )
  await waitUntil('both report', async () => {
    const { rows } = await pool.query(`select from running_process where id in ('a', 'b')`)
    return rows.length === 2
  })
  await waitUntil('it is raised', async () => (await pool.query(`select from alarm`)).rows.length > 0)
  stopping.abort()
  await Promise.all(watching)
  const { rows } = await pool.query(`select name, raised_by from alarm`)
  assert.deepEqual(rows, [{ name: 'watcher', raised_by: 'gateway' }])
})

test('an old lease that is read once, as after an outage of the database, is no alarm', async () => {
  await pool.query(`delete from alarm; delete from watcher_lease`)
  const lease = (age: string) =>
    pool.query(
      `insert into watcher_lease (holder, epoch, expires_at) values ('w', 1, now() - $1::interval)
       on conflict (single) do update set expires_at = excluded.expires_at`,
      [age],
    )
  const stopping = new AbortController()
  let readings = 0
  let raised = 0
  const failed = recordLog()
  const running = watchProcess({
    ...{ db: pool, id: 'c', roles: ['api'], log: failed.log, signal: stopping.signal, everyMs: 1 },
    // Old, cannot be read, old, new, and so on.
    ready: async () => {
      readings++
      raised += (await pool.query(`select from alarm`)).rows.length
      if (readings % 4 === 2) await pool.query('alter table running_process rename to hidden')
      if (readings % 4 === 3) await pool.query('alter table hidden rename to running_process')
      await lease(readings % 2 === 1 ? '2 min' : '0 s')
    },
    courierWorks: () => undefined,
  })
  await waitUntil('many readings', () => readings > 12)
  stopping.abort()
  await running
  assert(failed.lines('chore.failed').length >= 2)
  assert.equal(raised, 0)
})
