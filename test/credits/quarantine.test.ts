import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import { releaseHeld } from '../../src/credits/release-held.ts'
import { retryQuarantined } from '../../src/credits/retry-quarantined.ts'
import { waitingCounts } from '../../src/credits/waiting-store.ts'
import type { DatabaseClientConfig } from '../../src/db/database-client.ts'
import { firstPage } from '../../src/db/id-page.ts'
import { createPool, type Pool } from '../../src/db/pool.ts'
import { listQuarantined, openQuarantine } from '../../src/transfers/quarantine-store.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import { type NodeLog, transferTopic } from '../../src/tron/transfer-log.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import {
  addAddress,
  addOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  creditedChain,
  orderOf,
  waiting,
} from './credited-chain.ts'
import { rulesFor } from './played-hosts.ts'

const pay = (toBytes: Buffer, units: bigint) => [{ toBytes, units }]

/** Credits of these units are refused by the database from now on, with a lasting SQLSTATE (23514). */
async function refuse(pool: Pool, units: bigint): Promise<void> {
  await pool.query(`alter table credit add constraint refused check (amount <> ${units})`)
}

async function allow(pool: Pool): Promise<void> {
  await pool.query('alter table credit drop constraint refused')
}

async function onlyParked(pool: Pool) {
  const parked = await listQuarantined(pool, firstPage(10))
  assert.equal(parked.length, 1)
  return parked[0]!
}

test('a transfer that cannot be credited is parked with its reason, later ones wait behind it, everything else is credited', async () => {
  const { pool, block, credit } = await creditedChain()
  const users = ['u1', 'u2', 'u3', 'u4', 'u5']
  const addresses = await Promise.all(users.map(user => addAddress(pool, user)))
  for (const [i, user] of users.entries()) await addOrder(pool, user, `o-${i + 1}`, 1000, 1)
  // An order's total must fit a bigint: two of these on u3 do not.
  const huge = 6n * 10n ** 18n
  const done = await credit([
    block(
      3,
      addresses.map(to => pay(to, 10n)),
    ),
    block(6, [pay(addresses[2]!, huge), pay(addresses[2]!, huge), pay(addresses[2]!, 7n)]),
    block(9, [pay(addresses[4]!, 20n)]),
  ])
  assert.deepEqual(done, { transfers: 9, credits: 7, callbacks: 1, unclaimed: 0, held: 0, quarantined: 1 })
  assert.deepEqual(
    (await waiting(pool)).map(({ reason, amount }) => [reason, amount]),
    [
      ['quarantined', huge],
      ['behind', 7n],
    ],
  )
  const parked = await onlyParked(pool)
  assert.match(parked.reason, /out of range.*\(22003\)/)
  assert.equal(parked.height, 2)
  assert.deepEqual(parked.log, {
    from: addressFromBytes(bytesFor('payer')),
    to: addressFromBytes(addresses[2]!),
    amount: `${huge}`,
  })
  assert.deepEqual((await orderOf(pool, 'o-3')).received, huge + 10n)
  assert.deepEqual((await orderOf(pool, 'o-5')).received, 30n)
  assert.equal(await openQuarantine(pool), 1)
  assert.deepEqual((await waitingCounts(pool)).quarantined, { transfers: 1, units: huge })
  await assertNoneHomeless(pool)
})

test('what is parked stays so while the chain goes on, and later payments to its address wait behind it', async () => {
  const { pool, block, credit } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 1000, 1)
  await refuse(pool, 77n)
  await credit([block(3, [pay(to, 77n)])])
  const done = await credit([block(6, [pay(to, 5n)]), block(9, [])])
  assert.deepEqual([done!.credits, done!.quarantined], [0, 0])
  assert.deepEqual(
    (await waiting(pool)).map(row => row.reason),
    ['quarantined', 'behind'],
  )
})

test('retried after its cause is gone it is credited, with what waited behind it, in chain order, and it is audited', async () => {
  const { pool, rules, block, credit } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 1000, 1)
  await refuse(pool, 77n)
  await credit([block(3, [pay(to, 77n), pay(to, 5n)])])
  const { id } = await onlyParked(pool)
  const again = await retryQuarantined(pool, rules, id)
  assert.equal(again.became, 'quarantined')
  assert.match(again.reason!, /refused/)
  assert.equal(await openQuarantine(pool), 1)
  await allow(pool)
  assert.deepEqual(await retryQuarantined(pool, rules, id), { id, became: 'credited', reason: null })
  const { rows } = await pool.query('select amount from credit order by id')
  assert.deepEqual(rows, [{ amount: 77n }, { amount: 5n }])
  assert.equal(await openQuarantine(pool), 0)
  assert.deepEqual(await waiting(pool), [])
  await assertTotalsAddUp(pool)
  assert.equal((await retryQuarantined(pool, rules, id)).became, 'not parked')
  const { rows: audit } = await pool.query(
    `select action, subject, detail ->> 'became' as became from audit_event where chain_position > 1 order by id`,
  )
  assert.deepEqual(
    audit.map(row => [row.action, row.subject, row.became]),
    [
      ['quarantine.retried', `quarantine ${id}`, 'quarantined'],
      ['quarantine.retried', `quarantine ${id}`, 'credited'],
    ],
  )
})

