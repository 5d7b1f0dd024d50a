import { type BackendFactory, createPostgresBackend, createRedisBackend } from 'bullmq'
import { Redis, type RedisOptions } from 'ioredis'
import pg from 'pg'
import type { Logger } from '../../base/log.ts'
import { queueSchema } from '../../db/migrate.ts'
import { hidePolicy, warnOfEviction } from './redis-policy.ts'

/** What BullMQ needs to run on one of its two stores. */
export interface QueueBackend {
  // biome-ignore lint/suspicious/noExplicitAny: the two factories have nothing in common but the interface they make.
  factory: BackendFactory<any, any>
  /** Connections for adding jobs and for working on them. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  producer: any
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  consumer: any
  isReady(): boolean
  close(): Promise<void>
}

/**
 * Redis. An outage is logged once when it begins and once when it ends, and is waited out.
 * @param url redis:// or rediss://; a database no other gateway uses.
 */
export function openRedisBackend(url: string, log: Logger): QueueBackend {
  // By default ioredis comes back ever more slowly, up to 20 s after an outage.
  const shared: RedisOptions = { retryStrategy: () => 500, keepAlive: 10_000 }
  // Adding fails at once rather than waiting: a lease that cannot be enqueued is given back.
  const failFast: RedisOptions = { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 5_000 }
  const producer = hidePolicy(new Redis(url, { ...shared, ...failFast }))
  const consumer = hidePolicy(new Redis(url, { ...shared, maxRetriesPerRequest: null }))
  const stopLogging = logOutages(producer, log)
  warnOfEviction(producer, log)
  // The producer tells of outages for both.
  consumer.on('error', () => undefined)
  return {
    factory: createRedisBackend,
    producer,
    consumer,
    isReady: () => producer.status === 'ready',
    close: async () => {
      stopLogging()
      producer.disconnect()
      consumer.disconnect()
    },
  }
}

/** The same Postgres, in a schema of the queue's own; its pool is its own too, so that nobody waits for the other. */
export function openPostgresBackend(databaseUrl: string, log: Logger): QueueBackend {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    options: `-c search_path=${queueSchema}`,
    application_name: 'recharge-gateway-queue',
    max: 16,
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
  })
  // An idle connection that broke; whoever needs one next hears of it.
  pool.on('error', error => log.debug({ error: error.message }, 'queue.error'))
  return {
    factory: createPostgresBackend,
    producer: pool,
    consumer: pool,
    isReady: () => true,
    close: () => pool.end(),
  }
}

/** @returns what to call before the connection is closed on purpose. */
function logOutages(redis: Redis, log: Logger): () => void {
  let reachable: boolean | undefined
  let reason = 'connection closed'
  const lost = () => {
    if (reachable !== false) log.warn({ reason }, 'queue.redis_unreachable')
    reachable = false
  }
  redis.on('error', error => {
    reason = error.message || reason
  })
  redis.on('close', lost)
  redis.on('ready', () => {
    if (reachable === false) log.info('queue.redis_back')
    reachable = true
  })
  return () => redis.off('close', lost)
}

/** How long a store that says neither is waited for; it is tried again then. */
const answerWithinMs = 100

/**
 * Whether a queue or worker of BullMQ's is of no use any more: on Postgres it remembers for ever when its first connection
 * could not be had, and fails from then on, whatever has become of the database.
 */
export async function isUnusable(opened: { waitUntilReady(): Promise<unknown> }): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const unknown = new Promise<false>(resolve => {
    timer = setTimeout(resolve, answerWithinMs, false)
  })
  const refused = opened.waitUntilReady().then(
    () => false,
    () => true,
  )
  const unusable = await Promise.race([refused, unknown])
  clearTimeout(timer)
  return unusable
}
