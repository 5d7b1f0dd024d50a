import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DepositAddressId } from '../../src/base/ids.ts'
import { usdt } from '../../src/base/money.ts'
import type { PendingTransfer } from '../../src/credits/pending-transfer.ts'
import { planCredits } from '../../src/credits/plan-credits.ts'
import { askedFor } from '../../src/credits/plan-in-slices.ts'
import { releaseHeld } from '../../src/credits/release-held.ts'
import { rescan } from '../../src/credits/rescan.ts'
import { inTransaction, type Pool, rows } from '../../src/db/pool.ts'
import { type PayingOrder, readPayableOrders } from '../../src/orders/order-totals-store.ts'
import { type SeededRandom, seededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { bytesFor, type Payment } from '../support/chain-blocks.ts'
import { addressIdOf, seedOrders } from '../support/seed.ts'
import { seedNumberedAddresses, seedNumberedOrders } from '../support/seed-numbered.ts'
import { addAddress, assertTotalsAddUp, at, type CreditedChain, creditedChain } from './credited-chain.ts'

// Of an address's orders only those are read that a transfer may pay. Whatever the orders are, the choice among them has to
// be the choice among all.

const seeds = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: 25 }, (_, n) => n + 1)
const users = Array.from({ length: 40 }, (_, n) => `u${n}`)
/** Gets far more payments in a batch than are planned with one reading. */
const busy = users[0]!
const length = 14
const blockS = 3
const graceS = 4
const quorumAmount = 5n

test('each of a thousand addresses is credited as if all its orders had been read, whatever is held, behind or rescanned', async () => {
  for (const seed of seeds) {
    const random = seededRandom(seed)
    const chain = await creditedChain(`payable ${seed}`, quorumAmount)
    const { pool } = chain
    chain.rules.graceMs = graceS * 1000
    for (const user of users) await addAddress(pool, user)
    await placeOrders(pool, random)
    const blocks = Array.from({ length }, (_, n) =>
      chain.block(
        (n + 1) * blockS,
        [...Array(random.whole(5, 60))].map(() => payments(random)),
      ),
    )
    const left: SolidBlock[] = []
    for (let done = 0; done < length; ) {
      const batch = blocks.slice(done, done + random.whole(1, 6))
      // Some blocks come without their payments, which a rescan brings.
      const shown = batch.map(block => (random.chance(0.15) ? { ...block, transfers: [] } : block))
      left.push(...batch.filter((block, i) => block !== shown[i]))
      await sameAsAmongAll(chain, seed, batch.at(-1)!.time, () => chain.credit(shown))
      done += batch.length
      const until = batch.at(-1)!.time
      if (random.chance(0.5)) await sameAsAmongAll(chain, seed, until, () => release(chain, random))
      const missing = random.chance(0.3) ? left.shift() : undefined
      if (missing) await sameAsAmongAll(chain, seed, until, () => rescanBlock(chain, missing))
    }
    await assertTotalsAddUp(pool)
  }
})

/** Few moments, amounts and windows, so that the borders are met; parts of a millisecond, and orders of the same moment. */
async function placeOrders(pool: Pool, random: SeededRandom): Promise<void> {
  for (const user of users) {
    const addressId = await addressIdOf(pool, { localusermark: user })
    const windows = [...Array(random.whole(1, 6))].map(() => random.whole(1, length * blockS))
    const count = user === busy ? 150 : random.pick([0, 1, 3, 8, 20])
    const orders = [...Array(count)].map(() => {
      const createdAt = at(random.whole(-20, length * blockS + graceS))
      const expiresAt = new Date(createdAt.getTime() + random.pick(windows) * 1000)
      return { addressId, amount: BigInt(random.whole(1, 6)), createdAt, expiresAt }
    })
    await seedOrders(pool, orders)
  }
  await pool.query(
    `update recharge_order o
        set created_at = created_at + late.by, expires_at = expires_at + late.by
       from (select id, (array[0, 0, 1, 400, 999, -1])[1 + (id * 7 % 6)] * interval '1 microsecond' as by
               from recharge_order) late
      where late.id = o.id`,
  )
}

function payments(random: SeededRandom): Payment[] {
  return [...Array(random.whole(1, 3))].map(() => ({
    toBytes: bytesFor(random.chance(0.4) ? busy : random.pick(users)),
    units: BigInt(random.pick([1, 1, 2, 2, 3, 4, 5, 6])),
  }))
}

async function release({ pool, rules }: CreditedChain, random: SeededRandom): Promise<void> {
  await releaseHeld(pool, rules, async () => ({ kind: random.chance(0.6) ? 'agreed' : 'unknown', note: '' }))
}

async function rescanBlock({ pool, rules }: CreditedChain, block: SolidBlock): Promise<void> {
  const nodes = { solidBlock: async () => block, distrust: () => undefined }
  await rescan(pool, rules, nodes, { from: block.height, to: block.height })
}