test('a passing failure parks nothing: everything is rolled back and thrown, to be tried again', async () => {
  for (const state of ['40001', '40P01', '53300', '55P03', '57P01', '42703']) {
    const { pool, block, credit } = await creditedChain()
    const to = await addAddress(pool, 'u1')
    await addOrder(pool, 'u1', 'o-1', 1000, 1)
    await pool.query(
      `create function fail() returns trigger language plpgsql as
         $$ begin raise exception 'not now' using errcode = '${state}'; end $$;
       create trigger fail before insert on callback for each statement execute function fail()`,
    )
    await assert.rejects(credit([block(3, [pay(to, 700n)])]), /not now/)
    for (const table of ['transfer', 'waiting_transfer', 'quarantine', 'credit', 'chain_block']) {
      assert.equal((await pool.query(`select from ${table}`)).rowCount, 0, `${state}: ${table}`)
    }
  }
})

/** Has a credit of 77 units fail with these SQLSTATEs, one after the other; the last one again and again. */
async function failOn77(pool: Pool, ...states: string[]): Promise<void> {
  await pool.query(
    `create sequence tries;
     create function fail() returns trigger language plpgsql as $$
       declare states text[] := '{${states}}';
       declare state text := states[least(nextval('tries'), ${states.length})];
       begin
         if state <> '00000' then raise exception 'too slow' using errcode = state; end if;
         return new;
       end $$;
     create trigger fail before insert on credit for each row when (new.amount = 77) execute function fail()`,
  )
}

/** A block that pays 77 units and more to one address, and something to three others. */
async function slowBlock(...states: string[]) {
  const it = await creditedChain()
  const users = ['u1', 'u2', 'u3', 'u4']
  const [slow, ...others] = await Promise.all(users.map(user => addAddress(it.pool, user)))
  for (const user of users) await addOrder(it.pool, user, `o-${user}`, 1000, 1)
  await failOn77(it.pool, ...states)
  const block = it.block(3, [
    pay(slow!, 5n),
    pay(slow!, 77n),
    pay(slow!, 6n),
    ...others.map(to => pay(to, 8n)),
  ])
  return { ...it, odd: block, slow: slow! }
}

/** A pool whose statements may take 0.2 s, but for those that are narrowed down. */
function hurriedPool({ options }: Pool): Pool {
  const hurried = createPool(options.connectionString!)
  const { session } = hurried.options as unknown as DatabaseClientConfig
  session.statementTimeoutMs = 200
  return hurried
}

const timeout = '57014'

test('what cannot be credited in time, three times over, is parked alone: the cursor moves on', async () => {
  const { pool, rules, credit, odd } = await slowBlock(timeout)
  const done = await credit([odd])
  assert.deepEqual([done!.credits, done!.quarantined], [4, 1])
  assert.deepEqual(
    (await waiting(pool)).map(({ reason, amount }) => [reason, amount]),
    [
      ['quarantined', 77n],
      ['behind', 6n],
    ],
  )
  const parked = await onlyParked(pool)
  assert.match(parked.reason, /could not be credited in time: too slow; it can be retried/)
  await assertNoneHomeless(pool)
  await assertTotalsAddUp(pool)
  await pool.query('drop trigger fail on credit')
  assert.equal((await retryQuarantined(pool, rules, parked.id)).became, 'credited')
  assert.deepEqual(await waiting(pool), [])
  assert.equal((await orderOf(pool, 'o-u1')).received, 88n)
})

test('what is too slow once is tried again as a whole, and nothing is parked', async () => {
  const { pool, credit, odd } = await slowBlock(timeout, '00000')
  const done = await credit([odd])
  assert.deepEqual([done!.credits, done!.quarantined], [6, 0])
  assert.equal((await pool.query('select from quarantine')).rowCount, 0)
})

test('a lock that is not to be had parks nothing, however often it is waited for in vain', async () => {
  const { pool, rules, odd } = await slowBlock('00000')
  const hurried = hurriedPool(pool)
  const holder = await pool.connect()
  await holder.query(`begin; lock table credit in access exclusive mode`)
  const cursor = (await readCursor(pool))!
  await assert.rejects(creditBlocks(hurried, rules, cursor, [odd]), { code: '55P03' })
  await holder.query('rollback')
  holder.release()
  assert.equal((await pool.query('select from transfer')).rowCount, 0)
  assert.equal((await creditBlocks(hurried, rules, cursor, [odd]))!.credits, 6)
  await hurried.end()
})

test('a statement that does not come to its end is cancelled and its transfer parked', async () => {
  const { pool, rules, odd } = await slowBlock('00000')
  await pool.query(
    `create or replace function fail() returns trigger language plpgsql as $$
       begin perform pg_sleep(600); return new; end $$`,
  )
  const hurried = hurriedPool(pool)
  const done = await creditBlocks(hurried, rules, (await readCursor(pool))!, [odd])
  await hurried.end()
  assert.deepEqual([done!.credits, done!.quarantined], [4, 1])
  assert.match((await onlyParked(pool)).reason, /in time: canceling statement due to statement timeout/)
})

