import type { Logger } from './base/log.ts'
import type { Registry } from './base/metrics.ts'
import { repeat } from './base/repeat.ts'
import { type CourierTuning, defaultTuning, handedMax } from './callbacks/leasing/courier-tuning.ts'
import { createDoorbell } from './callbacks/leasing/doorbell.ts'
import { createInHand, type InHand } from './callbacks/leasing/in-hand.ts'
import { startLeasing } from './callbacks/leasing/lease-loop.ts'
import { dueChannel } from './callbacks/outbox/callback-store.ts'
import type { HandedLease } from './callbacks/outbox/lease.ts'
import { runResendJobs } from './callbacks/outbox/resend-jobs.ts'
import { openQueue, queueNameOf } from './callbacks/queue/callback-queue.ts'
import { createSlots, type Slots } from './callbacks/queue/slots.ts'
import { deleteOldHours } from './callbacks/sending/callback-hour-store.ts'
import { openCallbackHours, writeHoursEveryMs } from './callbacks/sending/callback-hours.ts'
import { countWorking } from './callbacks/sending/callback-metrics.ts'
import { type Delivery, deliverCallback } from './callbacks/sending/deliver-callback.ts'
import { openDelivery } from './callbacks/sending/open-delivery.ts'
import { type EventTuning, sendEvents } from './callbacks/sending/send-events.ts'
import { listen } from './db/listen.ts'
import { makePartitions, makePartitionsAtStart, partitionsEveryMs } from './db/partitions.ts'
import type { Pool } from './db/pool.ts'
import { requireOwnSessions, requirePreparedStatements, sharesSessions } from './db/pooling-proxy.ts'
import { createGuardedAgent } from './egress/guarded-agent.ts'
import type { MerchantDirectory } from './merchants/merchant-directory.ts'

/** Whoever asks for a resend in bulk sees it begin within this time. */
const resendJobsEveryMs = 1_000

export interface RunningCourier {
  /** Whether it can deliver: the database and the queue could be reached when it last tried. */
  isWorking(): boolean
  stop(): Promise<void>
}

/**
 * Starts a courier: it leases due callbacks from Postgres, enqueues them, and delivers what the queue hands out. Any number
 * may run.
 * @param redisUrl where the queue is; without it, the queue is on the same Postgres.
 * @throws when Postgres cannot be reached. Redis may become reachable later.
 */
export async function startCourier(options: {
  pool: Pool
  databaseUrl: string
  redisUrl: string | undefined
  /** To Postgres, for a queue that is there. */
  queueConnections?: number
  merchants: MerchantDirectory
  allowedNetworks: readonly string[]
  log: Logger
  registry?: Registry
  tuning?: Partial<CourierTuning>
  eventTuning?: Partial<EventTuning>
}): Promise<RunningCourier> {
  const { pool, log, databaseUrl, redisUrl, allowedNetworks } = options
  const tuning = { ...defaultTuning, ...options.tuning }
  await requirePreparedStatements(pool)
  if (!redisUrl) await requireOwnSessions(pool, 'the queue on Postgres needs sessions of its own')
  await makePartitionsAtStart(pool, new Date(), log)
  const name = await queueNameOf(pool)
  const agent = createGuardedAgent({ allowedNetworks, connectTimeoutMs: tuning.deadlineMs })
  const hours = openCallbackHours()
  const delivery = openDelivery({ ...options, tuning, agent, hours })
  const bell = createDoorbell()
  const inHand = createInHand(bell.ring)
  const slots = createSlots(tuning.slots)
  const handle = (lease: HandedLease) => deliver({ inHand, slots, delivery }, lease)
  const queue = openQueue({
    name,
    redisUrl,
    databaseUrl,
    connectionsMax: options.queueConnections,
    slots,
    handedMax: handedMax(tuning),
    handle,
    log,
  })
  const leasing = startLeasing({ pool, queue, inHand, slots, bell, log, tuning })
  const listener = (await sharesSessions(pool))
    ? null
    : listen({
        ...{ databaseUrl, name: 'recharge-gateway-listen', channel: dueChannel, ring: bell.ring },
        lost: reason => log.warn({ reason }, 'courier.listen_lost'),
        again: () => log.info('courier.listening_again'),
      })
  // Notifications go to a session. Without, the loop polls.
  if (!listener) log.warn({ pollMs: tuning.pollMs }, 'courier.polls')
  const stopping = new AbortController()
  const every = { log, signal: stopping.signal }
  const chores = [
    repeat({
      ...every,
      chore: 'partitions',
      everyMs: partitionsEveryMs,
      work: () => makePartitions(pool, new Date()),
    }),
    repeat({
      ...every,
      chore: 'resend jobs',
      everyMs: resendJobsEveryMs,
      work: () => runResendJobs(pool, { signal: stopping.signal }),
    }),
    repeat({ ...every, chore: 'callback hours', everyMs: writeHoursEveryMs, work: () => hours.write(pool) }),
    repeat({
      ...every,
      chore: 'old callback hours',
      everyMs: partitionsEveryMs,
      work: () => deleteOldHours(pool, stopping.signal),
    }),
  ]
  const events = sendEvents({ ...options, agent, tuning: options.eventTuning, signal: stopping.signal })
  countWorking(options.registry, leasing.isWorking)
  log.info({ slots: tuning.slots, queue: redisUrl ? 'redis' : 'postgres' }, 'courier.started')
  return {
    isWorking: leasing.isWorking,
    stop: async () => {
      stopping.abort()
      await Promise.all([...chores, events, listener?.stop(), leasing.stop()])
      await queue.close()
      await hours.write(pool).catch(err => log.warn({ err, chore: 'callback hours' }, 'chore.failed'))
      await agent.destroy()
      log.info('courier.stopped')
    },
  }
}

/** Delivers a lease that the queue handed out, in a slot of its merchant's share. A courier that is stopping releases it instead. */
async function deliver(
  courier: { inHand: InHand; slots: Slots; delivery: Delivery },
  lease: HandedLease,
): Promise<void> {
  const { inHand, slots, delivery } = courier
  const own = inHand.begin(lease)
  if (own === 'already') return
  try {
    await slots.use(lease.merchantId, async () => {
      if (inHand.closed) await delivery.release(lease)
      else await deliverCallback(delivery, lease, own)
    })
  } finally {
    inHand.end(lease)
  }
}
