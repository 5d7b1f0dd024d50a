import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { usdtUnits } from '../../src/base/money.ts'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import { callbackKey } from '../../src/callbacks/callback-key.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import type { Pool } from '../../src/db/pool.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { bytesFor, makeBlock, type Payment } from '../support/chain-blocks.ts'
import { cloneDatabase } from '../support/database.ts'

const pin = {
  network: 'private',
  genesisId: '0'.repeat(64),
  usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
}
const graceMs = 0
/** Second `s` of these chains. */
const at = (s: number) => new Date(Date.UTC(2026, 0, 1) + s * 1000)

/** A chain of its own on a database of its own, with one merchant. */
async function world(seed = 'chain') {
  const { pool } = await cloneDatabase()
  await createCursor(pool, pin, { height: 0, hash: makeBlock(seed, null, at(0), []).parentHash, time: at(0) })
  await pool.query(
    `with counter as (
       insert into address_counter (public_key, chain_code, xpub)
       values (decode(repeat('02', 33), 'hex'), decode(repeat('00', 32), 'hex'), 'xpub') returning id)
     insert into merchant (appid, name, address_counter_id, callback_url)
     select 'VunTq7Zk2Lm9h1l8', 'shop', id, 'https://shop.example/cb' from counter`,
  )
  let tip: SolidBlock | null = null
  return {
    pool,
    /** The next block of the chain, not yet credited. */
    block(second: number, transactions: readonly (readonly Payment[])[]): SolidBlock {
      tip = makeBlock(seed, tip, at(second), transactions)
      return tip
    },
    async credit(blocks: readonly SolidBlock[]) {
      const cursor = await readCursor(pool)
      assert(cursor)
      return creditBlocks(pool, pin, graceMs, cursor, blocks)
    },
  }
}

async function addAddress(pool: Pool, name: string): Promise<Buffer> {
  const bytes = bytesFor(name)
  await pool.query(
    `insert into deposit_address (address, address_bytes, merchant_id, localusermark, username, is_base)
     select $1, $2, id, $3, $3, true from merchant`,
    [addressFromBytes(bytes), bytes, name],
  )
  return bytes
}

async function addOrder(
  pool: Pool,
  name: string,
  orderid: string,
  units: number,
  second: number,
  windowS = 100,
) {
  await pool.query(
    `insert into recharge_order (merchant_id, orderid, username, localusermark, deposit_address_id, amount, created_at, expires_at)
     select merchant_id, $2, localusermark, localusermark, id, $3, $4, $5 from deposit_address where localusermark = $1`,
    [name, orderid, units, at(second), at(second + windowS)],
  )
}

async function orderOf(pool: Pool, orderid: string) {
  const { rows } = await pool.query(`select received, announced from recharge_order where orderid = $1`, [
    orderid,
  ])
  return rows[0]
}

/** Everything that crediting wrote, in a form that does not depend on ids and times of writing. */
async function ledger(pool: Pool) {
  const { rows } = await pool.query(
    `select t.txid, t.log_index, o.orderid, c.amount, c.received, c.late,
            cb.key, cb.body_amount, cb.received as cb_received, cb.order_state
       from transfer t
       left join credit c on c.transfer_id = t.id
       left join recharge_order o on o.id = c.order_id
       left join callback cb on cb.credit_id = c.id
      order by t.txid, t.log_index`,
  )
  return rows
}

test('a payment to an assigned address is credited, announced and owed under the key of its transfer', async () => {
  const { pool, block, credit } = await world()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 3_000_000, 1)
  const paid = block(3, [
    [{ toBytes: bytesFor('stranger'), units: 9n }],
    [{ toBytes: to, units: 3_000_050n }],
  ])
  const done = await credit([paid])
  assert.deepEqual(done, { transfers: 1, credits: 1, callbacks: 1, unclaimed: 0, quarantined: 0 })
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 3_000_050n, announced: 30_000n })
  const [row] = await ledger(pool)
  assert.equal(row.key, callbackKey(pin.genesisId, pin.usdtContract, paid.transfers[1]!.txid, 0))
  assert.equal(row.order_state, 'overpaid')
  assert.equal((await readCursor(pool))!.height, 1)
})

test('two transfers in one transaction, even to one address, are two credits and two callbacks', async () => {
  const { pool, block, credit } = await world()
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
  const { pool, block, credit } = await world()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 1_000_000, 1)
  assert.equal((await credit([block(3, [[{ toBytes: to, units: 60n }]])]))!.callbacks, 0)
  assert.equal((await credit([block(6, [[{ toBytes: to, units: 60n }]])]))!.callbacks, 1)
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 120n, announced: 1n })
})

