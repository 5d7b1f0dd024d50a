import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addProducers, readProducers } from '../../src/blocks/producer-store.ts'
import { believeProducers } from '../../src/credits/believe-producers.ts'
import { cloneDatabase } from '../support/database.ts'

const name = (digit: string) => `41${digit.repeat(40)}`
const decision = { actor: 'command line alice', reason: 'compared with an explorer' }

test('an operator believes the hosts about producers, and the audit says so', async () => {
  const { pool } = await cloneDatabase()
  await addProducers(
    pool,
    new Map([
      [name('a'), [name('a')]],
      [name('b'), [name('b')]],
    ]),
    'hosts',
  )
  const named = new Map([
    [name('a'), [name('a')]],
    [name('b'), [name('c')]],
    [name('d'), [name('d')]],
  ])
  assert.deepEqual(await believeProducers(pool, { producers: async () => named }, decision), {
    added: 2,
    known: 3,
  })
  assert.deepEqual([...(await readProducers(pool))].sort(), [
    [name('a'), [name('a')]],
    [name('b'), [name('b'), name('c')]],
    [name('d'), [name('d')]],
  ])
  const { rows } = await pool.query(
    `select actor, action, subject, reason, detail from audit_event where action = 'chain.producers'`,
  )
  assert.deepEqual(rows, [
    {
      actor: decision.actor,
      action: 'chain.producers',
      subject: 'chain',
      reason: decision.reason,
      detail: { producers: [name('b'), name('d')] },
    },
  ])
})

test('hosts that do not agree are not believed by an operator either', async () => {
  const { pool } = await cloneDatabase()
  await assert.rejects(believeProducers(pool, { producers: async () => null }, decision), /do not agree/)
  assert.equal((await readProducers(pool)).size, 0)
})
