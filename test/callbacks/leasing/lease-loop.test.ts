import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../../src/base/log.ts'
import { defaultTuning } from '../../../src/callbacks/leasing/courier-tuning.ts'
import { createDoorbell } from '../../../src/callbacks/leasing/doorbell.ts'
import { createInHand } from '../../../src/callbacks/leasing/in-hand.ts'
import { startLeasing } from '../../../src/callbacks/leasing/lease-loop.ts'
import type { CallbackQueue } from '../../../src/callbacks/queue/callback-queue.ts'
import { createSlots } from '../../../src/callbacks/queue/slots.ts'
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
    const queue: CallbackQueue = {
      isReady: () => true,
      waiting: async () => {
        asked++
        return begunElsewhere ? 0 : added
      },
      add: async jobs => {
        added += jobs.length
      },
      missing: async () => [],
      anyWaiting: async () => false,
      begunNoneMs: () => 0,
      rebuild: () => undefined,
      withdraw: async () => [],
      pause: () => undefined,
      close: async () => undefined,
    }
    const bell = createDoorbell()
    const leasing = startLeasing({
      pool,
      queue,
      inHand: createInHand(bell.ring),
      slots: createSlots(4),
      bell,
      log: createLog('silent', 'test'),
      // Jobs of one lease each.
      tuning: { ...defaultTuning, slots: 4, aheadMax: 4, pollMs: 20, lostAfterMs: 60_000 },
    })
    await waitUntil('all that it may lease', () => added >= leased && asked >= 3)
    await leasing.stop()
    assert.equal(added, leased)
  }
})
