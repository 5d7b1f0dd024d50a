import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { leadChain } from '../../src/blocks/lead-chain.ts'
import { createLeaseAnswers } from '../../src/blocks/lease-answers.ts'
import { releaseLease, takeLease } from '../../src/blocks/watcher-lease-store.ts'
import type { Pool } from '../../src/db/pool.ts'
import { cloneDatabase } from '../support/database.ts'
import { waitUntil } from '../support/wait-until.ts'

const log = createLog('silent', 'test')
const timing = { ttl: 400, every: 50 }

/** A watcher that does nothing but lead; `leads` says whether its work is running now. */
function contend(pool: Pool, holder: string) {
  const stopping = new AbortController()
  const answers = createLeaseAnswers()
  const watcher = { answers, leads: false, terms: 0, stop: async () => {} }
  const running = leadChain({
    pool,
    holder,
    log,
    signal: stopping.signal,
    timing,
    answers,
    onLead: leads => {
      watcher.leads = leads
      if (leads) watcher.terms++
    },
    work: signal =>
      new Promise(resolve => {
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve())
      }),
  })
  watcher.stop = async () => {
    stopping.abort()
    await running
  }
  after(watcher.stop)
  return watcher
}

test('of several watchers one leads, and when it stops another takes over', async () => {
  const { pool } = await cloneDatabase()
  const watchers = ['a', 'b', 'c'].map(name => contend(pool, name))
  const leading = () => watchers.filter(watcher => watcher.leads)
  await waitUntil('a leader', () => leading().length === 1)
  const first = leading()[0]!
  await first.stop()
  assert.equal(first.leads, false)
  const second = await waitUntil('another leader', () => leading()[0])
  assert.notEqual(second, first)
  assert.equal(leading().length, 1)
})

test('a leader that dies without a word is followed by another when its lease has run out', async () => {
  const { pool } = await cloneDatabase()
  assert.equal(await takeLease(pool, 'dead', 60_000), 1n)
  const heir = contend(pool, 'heir')
  assert.equal(await takeLease(pool, 'third', 60_000), null)
  await pool.query(`update watcher_lease set expires_at = now()`)
  await waitUntil('the heir leads', () => heir.leads)
})

test('a leader whose lease another took stops its work', async () => {
  const { pool } = await cloneDatabase()
  const watcher = contend(pool, 'sleeper')
  await waitUntil('it leads', () => watcher.leads)
  await pool.query(`update watcher_lease set holder = 'usurper', expires_at = now() + interval '1 hour'`)
  await waitUntil('it stopped', () => !watcher.leads)
  await releaseLease(pool, 'usurper')
  await waitUntil('it leads again', () => watcher.leads)
  assert.equal(watcher.terms, 2)
})

test('a leader that cannot renew for the length of its lease stops its work', async () => {
  const { pool } = await cloneDatabase()
  const watcher = contend(pool, 'cut off')
  await waitUntil('it leads', () => watcher.leads)
  await pool.query('alter table watcher_lease rename to hidden')
  await waitUntil('it stopped', () => !watcher.leads)
  assert(watcher.answers.unansweredMs() > 0)
  const beside = contend(pool, 'beside')
  await waitUntil('for longer than the lease', () => watcher.answers.unansweredMs() > timing.ttl)
  await waitUntil('for one that never led', () => beside.answers.unansweredMs() > timing.ttl)
  await pool.query('alter table hidden rename to watcher_lease')
  await waitUntil('one leads again', () => watcher.leads || beside.leads)
  for (const { answers } of [watcher, beside])
    await waitUntil('all are answered', () => answers.unansweredMs() === 0)
})

test("the lease's epoch moves on with every new holder, not with a renewal", async () => {
  const { pool } = await cloneDatabase()
  assert.equal(await takeLease(pool, 'a', 60_000), 1n)
  assert.equal(await takeLease(pool, 'a', 60_000), 1n)
  await releaseLease(pool, 'a')
  assert.equal(await takeLease(pool, 'b', 60_000), 2n)
})
