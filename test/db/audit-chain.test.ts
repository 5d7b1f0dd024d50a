import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { recordAudit } from '../../src/db/audit-store.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createPool, inTransaction, type Pool, rows, type Tx } from '../../src/db/pool.ts'
import { differencesOf, tamper } from '../audit/audited-database.ts'
import { addMerchant } from '../credits/credited-chain.ts'
import { rebuildBefore } from '../support/before-migration.ts'
import { cloneDatabase } from '../support/database.ts'
import { noPgbouncer, settleRole, startPgbouncer } from '../support/pgbouncer.ts'
import { recordLog } from '../support/recorded-log.ts'
import { seedMerchant } from '../support/seed-merchant.ts'

const { pool, url } = await cloneDatabase()
const event = (action: string) => ({ actor: 'a test', action, subject: 'test' })
const record = (tx: Tx, action: string) => recordAudit(tx, event(action))

/** The actions of the chain, in its order, without the one that it begins with. */
async function chained(db: Pool, like = '%'): Promise<string[]> {
  const found = await rows<{ action: string }>(
    db,
    `select action from audit_event where chain_position > 1 and action like $1 order by chain_position`,
    [like],
  )
  return found.map(({ action }) => action)
}

/** Begins a transaction on a connection of its own. */
async function begin(): Promise<{ tx: Tx; commit: () => Promise<void> }> {
  const client = await pool.connect()
  await client.query('begin')
  const commit = async () => {
    try {
      await client.query('commit')
    } finally {
      client.release()
    }
  }
  return { tx: client as unknown as Tx, commit }
}

test('events that many write at the same time are one chain, without a fork or a gap', async () => {
  const before = (await chained(pool)).length
  const write = async (n: number) => {
    for (let i = 0; i < 5; i++) {
      await inTransaction(pool, async tx => {
        await record(tx, `many.${n}.${i}.first`)
        await record(tx, `many.${n}.${i}.second`)
      })
    }
  }
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(write))
  const [end] = await rows<{ events: bigint; last: bigint }>(
    pool,
    `select count(*) as events, max(chain_position) as last from audit_event where chain_position is not null`,
  )
  assert.equal(end!.last, end!.events)
  assert.equal((await chained(pool)).length, before + 80)
  assert.deepEqual((await differencesOf(pool)).checks, {})
})

test('an event is in the chain from its commit on, so one that is not committed keeps nobody waiting', async () => {
  const slow = await begin()
  await record(slow.tx, 'order.slow')
  await inTransaction(pool, tx => record(tx, 'order.fast'))
  await slow.commit()
  assert.deepEqual(await chained(pool, 'order.%'), ['order.fast', 'order.slow'])
})

test('two transactions that write their event before and after they lock the same row do not deadlock', async () => {
  const { id } = await seedMerchant(pool, {})
  const lock = (tx: Tx) => tx.query('select from merchant where id = $1 for update', [id])
  const [early, late] = [await begin(), await begin()]
  await record(early.tx, 'lock.early')
  await lock(late.tx)
  const locked = lock(early.tx)
  await record(late.tx, 'lock.late')
  await late.commit()
  await locked
  await early.commit()
  assert.deepEqual(await chained(pool, 'lock.%'), ['lock.late', 'lock.early'])
})

test('an event whose savepoint is rolled back is not in the chain, and leaves no gap', async () => {
  await inTransaction(pool, async tx => {
    await tx.query('savepoint before')
    await record(tx, 'savepoint.undone')
    await tx.query('rollback to savepoint before')
    await record(tx, 'savepoint.kept')
  })
  assert.deepEqual(await chained(pool, 'savepoint.%'), ['savepoint.kept'])
  assert.deepEqual((await differencesOf(pool)).checks, {})
})

test('a snapshot from before another event is refused rather than forking the chain', async () => {
  const old = await begin()
  await old.tx.query('set transaction isolation level repeatable read')
  await old.tx.query('select 1 from audit_chain')
  await inTransaction(pool, tx => record(tx, 'snapshot.new'))
  await record(old.tx, 'snapshot.old')
  await assert.rejects(old.commit(), { code: '40001' })
  assert.deepEqual(await chained(pool, 'snapshot.%'), ['snapshot.new'])
})

