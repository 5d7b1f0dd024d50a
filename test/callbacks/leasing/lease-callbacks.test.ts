import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MerchantId } from '../../../src/base/ids.ts'
import { endLapsedLeases, leaseCallbacks, renewLeases } from '../../../src/callbacks/leasing/lease-store.ts'
import type { Lease, LeasedCallback } from '../../../src/callbacks/outbox/lease.ts'
import { mayTakeOneMore } from '../../../src/callbacks/queue/merchant-share.ts'
import type { Pool } from '../../../src/db/pool.ts'
import type { Merchant } from '../../../src/merchants/merchant.ts'
import { cloneDatabase } from '../../support/database.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

const leaseMs = 30_000

test('due callbacks are leased in the order in which they fell due, each under a new epoch', async () => {
  const { pool } = await cloneDatabase()
  const [first, second, third] = await seed(pool, await seedMerchant(pool), 3)
  await dueIn(pool, first!, '-1 minute')
  await dueIn(pool, second!, '1 minute')
  await dueIn(pool, third!, '-2 minutes')
  const [oldest] = await leaseCallbacks(pool, 1, leaseMs)
  const [next, ...more] = await leaseCallbacks(pool, 10, leaseMs)
  assert.deepEqual([oldest!.id, next!.id, more], [third, first, []])
  assert(next!.epoch > oldest!.epoch)
  assert.deepEqual(await leaseCallbacks(pool, 10, leaseMs), [])
  const { rows } = await pool.query(
    `select state, leased_until > now() as held from callback_outbox where callback_id = $1`,
    [first],
  )
  assert.deepEqual(rows, [{ state: 'in_flight', held: true }])
})

test('a lease comes with everything that a renewal would read', async () => {
  const { pool } = await cloneDatabase()
  await seed(pool, await seedMerchant(pool), 3)
  await pool.query(`update callback set attempts = callback.id + 3`)
  await pool.query(`update callback_outbox set schedule_step = callback_id + 1`)
  const leased = await leaseCallbacks(pool, 3, leaseMs)
  const renewed = await renewLeases(pool, leased, { leaseMs, marginMs: 15_000 })
  const byId = (callbacks: LeasedCallback[]) =>
    callbacks.map(({ now, ...facts }) => facts).toSorted((a, b) => Number(a.id - b.id))
  assert.equal(leased.length, 3)
  assert.deepEqual(byId(leased), byId(renewed))
  for (const { now } of leased) assert(Math.abs(now.getTime() - Date.now()) < 60_000)
})

test('a lane never has more in flight than its cap, however many couriers lease at once', async () => {
  const { pool } = await cloneDatabase()
  for (let i = 0; i < 5; i++) await seed(pool, await seedMerchant(pool), 40)
  await pool.query(`update callback_lane set cap = 3 where id = (select min(id) from callback_lane)`)
  const leased: Lease[] = []
  for (let round = 0; round < 4; round++) {
    const rounds = await Promise.all(Array.from({ length: 10 }, () => leaseCallbacks(pool, 50, leaseMs)))
    leased.push(...rounds.flat())
  }
  assert.deepEqual(await inFlight(pool), [3, 8, 8, 8, 8])
  assert.equal(new Set(leased.map(lease => lease.id)).size, leased.length)
  assert.equal(leased.length, 35)
})

test('a callback that is done makes room under the cap at once', async () => {
  const { pool } = await cloneDatabase()
  await seed(pool, await seedMerchant(pool), 10)
  const [done] = await leaseCallbacks(pool, 50, leaseMs)
  await pool.query(`delete from callback_outbox where callback_id = $1`, [done!.id])
  assert.equal((await leaseCallbacks(pool, 50, leaseMs)).length, 1)
  assert.deepEqual(await inFlight(pool), [8])
})

