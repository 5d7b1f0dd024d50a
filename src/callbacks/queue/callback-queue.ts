import { Queue } from 'bullmq'
import type { Logger } from '../../base/log.ts'
import { databaseIdOf } from '../../db/database-id.ts'
import type { Queryable } from '../../db/pool.ts'
import type { Lease } from '../outbox/lease.ts'
import { leaseKey } from '../outbox/lease.ts'
import { type CallConsumer, consumeCalls } from './job-consumer.ts'
import { isUnusable, openPostgresBackend, openRedisBackend, type QueueBackend } from './queue-backend.ts'
import { type CallData, callData, callSize, divideIntoCalls } from './queued-job.ts'

/** Wake-up calls for couriers: what is in it is a copy of leases, and may be lost at any time. */
export interface CallbackQueue {
  /** Whether it can be reached now. */
  isReady(): boolean
  /** About how many leases are in calls that no courier has begun. */
  waiting(): Promise<number>
  /** @throws when they may not all have been taken. */
  add(leases: readonly Lease[]): Promise<void>
  /** @returns those added here whose call the queue does not know any more: done, or lost with it. */
  missing(leases: readonly Lease[]): Promise<Lease[]>
  /** Takes back calls that nobody has begun. @returns the leases that could be taken back. */
  withdraw(leases: readonly Lease[]): Promise<Lease[]>
  /** Begins no further call. */
  pause(): Promise<void>
  /** To be called when no call is in hand any more. */
  close(): Promise<void>
}

/** Before all of our keys in Redis. */
export const queuePrefix = 'recharge-gateway'

/**
 * Opens the queue, on Redis or on Postgres, and handles its calls from then on: one code path for both.
 * @param name from `queueNameOf`.
 * @param slots leases handled at once at the most.
 * @param handle never throws for what an endpoint does; when it throws, the lease runs out and another epoch begins.
 */
export function openQueue(options: {
  name: string
  redisUrl: string | undefined
  databaseUrl: string
  slots: number
  handle: (lease: Lease) => Promise<void>
  log: Logger
}): CallbackQueue {
  const { name, log, slots } = options
  const backend = options.redisUrl
    ? openRedisBackend(options.redisUrl, log)
    : openPostgresBackend(options.databaseUrl, log)
  let queue = openProducer(name, backend, log)
  const size = callSize(slots)
  // The call that each lease went out in, until it is begun here or found to be over.
  const callOf = new Map<string, string>()
  const handle = (lease: Lease) => {
    callOf.delete(leaseKey(lease))
    return options.handle(lease)
  }
  const consumer = consumeCalls({ name, prefix: queuePrefix, backend, slots, callSize: size, handle, log })
  const settle = async (leases: readonly Lease[], isOver: (callId: string) => Promise<boolean>) => {
    const over = await leasesWhere(leases, callOf, isOver)
    for (const lease of over) callOf.delete(leaseKey(lease))
    return over
  }
  return {
    isReady: backend.isReady,
    waiting: async () => {
      const calls = await queue.getWaitingCount()
      // Others' calls are about as large as ours.
      return calls === 0 ? 0 : Math.ceil((calls * callOf.size) / Math.max(1, new Set(callOf.values()).size))
    },
    add: async leases => {
      const calls = divideIntoCalls(leases, size).map(together => ({ id: leaseKey(together[0]!), together }))
      for (const { id, together } of calls) for (const lease of together) callOf.set(leaseKey(lease), id)
      try {
        await queue.addBulk(
          calls.map(({ id, together }) => ({
            name: 'send',
            data: callData(together),
            opts: { jobId: `cb-${id}` },
          })),
        )
      } catch (error) {
        for (const lease of leases) callOf.delete(leaseKey(lease))
        if (await isUnusable(queue)) {
          void queue.close().catch(() => undefined) // It never was open.
          queue = openProducer(name, backend, log)
        }
        throw error
      }
    },
    missing: leases => settle(leases, async id => (await queue.getJobState(`cb-${id}`)) === 'unknown'),
    withdraw: leases => settle(leases, async id => (await queue.remove(`cb-${id}`)) === 1),
    pause: async () => consumer.pause(),
    close: () => closeQueue(queue, consumer, backend),
  }
}

function openProducer(name: string, backend: QueueBackend, log: Logger): Queue<CallData> {
  const queue = new Queue<CallData>(
    name,
    {
      connection: backend.producer,
      prefix: queuePrefix,
      // History is Postgres'; a finished job that stayed would only be an id that cannot be used again.
      defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
      streams: { events: { maxLen: 0 } },
    },
    backend.factory,
  )
  queue.on('error', error => log.debug({ error: error.message }, 'queue.error'))
  return queue
}

/** Those of the leases whose call is as asked; each call is asked after once. */
async function leasesWhere(
  leases: readonly Lease[],
  callOf: ReadonlyMap<string, string>,
  test: (callId: string) => Promise<boolean>,
): Promise<Lease[]> {
  const ids = [...new Set(leases.map(lease => callOf.get(leaseKey(lease))))].filter(id => id !== undefined)
  const results = new Map(await Promise.all(ids.map(async id => [id, await test(id)] as const)))
  return leases.filter(lease => results.get(callOf.get(leaseKey(lease)) ?? ''))
}

/** How long BullMQ may take over its goodbyes; without its server it never finishes them. */
const closeWithinMs = 2_000

async function closeQueue(queue: Queue, consumer: CallConsumer, backend: QueueBackend): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const cut = new Promise<void>(resolve => {
    timer = setTimeout(resolve, backend.isReady() ? closeWithinMs : 0)
  })
  await Promise.race([consumer.close().then(() => queue.close()), cut])
  clearTimeout(timer)
  await backend.close()
}

/** The name of this database's queue: another gateway's calls, were they in one Redis, would be dropped as not theirs. */
export async function queueNameOf(db: Queryable): Promise<string> {
  return `callbacks-${await databaseIdOf(db)}`
}
