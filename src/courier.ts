import type { Logger } from './base/log.ts'
import type { Registry } from './base/metrics.ts'
import { type CourierTuning, defaultTuning } from './callbacks/leasing/courier-tuning.ts'
import { createDoorbell } from './callbacks/leasing/doorbell.ts'
import { listenForDue } from './callbacks/leasing/due-listener.ts'
import { finishInHand, type Leasing, leaseWhileOpen, withdrawUnsent } from './callbacks/leasing/lease-loop.ts'
import type { Lease } from './callbacks/outbox/lease.ts'
import { leaseKey } from './callbacks/outbox/lease.ts'
import { openQueue, queueNameOf } from './callbacks/queue/callback-queue.ts'
import { countWorking } from './callbacks/sending/callback-metrics.ts'
import { deliverCallback } from './callbacks/sending/deliver-callback.ts'
import { openDelivery } from './callbacks/sending/open-delivery.ts'
import { makePartitions } from './db/partitions.ts'
import type { Pool } from './db/pool.ts'
import { createGuardedAgent } from './egress/guarded-agent.ts'
import type { MerchantDirectory } from './merchants/merchant-directory.ts'

const dayMs = 86_400_000

export interface RunningCourier {
  /** Whether it can deliver: the database and the queue are there, as far as its last look at them went. */
  isWorking(): boolean
  stop(): Promise<void>
}

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
}): Promise<RunningCourier> {
  const { pool, log, databaseUrl, redisUrl, allowedNetworks } = options
  const tuning = { ...defaultTuning, ...options.tuning }
  await makePartitions(pool, new Date())
  const name = await queueNameOf(pool)
  const agent = createGuardedAgent({ allowedNetworks, connectTimeoutMs: tuning.deadlineMs })
  const delivery = openDelivery({ ...options, tuning, agent })
  const bell = createDoorbell()
  const active = new Set<string>()
  const enqueued: Leasing['enqueued'] = new Map()

  const handle = async (lease: Lease) => {
    const id = leaseKey(lease)
    const own = enqueued.get(id)
    enqueued.delete(id)
    // The queue gives a job out again when this process has been too busy to hold on to it; it is still at it.
    if (active.has(id)) return
    active.add(id)
    try {
      if (leasing.stopping) await delivery.release(lease)
      else await deliverCallback(delivery, lease, own)
    } finally {
      active.delete(id)
      bell.ring()
    }
  }
  const queue = openQueue({ name, redisUrl, databaseUrl, slots: tuning.slots, handle, log })
  const inHand = { active, enqueued, begunElsewhere: 0, stopping: false, working: false }
  const leasing: Leasing = { pool, queue, bell, log, tuning, ...inHand }
  const listener = listenForDue(databaseUrl, bell.ring, log)
  const loop = leaseWhileOpen(leasing)
  const daily = setInterval(() => makePartitionsAgain(pool, log), dayMs)
  log.info({ slots: tuning.slots, queue: redisUrl ? 'redis' : 'postgres' }, 'courier.started')
  countWorking(options.registry, () => leasing.working)
  return {
    isWorking: () => leasing.working,
    stop: async () => {
      clearInterval(daily)
      leasing.stopping = true
      bell.ring()
      await Promise.all([loop, listener.stop(), queue.pause()])
      await withdrawUnsent(leasing)
      await finishInHand(leasing, tuning.deadlineMs + 1_000)
      await queue.close()
      await agent.destroy()
      log.info('courier.stopped')
    },
  }
}

function makePartitionsAgain(pool: Pool, log: Logger): void {
  makePartitions(pool, new Date()).catch(error =>
    // The default partition catches what has none; tomorrow it is tried again.
    log.warn({ error: error.message }, 'courier.partitions_failed'),
  )
}