test('money that comes before any order waits, is visible, and is credited to the order that comes, in chain order', async () => {
  const { pool, block, credit } = await world()
  const to = await addAddress(pool, 'u1')
  const early = await credit([
    block(3, [[{ toBytes: to, units: 100n }]]),
    block(6, [[{ toBytes: to, units: 200n }]]),
  ])
  assert.deepEqual(early, { transfers: 2, credits: 0, callbacks: 0, unclaimed: 2, quarantined: 0 })
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
  const { pool, block, credit } = await world()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 100, 1, 10)
  await credit([block(12, [[{ toBytes: to, units: 100n }]])])
  const [row] = await ledger(pool)
  assert.deepEqual([row.orderid, row.late, row.order_state], ['o-1', true, 'paid'])
})

test('of two watchers on one cursor one writes, the other writes nothing', async () => {
  const { pool, block } = await world()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 100, 1)
  const cursor = (await readCursor(pool))!
  const blocks = [block(3, [[{ toBytes: to, units: 100n }]])]
  const both = await Promise.all([1, 2].map(() => creditBlocks(pool, pin, graceMs, cursor, blocks)))
  assert.equal(both.filter(Boolean).length, 1)
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 100n, announced: 1n })
})

test('a transfer recorded already is not credited again when its block is read again', async () => {
  const { pool, block, credit } = await world()
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
    quarantined: 0,
  })
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 100n, announced: 1n })
})

test('what fails in the middle leaves nothing behind: no cursor moved, no transfer, no credit', async () => {
  const { pool, block, credit } = await world()
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 100, 1)
  await pool.query(`alter table callback add constraint refuse check (body_amount <> 7)`)
  await assert.rejects(credit([block(3, [[{ toBytes: to, units: 700n }]])]), /refuse/)
  assert.equal((await readCursor(pool))!.height, 0)
  for (const table of ['transfer', 'credit', 'callback', 'chain_block']) {
    assert.equal((await pool.query(`select from ${table}`)).rowCount, 0, table)
  }
})

test('an undecodable log is parked with its bytes and the rest of its block is credited', async () => {
  const { pool, block, credit } = await world()
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

// One random history of orders and payments on a few addresses, read block by block on one database and in random
// batches on another. Orders are all there from the start: what they are eligible for is decided by the chain's clock.
test('blocks read one by one or many at a time give the same credits, keys and amounts, and announcements add up', async () => {
  const users = ['u1', 'u2', 'u3']
  const history = fc.record({
    orders: fc.array(
      fc.record({
        user: fc.nat(2),
        units: fc.integer({ min: 1, max: 900 }),
        second: fc.nat(60),
        windowS: fc.integer({ min: 1, max: 40 }),
      }),
      { maxLength: 8 },
    ),
    blocks: fc.array(
      fc.array(
        fc.array(fc.record({ user: fc.nat(2), units: fc.integer({ min: 1, max: 900 }) }), {
          minLength: 1,
          maxLength: 3,
        }),
        { maxLength: 3 },
      ),
      { minLength: 1, maxLength: 20 },
    ),
    cuts: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 20, maxLength: 20 }),
  })
  let run = 0
  await fc.assert(
    fc.asyncProperty(history, async ({ orders, blocks, cuts }) => {
      const seed = `random ${run++}`
      const worlds = await Promise.all([world(seed), world(seed)])
      const ledgers = []
      for (const [index, { pool, block, credit }] of worlds.entries()) {
        for (const user of users) await addAddress(pool, user)
        for (const [n, order] of orders.entries()) {
          await addOrder(pool, users[order.user]!, `o-${n}`, order.units, order.second, order.windowS)
        }
        const chain = blocks.map((transactions, n) =>
          block(
            (n + 1) * 3,
            transactions.map(payments =>
              payments.map(p => ({ toBytes: bytesFor(users[p.user]!), units: BigInt(p.units) })),
            ),
          ),
        )
        for (let done = 0, cut = 0; done < chain.length; cut++) {
          const size = index === 0 ? 1 : cuts[cut]!
          await credit(chain.slice(done, done + size))
          done += size
        }
        const { rows: totals } = await pool.query(
          `select o.orderid, o.received, o.announced,
                  coalesce((select sum(amount) from credit where order_id = o.id), 0)::bigint as credited,
                  coalesce((select sum(body_amount) from callback where order_id = o.id), 0)::bigint as called_back
             from recharge_order o order by o.orderid`,
        )
        for (const total of totals) {
          assert.equal(total.received, total.credited)
          assert.equal(total.announced, total.called_back)
          assert.equal(total.announced, usdtUnits(total.received) / 100n)
        }
        ledgers.push({ totals, rows: await ledger(pool) })
        const { rows: homeless } = await pool.query(
          `select from transfer t
            where (select count(*) from credit where transfer_id = t.id)
                + (select count(*) from waiting_transfer where transfer_id = t.id) <> 1`,
        )
        assert.equal(homeless.length, 0, 'a transfer has a credit or waits, never both, never neither')
      }
      assert.deepEqual(ledgers[0], ledgers[1])
    }),
    { numRuns: 15 },
  )
})
