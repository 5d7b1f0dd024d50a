import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { releaseHeld } from '../../src/credits/release-held.ts'
import type { Pool } from '../../src/db/pool.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import {
  addAddress,
  addOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  ledger,
  type World,
  world,
} from './credit-world.ts'

// One random history of orders and payments on a few addresses. Orders are all there from the start: what they are
// eligible for is decided by the chain's clock. On one database its blocks are read one by one and nothing is ever held;
// on the other in random batches, with large transfers held and released at random moments.
//
// What never changes with the batches and the moments: which order a transfer is credited to, the order's received after
// it, whether it is late, its callback's key and amount. What may: when. At any moment the credits of an address are
// those of its first transfers in chain order, none left out.

const users = ['u1', 'u2', 'u3']
const quorumAmount = 700n

const units = fc.integer({ min: 1, max: 900 })
const history = fc.record({
  orders: fc.array(
    fc.record({ user: fc.nat(2), units, second: fc.nat(60), windowS: fc.integer({ min: 1, max: 40 }) }),
    { maxLength: 8 },
  ),
  blocks: fc.array(
    fc.array(fc.array(fc.record({ user: fc.nat(2), units }), { minLength: 1, maxLength: 3 }), {
      maxLength: 3,
    }),
    { minLength: 1, maxLength: 20 },
  ),
  /** Per batch: how many blocks, and what the second node says of each held transfer when asked after it. */
  batches: fc.array(
    fc.record({
      blocks: fc.integer({ min: 1, max: 7 }),
      says: fc.array(fc.constantFrom('agreed', 'disagreed', 'unknown', 'throws'), { maxLength: 4 }),
    }),
    { minLength: 20, maxLength: 20 },
  ),
})
type History = typeof history extends fc.Arbitrary<infer T> ? T : never

async function prepare(it: World, { orders, blocks }: History): Promise<SolidBlock[]> {
  for (const user of users) await addAddress(it.pool, user)
  for (const [n, order] of orders.entries()) {
    await addOrder(it.pool, users[order.user]!, `o-${n}`, order.units, order.second, order.windowS)
  }
  return blocks.map((transactions, n) =>
    it.block(
      (n + 1) * 3,
      transactions.map(payments =>
        payments.map(p => ({ toBytes: bytesFor(users[p.user]!), units: BigInt(p.units) })),
      ),
    ),
  )
}

/** Releases what is held as the second node says; asked about again at once, whenever that was last. */
async function release(it: World, says: readonly string[]): Promise<void> {
  await it.pool.query('update waiting_transfer set checked_at = null')
  const left = [...says]
  await releaseHeld(it.pool, it.rules, async () => {
    const kind = left.shift() ?? 'unknown'
    if (kind === 'throws') throw new Error('the node is away')
    return kind === 'agreed' ? { kind } : { kind: kind as 'unknown', note: kind }
  })
}

async function byAddress(pool: Pool): Promise<Map<string, Record<string, unknown>[]>> {
  const { rows: places } = await pool.query(
    `select t.txid, t.log_index, a.localusermark
       from transfer t
       join deposit_address a on a.id = t.deposit_address_id
      order by t.block_height, t.tx_index, t.log_index`,
  )
  const rows = new Map((await ledger(pool)).map(row => [`${row.txid} ${row.log_index}`, row]))
  const found = new Map<string, Record<string, unknown>[]>(users.map(user => [user, []]))
  for (const place of places)
    found.get(place.localusermark)!.push(rows.get(`${place.txid} ${place.log_index}`)!)
  return found
}

test('whatever the batches, and whenever what is held is released: the same credits, keys and amounts', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(history, async random => {
      const seed = `random ${run++}`
      const plain = await world(seed)
      for (const block of await prepare(plain, random)) {
        await plain.credit([block])
        await assertNoneHomeless(plain.pool)
      }
      await assertTotalsAddUp(plain.pool)
      const expected = await byAddress(plain.pool)

      const held = await world(seed, quorumAmount)
      const chain = await prepare(held, random)
      for (let done = 0, n = 0; done < chain.length; n++) {
        const { blocks, says } = random.batches[n]!
        await held.credit(chain.slice(done, done + blocks))
        await release(held, says)
        done += blocks
        await assertNoneHomeless(held.pool)
        await assertTotalsAddUp(held.pool)
        for (const [user, rows] of await byAddress(held.pool)) {
          const credited = rows.filter(row => row.orderid !== null)
          assert.deepEqual(credited, expected.get(user)!.slice(0, credited.length), `${user}, block ${done}`)
        }
      }
      // At last the second node agrees to everything; on one address one is let go after the other.
      for (let rounds = 0; rounds < chain.length * 9; rounds++) {
        await release(held, Array(20).fill('agreed'))
        const { rowCount } = await held.pool.query(`select from waiting_transfer where reason = 'held'`)
        if (rowCount === 0) break
      }
      assert.deepEqual(await byAddress(held.pool), expected)
      assert.deepEqual(await waitingReasons(held.pool), await waitingReasons(plain.pool))
    }),
    { numRuns: 15 },
  )
})

async function waitingReasons(pool: Pool): Promise<Record<string, bigint>> {
  const { rows } = await pool.query('select reason, count(*) as count from waiting_transfer group by 1')
  return Object.fromEntries(rows.map(row => [row.reason, row.count]))
}