/** Runs a step that credits, then plans what it credited again among all orders as they were before it. */
async function sameAsAmongAll(
  { pool, rules }: CreditedChain,
  seed: number,
  until: Date,
  step: () => Promise<unknown>,
): Promise<void> {
  const orders = await allOrders(pool)
  const before = new Set((await creditsOf(pool)).map(({ id }) => id))
  await step()
  const credits = (await creditsOf(pool)).filter(({ id }) => !before.has(id))
  const touched = new Set(credits.map(({ depositAddressId }) => depositAddressId))
  const unclaimed = (await unclaimedOf(pool)).filter(({ depositAddressId }) => touched.has(depositAddressId))
  const planned = planCredits([...credits, ...unclaimed], orders, until, rules.graceMs)
  assert.deepEqual(
    planned.credits.map(({ transfer, order, received, late }) => [transfer.id, order.id, received, late]),
    credits.map(({ id, orderId, received, late }) => [id, orderId, received, late]),
    `SEED=${seed}`,
  )
}

async function allOrders(pool: Pool): Promise<PayingOrder[]> {
  return rows(
    pool,
    `select id, deposit_address_id as "depositAddressId", amount, received, announced,
            date_trunc('milliseconds', created_at + interval '999 microseconds') as "createdAt",
            (extract(epoch from created_at) * 1000000)::bigint as "createdMicros", expires_at as "expiresAt"
       from recharge_order`,
  )
}

const transferColumns = `t.id, t.txid, t.log_index as "logIndex", t.deposit_address_id as "depositAddressId", t.amount,
  t.block_height as "height", t.block_time as "time", t.tx_index as "txIndex"`

async function creditsOf(pool: Pool) {
  return rows<PendingTransfer & { orderId: bigint; received: bigint; late: boolean }>(
    pool,
    `select ${transferColumns}, c.order_id as "orderId", c.received, c.late
       from credit c join transfer t on t.id = c.transfer_id
      order by t.block_height, t.tx_index, t.log_index`,
  )
}

async function unclaimedOf(pool: Pool): Promise<PendingTransfer[]> {
  return rows(
    pool,
    `select ${transferColumns} from waiting_transfer w join transfer t on t.id = w.transfer_id where w.reason = 'unclaimed'`,
  )
}

// Ten thousand orders in front of the one that is meant: open ones, expired ones, paid ones, and ones that are not eligible.
const crowds: [fact: string, created: string, window: string, received: string][] = [
  ['open', `'1 second'`, `'10 days'`, '0'],
  ['expired', `'1 second'`, `'1 minute'`, '0'],
  ['paid', `'1 second'`, `'10 days'`, 'amount'],
  ['created after the block', `'5 days'`, `'10 days'`, '0'],
]
for (const [fact, created, window, received] of crowds) {
  test(`orders that are ${fact} are not read, however many there are and whatever the statistics say`, async () => {
    const { pool } = await creditedChain()
    await addAddress(pool, 'crowd')
    const depositAddressId = await addressIdOf(pool, { localusermark: 'crowd' })
    // Most addresses have one order, which is what the planner then expects of each.
    await seedNumberedAddresses(pool, { first: 0, count: 5_000 })
    await seedNumberedOrders(pool, { first: 0, count: 5_000 }, 1_000_003n)
    await crowd(pool, depositAddressId, { count: 10_000, created, window, received })
    const asked = askedOf(depositAddressId)
    for (const statistics of ['none', 'of all', 'of few']) {
      if (statistics === 'of all') await pool.query('vacuum analyze recharge_order')
      if (statistics === 'of few')
        await pool.query(`delete from pg_statistic where starelid = 'recharge_order'::regclass`)
      const read = await inTransaction(pool, async tx => {
        const found = await readPayableOrders(tx, asked)
        const [counts] = await rows<{ read: bigint }>(
          tx,
          `select seq_tup_read + idx_tup_fetch as read from pg_stat_xact_user_tables where relname = 'recharge_order'`,
        )
        assert(found.length <= 8, `${found.length} orders`)
        return counts!.read
      })
      // The candidates of a few windows, each looked up once more by its id.
      assert(read < 100n, `${read} rows with statistics ${statistics}`)
    }
  })
}

/** What two transfers ask for, ten minutes after the start. */
function askedOf(depositAddressId: DepositAddressId) {
  const transfer = { depositAddressId, time: at(600) } as PendingTransfer
  return askedFor(
    [
      { ...transfer, amount: usdt(7n) },
      { ...transfer, amount: usdt(1_000_003n) },
    ],
    30_000,
  )
}

async function crowd(
  pool: Pool,
  addressId: DepositAddressId,
  of: { count: number; created: string; window: string; received: string },
): Promise<void> {
  await pool.query(
    `insert into recharge_order
       (merchant_id, orderid, username, localusermark, deposit_address_id, amount, received, created_at, expires_at)
     select m.id, 'c-' || n, 'u', 'crowd', $1, a.amount, ${of.received === 'amount' ? 'a.amount' : '0'},
            '2026-01-01Z'::timestamptz + interval ${of.created} + n * interval '1 millisecond',
            '2026-01-01Z'::timestamptz + interval ${of.created} + n * interval '1 millisecond' + interval ${of.window}
       from merchant m, generate_series(1, ${of.count}) as n, lateral (select 1000000 + n % 10 as amount) a`,
    [addressId],
  )
}
