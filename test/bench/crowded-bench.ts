import assert from 'node:assert/strict'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import type { CreditRules } from '../../src/credits/credit-rules.ts'
import { type Pool, rows } from '../../src/db/pool.ts'
import { networks } from '../../src/tron/network.ts'
import { bytesFor, makeBlock } from '../support/chain-blocks.ts'
import { seedAddress } from '../support/seed.ts'
import { anyShop, seedMerchant } from '../support/seed-merchant.ts'

/** What an address has when it is paid. All are in one database. */
const crowds = [
  { name: '1 open order', open: 1, expired: 0 },
  { name: '10 000 open orders', open: 10_000, expired: 0 },
  { name: '1 000 000 open orders', open: 1_000_000, expired: 0 },
  { name: '1 open order behind 1 000 000 expired ones', open: 1, expired: 1_000_000 },
] as const
type Crowd = (typeof crowds)[number]

/** Milliseconds of the whole transaction that credits a block. */
export interface CrowdedResult {
  name: string
  /** A block with one transfer of less than any order's remainder: it goes to the oldest open order. */
  dust: { p50: number; p95: number }
  /** A block with one transfer of exactly an order's amount. */
  exact: { p50: number; p95: number }
  /** A block with sixty transfers of the first kind, all to this address. */
  sixty: { p50: number; p95: number }
}

const startS = Date.UTC(2026, 0, 1) / 1000
const seed = 'crowded'
const second = (s: number) => new Date((startS + s) * 1000)
/** After the last order and before the first one that is open expires. */
const payS = 10_000
/** Orders of this many different amounts, so that some hundreds want exactly the same. */
const amounts = 5_000

/**
 * Credits blocks with one transfer to an address that has one open order, and to others that have ever more, in turns. First it
 * checks on each that the orders are the right ones.
 */
export async function benchCrowded(pool: Pool, rounds: number): Promise<CrowdedResult[]> {
  await seedMerchant(pool, anyShop)
  const genesisId = makeBlock(seed, null, second(0), []).parentHash
  const rules: CreditRules = {
    network: 'private',
    genesisId,
    usdtContract: networks.mainnet.usdtContract!,
    graceMs: 0,
    quorumAmount: null,
  }
  await createCursor(pool, rules, { height: 0, hash: genesisId, time: second(0) })
  for (const crowd of crowds) await placeOrders(pool, crowd)
  await pool.query('vacuum analyze')
  await pool.query('checkpoint')
  const pay = (crowd: Crowd, units: readonly bigint[]) => payOnce(pool, rules, crowd, units)
  for (const crowd of crowds) await check(pool, crowd, pay)
  const times = crowds.map(() => ({ dust: [] as number[], exact: [] as number[], sixty: [] as number[] }))
  const warmUp = 20
  for (let round = 0; round < warmUp + rounds; round++) {
    for (const [i, crowd] of crowds.entries()) {
      const dust = await pay(crowd, [100n])
      const exactUnits = await exactAmount(pool, crowd, round)
      const exact = await pay(crowd, [exactUnits])
      if (round >= warmUp) {
        times[i]!.dust.push(dust)
        times[i]!.exact.push(exact)
      }
      if (round % 5 === 4) {
        const sixty = await pay(crowd, Array(60).fill(100n))
        if (round >= warmUp) times[i]!.sixty.push(sixty)
      }
    }
  }
  return crowds.map(({ name }, i) => ({
    name,
    dust: percentiles(times[i]!.dust),
    exact: percentiles(times[i]!.exact),
    sixty: percentiles(times[i]!.sixty),
  }))
}

async function placeOrders(pool: Pool, { name, open, expired }: Crowd): Promise<void> {
  const { addressId } = await seedAddress(pool, { localusermark: name, bytes: bytesFor(name) })
  const chunk = 50_000
  for (const { count, windowS } of [
    { count: expired, windowS: 60 },
    { count: open, windowS: 1_000_000 },
  ]) {
    for (let first = 0; first < count; first += chunk) {
      // The first open order takes all the dust there will be.
      await pool.query(
        `insert into recharge_order
           (merchant_id, orderid, username, localusermark, deposit_address_id, amount, created_at, expires_at)
         select merchant_id, $1::bigint || '-' || $4::int || '-' || n, username, localusermark, id,
                case n when 0 then 1000000000000 else 1000000::bigint * (1 + n % ${amounts}) end,
                $5::timestamptz + n * interval '5 ms', $5::timestamptz + n * interval '5 ms' + $4 * interval '1 second'
           from deposit_address, generate_series($2::int, $3::int) as n
          where id = $1`,
        [addressId, first, Math.min(first + chunk, count) - 1, windowS, second(0)],
      )
    }
  }
}

/** An amount that an open order wants exactly. Where there is only the one that takes the dust, another is placed for it. */
async function exactAmount(pool: Pool, { name, open }: Crowd, round: number): Promise<bigint> {
  if (open > 1) return BigInt(1_000_000 * (2 + (round % (amounts - 2))))
  const units = BigInt(1_000_000 * (2 + round))
  await pool.query(
    `insert into recharge_order
       (merchant_id, orderid, username, localusermark, deposit_address_id, amount, created_at, expires_at)
     select merchant_id, id || '-exact-' || $2::int, username, localusermark, id, $3, $4, $5
       from deposit_address where localusermark = $1`,
    [name, round, units, second(9_000), second(1_000_000)],
  )
  return units
}

let height = 0

/** Credits a block with transfers of these amounts to the crowd's address. @returns milliseconds. */
async function payOnce(
  pool: Pool,
  rules: CreditRules,
  { name }: Crowd,
  units: readonly bigint[],
): Promise<number> {
  const cursor = (await readCursor(pool))!
  const toBytes = bytesFor(name)
  const time = second(payS + ++height * 3)
  const block = makeBlock(
    seed,
    cursor,
    time,
    units.map(amount => [{ toBytes, units: amount }]),
  )
  const startedAt = performance.now()
  const done = await creditBlocks(pool, rules, cursor, [block])
  const ms = performance.now() - startedAt
  assert.equal(done?.credits, units.length)
  return ms
}

/** Pays dust and an exact amount, and compares with the orders that a plain reading of the rule gives. */
async function check(
  pool: Pool,
  crowd: Crowd,
  pay: (crowd: Crowd, units: readonly bigint[]) => Promise<unknown>,
) {
  for (const units of [100n, await exactAmount(pool, crowd, 10_000)]) {
    const [expected] = await rows<{ id: bigint }>(
      pool,
      `select o.id
         from recharge_order o
         join deposit_address a on a.id = o.deposit_address_id
        where a.localusermark = $1 and o.received < o.amount and o.expires_at >= $3
        order by o.amount - o.received = $2 desc, o.created_at, o.id
        limit 1`,
      [crowd.name, units, second(payS)],
    )
    await pay(crowd, [units])
    const [credited] = await rows<{ id: bigint }>(
      pool,
      `select order_id as id from credit c order by c.id desc limit 1`,
    )
    assert.deepEqual(credited, expected, `${units} to ${crowd.name}`)
  }
}

function percentiles(times: readonly number[]): { p50: number; p95: number } {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.floor(sorted.length * part)]!
  return { p50: at(0.5), p95: at(0.95) }
}
