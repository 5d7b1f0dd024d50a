import assert from 'node:assert/strict'
import type { Pool } from '../../src/db/pool.ts'
import type { Merchant } from '../../src/merchants/merchant.ts'
import { seedCallbacks } from '../support/seed-callback.ts'
import { addBenchMerchants, benchMasterKey } from './bench-merchants.ts'
import { type BuiltGateway, startBuiltGateway } from './built-gateway.ts'
import type { BenchChild } from './child-process.ts'

/** Orders paid in one transaction while a backlog is made. */
const chunk = 2_000

/** A database with merchants, a courier on it, and the receiver that its callbacks go to. */
export interface CourierSetup {
  pool: Pool
  merchants: ReadonlyMap<number, Merchant>
  receiver: BenchChild
  courier: BuiltGateway
  onRedis: boolean
}

/**
 * @param options.redisUrl without it the queue is on the database's own Postgres.
 * @param options.ports the receiver's ports that get a merchant; by default all of them.
 */
export async function openCourierSetup(options: {
  database: { pool: Pool; url: string }
  receiver: BenchChild
  redisUrl: string | undefined
  ports?: readonly number[]
}): Promise<CourierSetup> {
  const { database, receiver, redisUrl, ports = receiver.ready.ports } = options
  const merchants = await addBenchMerchants(database.pool, ports)
  const courier = await startBuiltGateway('courier', {
    DATABASE_URL: database.url,
    MASTER_KEY: benchMasterKey,
    CALLBACK_ALLOWED_NETWORKS: '127.0.0.0/8',
    ...(redisUrl && { REDIS_URL: redisUrl }),
  })
  return { pool: database.pool, merchants, receiver, courier, onRedis: redisUrl !== undefined }
}

/**
 * Makes callbacks due while the courier stands still, the merchants in turn; it is for the caller to let it go on.
 * @param urls where they go, in turn; by default to their merchants' own.
 */
export async function makeBacklog(
  setup: CourierSetup,
  merchants: readonly Merchant[],
  count: number,
  urls?: readonly string[],
): Promise<void> {
  setup.courier.pause()
  for (let first = 0; first < count; first += chunk) {
    const length = Math.min(chunk, count - first)
    await seedCallbacks(
      setup.pool,
      Array.from({ length }, (_, i) => ({
        merchant: merchants[(first + i) % merchants.length]!,
        ...(urls && { notifyUrl: urls[(first + i) % urls.length]! }),
      })),
    )
  }
  await setup.pool.query('vacuum analyze')
  await setup.pool.query('checkpoint')
}

/** Waits until all that has arrived is recorded as delivered. @param merchants only theirs. */
export async function untilRecorded(setup: CourierSetup, merchants: readonly Merchant[]): Promise<void> {
  const ids = merchants.map(merchant => merchant.id)
  for (;;) {
    const { rows } = await setup.pool.query(
      `select count(*) as n from callback where delivered_at is null and merchant_id = any($1)`,
      [ids],
    )
    if (rows[0].n === 0n) return
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** Every callback of these merchants has one attempt in its history, acknowledged, and no other. */
export async function checkHistory(setup: CourierSetup, merchants: readonly Merchant[]): Promise<void> {
  const { rows } = await setup.pool.query(
    `select count(distinct c.id) as callbacks, count(*) as attempts,
            count(*) filter (where a.outcome = 'acknowledged' and a.status = 200 and a.attempt = 1) as acknowledged
       from callback c
       left join callback_attempt a on a.callback_id = c.id
      where c.merchant_id = any($1)`,
    [merchants.map(merchant => merchant.id)],
  )
  const { callbacks, attempts, acknowledged } = rows[0]
  assert.deepEqual({ attempts, acknowledged }, { attempts: callbacks, acknowledged: callbacks })
}

/** Everything that came is signed as its merchant verifies it, and no key came twice. */
export async function checkReceived(
  receiver: BenchChild,
  merchants: ReadonlyMap<number, Merchant>,
  count: number,
): Promise<void> {
  assert.deepEqual(await receiver.ask({ kind: 'verify', merchants }), { checked: count, keys: count })
}
