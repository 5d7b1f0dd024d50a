import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { isPassingDatabaseError } from '../../src/db/outage.ts'
import { createPool, inTransaction, type Queryable, rows } from '../../src/db/pool.ts'
import { startBreakableProxy } from '../support/breakable-proxy.ts'
import { cloneDatabase } from '../support/database.ts'
import { waitUntil } from '../support/wait-until.ts'

const size = 6
const withinMs = 300

/** A pool whose connections are all open and idle, through a proxy that can forget them. */
async function openIdlePool() {
  const { url } = await cloneDatabase()
  const proxy = await startBreakableProxy(url)
  const pool = createPool(proxy.url, { max: size })
  after(() => pool.end())
  const clients = await Promise.all(Array.from({ length: size }, () => pool.connect()))
  for (const client of clients) client.release()
  assert.equal(pool.idleCount, size)
  return { proxy, pool }
}

/** Asks with a short deadline. */
const answers = async (db: Queryable) => {
  const found = await rows<{ one: number }>(db, { text: 'select 1 as one', query_timeout: withinMs })
  return found[0]!.one === 1
}

const isGivenUp = (error: unknown) => {
  assert.ok(isPassingDatabaseError(error), String(error))
  return true
}

test('when one connection of a pool went silent, those that are idle are found without anybody waiting for each', async () => {
  const { proxy, pool } = await openIdlePool()
  proxy.forget()
  await assert.rejects(answers(pool), isGivenUp)
  assert.ok(await answers(pool))
  await waitUntil('the others are closed', () => pool.totalCount === 1)
})

test('when a statement took too long and nothing is silent, the idle connections stay', async () => {
  const { pool } = await openIdlePool()
  await assert.rejects(rows(pool, { text: 'select pg_sleep(60)', query_timeout: withinMs }), isGivenUp)
  await waitUntil('they were asked', () => pool.idleCount < size - 1)
  await waitUntil('they are idle again', () => pool.idleCount === size - 1)
  assert.ok(await answers(pool))
})

test('a transaction with a deadline ends with it when its connection goes silent, and its locks at the server too', async () => {
  const { proxy, pool } = await openIdlePool()
  const silenced = inTransaction(
    pool,
    async tx => {
      await tx.query('lock table merchant')
      proxy.forget()
      await tx.query('select 1')
    },
    withinMs,
  )
  await assert.rejects(silenced, isGivenUp)
  // By default, Postgres ends the session after half a minute.
  const held = `select from pg_locks where relation = 'merchant'::regclass`
  await waitUntil('nobody has the lock', async () => (await rows(pool, held)).length === 0, 15_000)
})

test('a transaction with a deadline that waits for a lock ends with it, at the server too', async () => {
  const { pool } = await openIdlePool()
  const blocker = await pool.connect()
  await blocker.query('begin; lock table merchant')
  const waiting = inTransaction(pool, tx => tx.query('select from merchant'), withinMs)
  await assert.rejects(waiting, isGivenUp)
  await waitUntil('nobody waits for the lock', async () => {
    const waiting = await rows(pool, 'select from pg_locks where not granted')
    return waiting.length === 0
  })
  await blocker.query('rollback')
  blocker.release()
})

test('a connection that left a statement unanswered is not used again, whoever has it', async () => {
  const { proxy, pool } = await openIdlePool()
  const client = await pool.connect()
  proxy.forget()
  await assert.rejects(answers(client), isGivenUp)
  await assert.rejects(client.query('select 1'), isGivenUp)
  // As those do who do not look at the reason.
  client.release()
  assert.ok(await answers(pool))
})
