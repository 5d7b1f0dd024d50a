import type { Logger } from './base/log.ts'
import type { Registry } from './base/metrics.ts'
import { type FinishedAttempt, recordAttempts } from './callbacks/attempt-store.ts'
import { createCallbackMetrics } from './callbacks/callback-metrics.ts'
import { type CallbackQueue, jobId, openQueue } from './callbacks/callback-queue.ts'
import { type Delivery, deliverCallback } from './callbacks/deliver-callback.ts'
import { createDoorbell } from './callbacks/doorbell.ts'
import { listenForDue } from './callbacks/due-listener.ts'
import { createGuardedAgent } from './callbacks/guarded-agent.ts'
import { giveBack, type Leasing, leaseWhileOpen } from './callbacks/lease-loop.ts'
import { type Lease, releaseLeases, renewLeases } from './callbacks/lease-store.ts'
import { sendDeadlineMs } from './callbacks/send-callback.ts'
import { makePartitions } from './db/partitions.ts'
import type { Pool } from './db/pool.ts'
import { shareRoundTrips } from './db/shared-round-trip.ts'
import type { MerchantDirectory } from './merchants/merchant-directory.ts'

/** Times and sizes that belong together; a test may have them shorter. */
export interface CourierTuning {
  /** Callbacks in hand at once. */
  slots: number
  /** An attempt, from the DNS question to the last byte. */
  deadlineMs: number
  /** What a renewed lease has left at the least: the attempt, and 5 s for the rest. */
  marginMs: number
  /** Longer than an attempt and the 8 s after which a killed courier's jobs are found again, together. */
  leaseMs: number
  pollMs: number
  lostAfterMs: number
}

const defaultTuning: CourierTuning = {
  slots: 256,
  deadlineMs: sendDeadlineMs,
  marginMs: sendDeadlineMs + 5_000,
  leaseMs: 30_000,
  pollMs: 250,
  lostAfterMs: 2_000,
}

const dayMs = 86_400_000

/**
 * Opens a courier: it leases what is due from Postgres, rings the queue, and delivers. Any number may run.
 * @param redisUrl where the queue is; without it, on the same Postgres.
 * @throws when Postgres cannot be reached. Redis may come later.
 */
export async function startCourier(options: {
  pool: Pool
  databaseUrl: string
  redisUrl: string | undefined
  merchants: MerchantDirectory
  allowedNetworks: readonly string[]
  log: Logger
  registry?: Registry
  tuning?: Partial<CourierTuning>
}): Promise<{ stop(): Promise<void> }> {
  const { pool, log } = options
  const tuning = { ...defaultTuning, ...options.tuning }
  await makePartitions(pool, new Date())
  const agent = createGuardedAgent({
    allowedNetworks: options.allowedNetworks,
    connectTimeoutMs: tuning.deadlineMs,
  })
  const bell = createDoorbell()
  const delivery = openDelivery({ ...options, ...tuning, agent })
  const active = new Set<string>()
  const enqueued: Leasing['enqueued'] = new Map()
  const handle = async (lease: Lease) => {
    const id = jobId(lease)
    enqueued.delete(id)
    // The queue gives a job out again when this process has been too busy to hold on to it; it is still at it.
    if (active.has(id)) return
    active.add(id)
    try {
      if (leasing.stopping) await delivery.release(lease)
      else await deliverCallback(delivery, lease)
    } finally {
      active.delete(id)
      bell.ring()
    }
  }
  const queue = openQueue({ ...options, slots: tuning.slots, handle })
  const leasing: Leasing = { ...tuning, pool, queue, bell, log, active, enqueued, stopping: false }
  const listener = listenForDue(options.databaseUrl, bell.ring, log)
  const loop = leaseWhileOpen(leasing)
  const daily = setInterval(() => makePartitionsAgain(pool, log), dayMs)
  log.info({ slots: tuning.slots, queue: options.redisUrl ? 'redis' : 'postgres' }, 'courier.started')
  return {
    stop: async () => {
      clearInterval(daily)
      leasing.stopping = true
      bell.ring()
      await Promise.all([loop, listener.stop(), queue.pause()])
      await withdrawUnsent(leasing, queue)
      await finishInHand(leasing, tuning.deadlineMs + 1_000)
      await queue.close()
      await agent.destroy()
      log.info('courier.stopped')
    },
  }
}

/** The deliveries in hand share statements: one round trip for all that ask while the last one is under way. */
function openDelivery(
  options: Omit<Delivery, 'renew' | 'release' | 'record' | 'metrics'> & {
    pool: Pool
    registry?: Registry
    leaseMs: number
    slots: number
  },
): Delivery {
  const { pool, slots } = options
  // No more can be waiting than are in hand. One round trip at a time: two would be half as full.
  const together = { itemsMax: slots, waitingMax: Number.POSITIVE_INFINITY, inFlightMax: 1 }
  const renew = async (leases: readonly Lease[]) => {
    const held = await renewLeases(pool, leases, options)
    const byJob = new Map(held.map(callback => [jobId(callback), callback]))
    return leases.map(lease => byJob.get(jobId(lease)) ?? null)
  }
  return {
    ...options,
    renew: shareRoundTrips({ ...together, run: renew }),
    record: shareRoundTrips<FinishedAttempt, boolean>({
      ...together,
      run: attempts => recordAttempts(pool, attempts),
    }),
    release: lease => releaseLeases(pool, [lease]),
    metrics: createCallbackMetrics(options.registry, pool),
  }
}

/** Waits for what is being sent and recorded, at the longest for as long as given. */
async function finishInHand(leasing: Leasing, atMostMs: number): Promise<void> {
  const end = performance.now() + atMostMs
  while (leasing.active.size > 0 && performance.now() < end) await leasing.bell.wait(100)
}

/** What was enqueued and not begun goes back, so that another courier has it now and not when its lease runs out. */
async function withdrawUnsent(leasing: Leasing, queue: CallbackQueue): Promise<void> {
  const unsent = [...leasing.enqueued.values()].map(({ lease }) => lease)
  try {
    await giveBack(leasing, queue.isReady() ? await queue.withdraw(unsent) : unsent)
  } catch (error) {
    leasing.log.warn(
      { error: (error as Error).message, leases: unsent.length },
      'courier.leases_left_to_lapse',
    )
  }
}

function makePartitionsAgain(pool: Pool, log: Logger): void {
  makePartitions(pool, new Date()).catch(error =>
    // The default partition catches what has none; tomorrow it is tried again.
    log.warn({ error: error.message }, 'courier.partitions_failed'),
  )
}
