import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../../src/base/log.ts'
import { defaultTuning } from '../../../src/callbacks/leasing/courier-tuning.ts'
import { createDoorbell } from '../../../src/callbacks/leasing/doorbell.ts'
import { createInHand, type InHand } from '../../../src/callbacks/leasing/in-hand.ts'
import { type Leasing, startLeasing } from '../../../src/callbacks/leasing/lease-loop.ts'
import type { CallbackQueue } from '../../../src/callbacks/queue/callback-queue.ts'
import type { EnqueuedLease } from '../../../src/callbacks/queue/queued-job.ts'
import { createSlots } from '../../../src/callbacks/queue/slots.ts'
import type { Pool } from '../../../src/db/pool.ts'
import type { Merchant } from '../../../src/merchants/merchant.ts'
import { cloneDatabase } from '../../support/database.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'
import { waitUntil } from '../../support/wait-until.ts'

test('a courier leases on while other couriers begin its jobs, and stops when none does', async () => {
  for (const [begunElsewhere, leased] of [
    [true, 30],
    [false, 7], // Of 8: the last is for a merchant that has none.
  ] as const) {
    const { pool } = await cloneDatabase()
    for (let n = 0; n < 5; n++) {
      const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
      await seedCallbacks(pool, Array(6).fill({ merchant }))
    }
    let added = 0
    let asked = 0
    const leasing = leasingOn(
      {
        waiting: async () => {
          asked++
          return begunElsewhere ? 0 : added
        },
        add: async jobs => {
          added += jobs.length
        },
      },
      pool,
    )
    await waitUntil('all that it may lease', () => added >= leased && asked >= 3)
    await leasing.stop()
    assert.equal(added, leased)
  }
})

test('jobs that begin here while the queue is asked how many wait leave no room for more', async () => {
  const { pool } = await cloneDatabase()
  const [one, other] = [await seedMerchant(pool), await seedMerchant(pool)]
  const orderOf = (merchant: Merchant) => ({ merchant, notifyUrl: 'https://shop.example/cb' })
  const inHand = createInHand(() => undefined)
  const leased: EnqueuedLease[] = []
  let begun = 0
  const played: Pick<CallbackQueue, 'waiting' | 'add'> = {
    waiting: async () => {
      while (begun < leased.length) inHand.begin(leased[begun++]!)
      return 0
    },
    add: async jobs => void leased.push(...jobs.flatMap(job => job.leases)),
  }
  await seedCallbacks(pool, Array(30).fill(orderOf(one)))
  const leasing = leasingOn(played, pool, inHand)
  try {
    await waitUntil('the queue asked', () => begun > 0)
    await seedCallbacks(pool, [orderOf(other)])
    await waitUntil('more leased', () => leased.length > 6)
    assert.deepEqual(
      leased.map(lease => lease.merchantId),
      [...Array(6).fill(one.id), other.id],
    )
  } finally {
    for (const lease of leased) inHand.end(lease)
    await leasing.stop()
  }
})

/** Leases, for 4 slots and 4 ahead, in jobs of one lease each, on a queue that a test plays. */
function leasingOn(
  played: Pick<CallbackQueue, 'waiting' | 'add'>,
  pool: Pool,
  inHand: InHand = createInHand(() => undefined),
): Leasing {
  const queue: CallbackQueue = {
    isReady: () => true,
    missing: async () => [],
    anyWaiting: async () => false,
    begunNoneMs: () => 0,
    rebuild: () => undefined,
    withdraw: async () => [],
    pause: () => undefined,
    close: async () => undefined,
    ...played,
  }
  const bell = createDoorbell()
  return startLeasing({
    pool,
    queue,
    inHand,
    slots: createSlots(4),
    bell,
    log: createLog('silent', 'test'),
    tuning: { ...defaultTuning, slots: 4, aheadMax: 4, pollMs: 20, lostAfterMs: 60_000 },
  })
}