test('who waits too long for the end of the chain commits nothing', async () => {
  const holder = await begin()
  await holder.tx.query('select from audit_chain for update')
  // SQLSTATE 55P03: a lock was not available in time.
  await assert.rejects(
    inTransaction(pool, tx => record(tx, 'wait.vain')),
    { code: '55P03' },
  )
  await holder.commit()
  assert.deepEqual(await chained(pool, 'wait.%'), [])
})

test("an older program's event is in the chain, whatever its session's settings are", async () => {
  const client = await pool.connect()
  await client.query(`set search_path to 'report'; set timezone to 'Asia/Tokyo'; set datestyle to 'German'`)
  await client.query(
    `insert into public.audit_event (actor, action, subject, detail) values ('command line', 'old.one', 'test', '{"b": 1.50, "a": "\\u00e9"}')`,
  )
  client.release(true)
  assert.deepEqual(await chained(pool, 'old.%'), ['old.one'])
  assert.deepEqual((await differencesOf(pool)).checks, {})
})

test('nobody writes the chain by hand', async () => {
  await inTransaction(pool, tx => record(tx, 'hand.one'))
  const columns = '(actor, action, subject, chain_position, hash)'
  for (const sql of [
    `update audit_event set hash = sha256('') where action = 'hand.one'`,
    `update audit_event set merchant_id = null`,
    `insert into audit_event ${columns} values ('me', 'hand.two', 'test', 1000000, sha256(''))`,
    `begin; insert into audit_event (actor, action, subject) values ('me', 'hand.two', 'test');
       update audit_event set actor = 'you' where action = 'hand.two'; commit`,
    'update audit_chain set chain_position = 0',
    'delete from audit_chain',
    'truncate audit_chain',
  ]) {
    await assert.rejects(pool.query(sql), /append-only: (update|delete|truncate) refused/, sql)
  }
  assert.deepEqual(await chained(pool, 'hand.%'), ['hand.one'])
})

test('through a proxy that shares sessions, the events are one chain too', {
  skip: noPgbouncer,
}, async () => {
  await settleRole(pool)
  const proxy = await startPgbouncer(url)
  const shared = createPool(proxy.url, { max: 8 })
  after(() => shared.end())
  const write = (n: number) => inTransaction(shared, tx => record(tx, `proxy.${n}`))
  await Promise.all(Array.from({ length: 40 }, (_, n) => write(n)))
  assert.equal((await chained(pool, 'proxy.%')).length, 40)
  assert.deepEqual((await differencesOf(pool)).checks, {})
})

test('the chain begins with a digest of the events from before, which keep their content and get their merchant', async () => {
  const { pool } = await cloneDatabase()
  await rebuildBefore(pool, '0039_audit_chain')
  await addMerchant(pool)
  await pool.query(
    `insert into audit_event (actor, action, subject, detail)
     values ('command line', 'merchant.added', 'merchant VunTq7Zk2Lm9h1l8', '{"name": "shop"}'),
            ('command line alice@host', 'held.rejected', 'transfer 7', '{"reason": "made up"}')`,
  )
  await migrate(pool, recordLog().log)
  await inTransaction(pool, tx => record(tx, 'test.new'))
  const shown = await pool.query(
    `select actor, action, reason, appid, chain_position from report.audit_events order by audit_event_id`,
  )
  assert.deepEqual(
    shown.rows.map(row => Object.values(row)),
    [
      ['command line', 'merchant.added', null, 'VunTq7Zk2Lm9h1l8', null],
      ['command line alice@host', 'held.rejected', 'made up', null, null],
      ['gateway migrate', 'audit.began', null, null, 1n],
      ['a test', 'test.new', null, null, 2n],
    ],
  )
  const [began] = await rows<{ detail: { events: number; digest: string } }>(
    pool,
    `select detail from audit_event where action = 'audit.began'`,
  )
  assert.equal(began!.detail.events, 2)
  assert.match(began!.detail.digest, /^[0-9a-f]{64}$/)
  assert.deepEqual((await differencesOf(pool)).checks, {})
  await tamper(pool, `update audit_event set actor = 'command line bob@host' where action = 'held.rejected'`)
  const { checks, said } = await differencesOf(pool)
  assert.deepEqual(checks, { 'audit.older': 1 })
  assert.match(said, /audit events before 3: are 2 with the digest [0-9a-f]{64}, recorded were 2 with /)
})