test('a transfer that is too slow and one that fails for a lasting reason are both parked', async () => {
  const { pool, block, credit, slow } = await slowBlock(timeout)
  const other = await addAddress(pool, 'u5')
  await addOrder(pool, 'u5', 'o-u5', 1000, 1)
  await refuse(pool, 66n)
  const done = await credit([block(6, [pay(slow, 77n), pay(other, 66n), pay(other, 7n)])])
  assert.deepEqual([done!.credits, done!.quarantined], [0, 2])
  assert.equal(await openQuarantine(pool), 2)
  await assertNoneHomeless(pool)
})

test('a held transfer that cannot be credited once it is released is parked', async () => {
  const { pool, rules, block, credit } = await creditedChain('held', 100n)
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 1000, 1)
  await credit([block(3, [pay(to, 500n), pay(to, 5n)])])
  await refuse(pool, 500n)
  assert.equal((await releaseHeld(pool, rules, async () => ({ kind: 'agreed' }))).released, 1)
  assert.deepEqual(
    (await waiting(pool)).map(row => row.reason),
    ['quarantined', 'behind'],
  )
  await assertNoneHomeless(pool)
})

const topic = (bytes: Buffer) => '0'.repeat(24) + bytes.toString('hex')
const amountWord = (units: bigint) => units.toString(16).padStart(64, '0')
const usdt = 'a614f803b6fd780986a42c78ec9c7f77e6ded13c'

/** A block with a payment and a log that was parked; what the log says today is what is given. */
async function parkedLog(log: NodeLog) {
  const it = await creditedChain()
  const to = await addAddress(it.pool, 'u1')
  await addOrder(it.pool, 'u1', 'o-1', 1000, 1)
  const odd = it.block(3, [pay(to, 5n)])
  odd.undecodable.push({ txid: 'ef'.repeat(32), txIndex: 1, logIndex: 4, reason: 'not understood', log })
  await it.credit([odd])
  return { ...it, to, ...(await onlyParked(it.pool)) }
}

test('a parked log that decodes by now is recorded at its place in the chain and credited', async () => {
  const data = amountWord(40n)
  const topics = [transferTopic, topic(bytesFor('payer')), topic(bytesFor('u1'))]
  const { pool, rules, id } = await parkedLog({ address: usdt, topics, data })
  assert.deepEqual(await retryQuarantined(pool, rules, id), { id, became: 'credited', reason: null })
  assert.equal((await orderOf(pool, 'o-1')).received, 45n)
  const { rows } = await pool.query(
    `select tx_index, block_height, from_address from transfer where txid = $1 and log_index = 4`,
    ['ef'.repeat(32)],
  )
  assert.deepEqual(rows, [
    { tx_index: 1, block_height: 1, from_address: addressFromBytes(bytesFor('payer')) },
  ])
  assert.equal(await openQuarantine(pool), 0)
})

test('a parked log may still be undecodable, or turn out to be nothing of ours', async () => {
  const topics = (to: string) => [transferTopic, topic(bytesFor('payer')), topic(bytesFor(to))]
  const cases: [NodeLog, string, number][] = [
    [{ address: usdt, topics: topics('u1'), data: 'zz' }, 'undecodable', 1],
    [{ address: usdt, topics: topics('stranger'), data: amountWord(40n) }, 'not ours', 0],
    [{ address: usdt, topics: topics('u1'), data: amountWord(0n) }, 'zero', 0],
    [{ address: usdt, topics: ['ab'.repeat(32)], data: '' }, 'no transfer', 0],
  ]
  for (const [log, became, open] of cases) {
    const { pool, rules, id } = await parkedLog(log)
    assert.equal((await retryQuarantined(pool, rules, id)).became, became)
    assert.equal(await openQuarantine(pool), open, became)
    assert.equal((await orderOf(pool, 'o-1')).received, 5n)
  }
})

test('a parked log that waits for proof already is said to wait, not to be nothing of ours', async () => {
  const topics = [transferTopic, topic(bytesFor('payer')), topic(bytesFor('u1'))]
  const { pool, rules, id } = await parkedLog({ address: usdt, topics, data: amountWord(40n) })
  const twoHosts = { ...rules, proof: rulesFor(2) }
  assert.equal((await retryQuarantined(pool, twoHosts, id)).became, 'unproved')
  await pool.query('update quarantine set resolved_at = null')
  assert.equal((await retryQuarantined(pool, twoHosts, id)).became, 'unproved')
})

test('a parked log whose place was not kept asks for a rescan', async () => {
  const topics = [transferTopic, topic(bytesFor('payer')), topic(bytesFor('u1'))]
  const { pool, rules, id } = await parkedLog({ address: usdt, topics, data: amountWord(40n) })
  await pool.query('update quarantine set tx_index = null')
  const retried = await retryQuarantined(pool, rules, id)
  assert.deepEqual([retried.became, await openQuarantine(pool)], ['no header', 1])
  assert.equal(retried.rescanHeight, 1)
})