test('every lane has a turn before any has a second, the least recently served first', async () => {
  const { pool } = await cloneDatabase()
  const merchants = [await seedMerchant(pool), await seedMerchant(pool), await seedMerchant(pool)]
  for (const merchant of merchants) await seed(pool, merchant, 20)
  const turns: bigint[] = []
  for (let i = 0; i < 6; i++) {
    const [lease] = await leaseCallbacks(pool, 1, leaseMs)
    turns.push(await merchantOf(pool, lease!))
  }
  const ids = merchants.map(merchant => merchant.id)
  assert.deepEqual(turns, [...ids, ...ids])
  const six = await leaseCallbacks(pool, 6, leaseMs)
  const shares = await Promise.all(six.map(lease => merchantOf(pool, lease)))
  assert.deepEqual(shares.sort(), ids.flatMap(id => [id, id]).sort())
})

test('lanes at their cap do not keep the others from being leased', async () => {
  const { pool } = await cloneDatabase()
  for (let i = 0; i < 4; i++) await seed(pool, await seedMerchant(pool), 20)
  await leaseCallbacks(pool, 100, leaseMs)
  const late = await seedMerchant(pool)
  const [due] = await seed(pool, late, 1)
  const leases = await leaseCallbacks(pool, 2, leaseMs)
  assert.deepEqual(
    leases.map(lease => lease.id),
    [due],
  )
})

test('a lease that ran out is taken again under the next epoch, within the cap', async () => {
  const { pool } = await cloneDatabase()
  await seed(pool, await seedMerchant(pool), 20)
  const before = await leaseCallbacks(pool, 100, leaseMs)
  await pool.query(
    `update callback_outbox set leased_until = now() - interval '1 second' where state = 'in_flight'`,
  )
  assert.deepEqual(await leaseCallbacks(pool, 100, leaseMs), [])
  await endLapsedLeases(pool)
  const after = await leaseCallbacks(pool, 100, leaseMs)
  assert.deepEqual(ids(after), ids(before))
  assert(after[0]!.epoch > before[0]!.epoch)
  assert.deepEqual(await inFlight(pool), [8])
})

test("a disabled merchant's callbacks are not leased, nor its leases taken again", async () => {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool)
  await seed(pool, merchant, 2)
  await leaseCallbacks(pool, 1, leaseMs)
  await pool.query(`update callback_outbox set leased_until = now() where state = 'in_flight'`)
  await endLapsedLeases(pool)
  await pool.query(`update merchant set disabled_at = now() where id = $1`, [merchant.id])
  assert.deepEqual(await leaseCallbacks(pool, 100, leaseMs), [])
})

test('the watcher can write into a lane that a courier holds', async () => {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool)
  await seed(pool, merchant, 1)
  const client = await pool.connect()
  await client.query('begin')
  await client.query('select 1 from callback_lane for no key update')
  await pool.query(`set lock_timeout = '1s'`)
  await seed(pool, merchant, 1)
  await client.query('rollback')
  client.release()
})

test('a merchant with two hundred origins due takes its share, in one call or in many, and others are leased first', async () => {
  const { pool } = await cloneDatabase()
  const many = await seedMerchant(pool)
  await seedOrigins(pool, many, 200)
  const free = 64
  const first = await leaseCallbacks(pool, free, leaseMs, undefined, new Map())
  assert.equal(first.length, 48)
  // What it holds leaves no more for it, and its lanes, never served, do not stand before another's.
  const held = new Map([[many.id, 48]])
  assert.deepEqual(await leaseCallbacks(pool, free - 48, leaseMs, undefined, held), [])
  const other = await seedMerchant(pool)
  const [due] = await seed(pool, other, 1)
  const next = await leaseCallbacks(pool, 1, leaseMs, undefined, held)
  assert.deepEqual(ids(next), [due])
  // One of its leases has ended, and another merchant holds one.
  held.set(many.id, 47).set(other.id, 1)
  assert.deepEqual(await leaseCallbacks(pool, 16, leaseMs, undefined, held), [])
  held.set(many.id, 46)
  assert.equal((await leaseCallbacks(pool, 17, leaseMs, undefined, held)).length, 1)
})

