import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { releaseHeld } from '../../src/credits/release-held.ts'
import { retryQuarantined } from '../../src/credits/retry-quarantined.ts'
import { firstPage } from '../../src/db/id-page.ts'
import type { Pool } from '../../src/db/pool.ts'
import { listQuarantined } from '../../src/transfers/quarantine-store.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import {
  addAddress,
  addOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  type CreditedChain,
  creditedChain,
  ledger,
} from './credited-chain.ts'

// One random history of orders and payments on a few addresses. Orders are all there from the start: what they are
// eligible for is decided by the chain's clock. On one database its blocks are read one by one and nothing is ever held;
// on the other in random batches, with large transfers held and released at random moments, and credits of some amounts
// refused by the database now and then: parked, and retried at random moments.
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
  /**
   * Per batch: how many blocks, which credits the database refuses from now on, what the second node says of each held
   * transfer when asked after the batch, and whether what is parked is retried then.
   */
  batches: fc.array(
    fc.record({
      blocks: fc.integer({ min: 1, max: 7 }),
      refused: fc.constantFrom('none', 'same', 'amount % 3 = 0', 'amount > 500'),
      retries: fc.boolean(),
      says: fc.array(fc.constantFrom('agreed', 'disagreed', 'unknown', 'throws'), { maxLength: 4 }),
    }),
    { minLength: 20, maxLength: 20 },
  ),
})
type History = typeof history extends fc.Arbitrary<infer T> ? T : never

async function prepare(it: CreditedChain, { orders, blocks }: History): Promise<SolidBlock[]> {
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
async function release(it: CreditedChain, says: readonly string[]): Promise<void> {
  await it.pool.query('update waiting_transfer set checked_at = null')
  const left = [...says]
  await releaseHeld(it.pool, it.rules, async () => {
    const kind = left.shift() ?? 'unknown'
    if (kind === 'throws') throw new Error('the node is away')
    return kind === 'agreed' ? { kind } : { kind: kind as 'unknown', note: kind }
  })
}

/** From now on the database refuses these credits, with a lasting SQLSTATE. */
async function refuse(pool: Pool, which: string): Promise<void> {
  if (which === 'same') return
  await pool.query('alter table credit drop constraint if exists refused')
  // Those that are there already stay.
  if (which !== 'none')
    await pool.query(`alter table credit add constraint refused check (not (${which})) not valid`)
}

async function retryAll({ pool, rules }: CreditedChain): Promise<void> {
  for (const { id } of await listQuarantined(pool, firstPage(100))) await retryQuarantined(pool, rules, id)
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

test('whatever the batches, and whenever what is held is released or what is parked retried: the same credits, keys and amounts', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(history, async random => {
      const seed = `random ${run++}`
      const plain = await creditedChain(seed)
      for (const block of await prepare(plain, random)) {
        await plain.credit([block])
        await assertNoneHomeless(plain.pool)
      }
      await assertTotalsAddUp(plain.pool)
      const expected = await byAddress(plain.pool)

      const held = await creditedChain(seed, quorumAmount)
      const chain = await prepare(held, random)
      for (let done = 0, n = 0; done < chain.length; n++) {
        const { blocks, refused, says, retries } = random.batches[n]!
        await refuse(held.pool, refused)
        await held.credit(chain.slice(done, done + blocks))
        await release(held, says)
        if (retries) await retryAll(held)
        done += blocks
        await assertNoneHomeless(held.pool)
        await assertTotalsAddUp(held.pool)
        for (const [user, rows] of await byAddress(held.pool)) {
          const credited = rows.filter(row => row.orderid !== null)
          assert.deepEqual(credited, expected.get(user)!.slice(0, credited.length), `${user}, block ${done}`)
        }
      }
      // At last nothing is refused, and the second node agrees to everything.
      await refuse(held.pool, 'none')
      await retryAll(held)
      for (let page = 0; page * 20 < chain.length * 9; page++) await release(held, Array(20).fill('agreed'))
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
