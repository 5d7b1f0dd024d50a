import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { callbackKey } from '../../src/callbacks/outbox/callback.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import { bytesFor, makeBlock } from '../support/chain-blocks.ts'
import { addAddress, addOrder, at, creditedChain, ledger, orderOf } from './credited-chain.ts'

test('a payment to an assigned address is credited, announced and owed under the key of its transfer', async () => {
  const { pool, rules, block, credit } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 3_000_000, 1)
  const paid = block(3, [
    [{ toBytes: bytesFor('stranger'), units: 9n }],
    [{ toBytes: to, units: 3_000_050n }],
  ])
  const done = await credit([paid])
  assert.deepEqual(done, { transfers: 1, credits: 1, callbacks: 1, unclaimed: 0, held: 0, quarantined: 0 })
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 3_000_050n, announced: 30_000n })
  const [row] = await ledger(pool)
  assert.equal(row.key, callbackKey(rules.genesisId, rules.usdtContract, paid.transfers[1]!.txid, 0))
  assert.equal(row.order_state, 'overpaid')
  assert.equal((await readCursor(pool))!.height, 1)
})

test('two transfers in one transaction, even to one address, are two credits and two callbacks', async () => {
  const { pool, block, credit } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 4_000_000, 1)
  await credit([
    block(3, [
      [
        { toBytes: to, units: 2_000_000n },
        { toBytes: to, units: 2_000_000n },
      ],
    ]),
  ])
  const rows = await ledger(pool)
  assert.deepEqual(
    rows.map(row => row.order_state),
    ['underpaid', 'paid'],
  )
  assert.equal(new Set(rows.map(row => row.key)).size, 2)
})

test('less than 1/10000 USDT is credited and carried until it makes a whole one', async () => {
  const { pool, block, credit } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 1_000_000, 1)
  assert.equal((await credit([block(3, [[{ toBytes: to, units: 60n }]])]))!.callbacks, 0)
  assert.equal((await credit([block(6, [[{ toBytes: to, units: 60n }]])]))!.callbacks, 1)
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 120n, announced: 1n })
})

test('money that comes before any order waits, is visible, and is credited to the order that comes, in chain order', async () => {
  const { pool, block, credit } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  const early = await credit([
    block(3, [[{ toBytes: to, units: 100n }]]),
    block(6, [[{ toBytes: to, units: 200n }]]),
  ])
  assert.deepEqual(early, { transfers: 2, credits: 0, callbacks: 0, unclaimed: 2, held: 0, quarantined: 0 })
  const { rows: waiting } = await pool.query('select reason from waiting_transfer')
  assert.deepEqual(
    waiting.map(row => row.reason),
    ['unclaimed', 'unclaimed'],
  )
  await addOrder(pool, 'u1', 'o-1', 1_000_000, 7)
  await addOrder(pool, 'u1', 'o-2', 200, 8)
  assert.equal((await credit([block(9, [])]))!.credits, 2)
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 300n, announced: 3n })
  const { rows: credits } = await pool.query('select amount from credit order by id')
  assert.deepEqual(
    credits.map(row => row.amount),
    [100n, 200n],
  )
  assert.equal((await pool.query('select from waiting_transfer')).rowCount, 0)
})

test('a payment past the window is late, and credited and called back like any other', async () => {
  const { pool, block, credit } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 100, 1, 10)
  await credit([block(12, [[{ toBytes: to, units: 100n }]])])
  const [row] = await ledger(pool)
  assert.deepEqual([row.orderid, row.late, row.order_state], ['o-1', true, 'paid'])
})

test('of two watchers on one cursor one writes, the other writes nothing', async () => {
  const { pool, rules, block } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 100, 1)
  const cursor = (await readCursor(pool))!
  const blocks = [block(3, [[{ toBytes: to, units: 100n }]])]
  const both = await Promise.all([1, 2].map(() => creditBlocks(pool, rules, cursor, blocks)))
  assert.equal(both.filter(Boolean).length, 1)
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 100n, announced: 1n })
})

test('a transfer recorded already is not credited again when its block is read again', async () => {
  const { pool, block, credit } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 100, 1)
  const paid = block(3, [[{ toBytes: to, units: 100n }]])
  await credit([paid])
  const again = makeBlock('chain', paid, at(6), [])
  again.transfers = paid.transfers
  assert.deepEqual(await credit([again]), {
    transfers: 0,
    credits: 0,
    callbacks: 0,
    unclaimed: 0,
    held: 0,
    quarantined: 0,
  })
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 100n, announced: 1n })
})

test('what fails in the middle leaves nothing behind: no cursor moved, no transfer, no credit', async () => {
  const { pool, block, credit } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 100, 1)
  await pool.query(
    `create function away() returns trigger language plpgsql as
       $$ begin raise exception 'away' using errcode = '57P01'; end $$;
     create trigger away before insert on callback for each statement execute function away()`,
  )
  await assert.rejects(credit([block(3, [[{ toBytes: to, units: 700n }]])]), /away/)
  assert.equal((await readCursor(pool))!.height, 0)
  for (const table of ['transfer', 'credit', 'callback', 'chain_block']) {
    assert.equal((await pool.query(`select from ${table}`)).rowCount, 0, table)
  }
})

test('an undecodable log is parked with its bytes and the rest of its block is credited', async () => {
  const { pool, block, credit } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 100, 1)
  const odd = block(3, [[{ toBytes: to, units: 100n }]])
  const log = { address: 'a6', topics: [], data: 'zz' }
  odd.undecodable.push({ txid: 'ef'.repeat(32), txIndex: 1, logIndex: 4, reason: 'data of 1 byte', log })
  const done = await credit([odd])
  assert.deepEqual([done!.credits, done!.quarantined], [1, 1])
  const { rows } = await pool.query('select txid, log_index, block_height, reason, log from quarantine')
  assert.deepEqual(rows, [
    { txid: 'ef'.repeat(32), log_index: 4, block_height: 1, reason: 'data of 1 byte', log },
  ])
})