test('merchants met together come to equal shares and leave something for the next', async () => {
  const { pool } = await cloneDatabase()
  const merchants = await Promise.all([1, 2, 3].map(() => seedMerchant(pool)))
  for (const merchant of merchants) await seedOrigins(pool, merchant, 60)
  const leased = await leaseCallbacks(pool, 64, leaseMs, undefined, new Map())
  const shares = merchants.map(({ id }) => leased.filter(lease => lease.merchantId === id).length)
  assert.deepEqual(shares.toSorted(), [19, 19, 19])
})

test('the function shares leases by the rule of mayTakeOneMore, whatever merchants hold', async () => {
  const { pool } = await cloneDatabase()
  const merchants = await Promise.all(Array.from({ length: 4 }, () => seedMerchant(pool)))
  for (const merchant of merchants) await seedOrigins(pool, merchant, 40)
  const holdings = fc.array(fc.nat(40), { minLength: 4, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 60 }), holdings, async (free, held) => {
      const before = new Map(merchants.map(({ id }, i) => [id, held[i]!] as [MerchantId, number]))
      const leased = await leaseCallbacks(pool, free, leaseMs, undefined, before)
      await pool.query(`update callback_outbox set state = 'due', leased_until = null`)
      // The rule, one lease after the other, to whoever holds the fewest.
      const expected = [...held]
      let left = free
      for (;;) {
        const least = expected.indexOf(Math.min(...expected))
        if (!mayTakeOneMore(expected[least]!, left)) break
        expected[least]!++
        left--
      }
      const counted = merchants.map(
        ({ id }, i) => held[i]! + leased.filter(lease => lease.merchantId === id).length,
      )
      // Who of several that hold the same was first is for the lanes' turns.
      assert.deepEqual(counted.toSorted(byNumber), expected.toSorted(byNumber))
    }),
    { numRuns: 50 },
  )
})

test('a courier of an earlier version leases by the old signature, as many as it asks for', async () => {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool)
  await seedOrigins(pool, merchant, 60)
  const { rows } = await pool.query(
    `select l.lease_epoch, l.schedule_step, l.now_ms, (l.facts).*
       from lease_callbacks($1, $2 * interval '1 millisecond', $3 * interval '1 millisecond',
                            $4 * interval '1 millisecond') l`,
    [50, leaseMs, 1_000, 60_000],
  )
  assert.equal(rows.length, 50)
  assert(rows.every(row => row.merchant_id === merchant.id && row.lease_epoch > 0n))
})

test('nothing is leased for no slots', async () => {
  const { pool } = await cloneDatabase()
  await seed(pool, await seedMerchant(pool), 1)
  assert.deepEqual(await leaseCallbacks(pool, 0, leaseMs), [])
  assert.deepEqual(await leaseCallbacks(pool, -3, leaseMs), [])
})

async function seed(pool: Pool, merchant: Merchant, count: number): Promise<bigint[]> {
  const seeded = await seedCallbacks(
    pool,
    Array.from({ length: count }, () => ({ merchant })),
  )
  return seeded.map(callback => callback.callbackId)
}

/** One due callback to each of so many origins. */
async function seedOrigins(pool: Pool, merchant: Merchant, count: number): Promise<void> {
  await seedCallbacks(
    pool,
    Array.from({ length: count }, (_, i) => ({ merchant, notifyUrl: `https://shop-${i}.example/cb` })),
  )
}

function byNumber(a: number, b: number): number {
  return a - b
}

async function dueIn(pool: Pool, id: bigint, interval: string): Promise<void> {
  await pool.query(`update callback_outbox set due_at = now() + $2::interval where callback_id = $1`, [
    id,
    interval,
  ])
}

async function inFlight(pool: Pool): Promise<number[]> {
  const { rows } = await pool.query(
    `select count(*)::int as n from callback_outbox where state = 'in_flight' group by lane_id order by lane_id`,
  )
  return rows.map(row => row.n)
}

async function merchantOf(pool: Pool, lease: Lease): Promise<bigint> {
  const { rows } = await pool.query(`select merchant_id from callback where id = $1`, [lease.id])
  return rows[0].merchant_id
}

function ids(leases: readonly Lease[]): bigint[] {
  return leases.map(lease => lease.id).toSorted((a, b) => Number(a - b))
}
