import { type BackendFactory, createPostgresBackend, createRedisBackend } from 'bullmq'
import { Redis, type RedisOptions } from 'ioredis'
import type { Logger } from '../../base/log.ts'
import { watchRedis } from '../../base/watch-redis.ts'
import { queueSchema } from '../../db/migrate.ts'
import { clientConfig, endPool, openPool } from '../../db/pool.ts'
import { watchKeptConnections } from '../../db/watch-silence.ts'
import { hidePolicy, warnOfEviction } from './redis-policy.ts'

/** What BullMQ needs to run on one of its two stores. */
export interface QueueBackend {
  // biome-ignore lint/suspicious/noExplicitAny: the two factories share only the interface of what they make.
  factory: BackendFactory<any, any>
  /** Connections for adding jobs and for working on them. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  producer: any
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  consumer: any
  isReady(): boolean
  close(): Promise<void>
}

/** BullMQ's consumer has few commands at a time, none of which takes long. Its waiting connection it watches itself. */
const consumerSilence = { everyMs: 2_000, withinMs: 10_000 }

/**
 * Opens the queue's connections to Redis. They reconnect after an outage, which is logged when it begins and when it ends.
 * @param url redis:// or rediss://; a database that no other gateway uses.
 */
export function openRedisBackend(url: string, log: Logger): QueueBackend {
  // By default ioredis waits longer after each attempt to reconnect, up to 20 s.
  const shared: RedisOptions = { retryStrategy: () => 500, keepAlive: 10_000 }
  // Adding a job fails at once rather than waiting, so that leases that cannot be enqueued are released.
  const failFast: RedisOptions = { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 5_000 }
  const producer = hidePolicy(new Redis(url, { ...shared, ...failFast }))
  const consumer = hidePolicy(new Redis(url, { ...shared, maxRetriesPerRequest: null }))
  watchRedis(producer)
  watchRedis(consumer, consumerSilence)
  const stopLogging = logOutages(producer, log)
  warnOfEviction(producer, log)
  // The producer reports outages for both.
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

/** BullMQ wants numbers as pg has them. What it asks is short, so an answer that takes longer is not coming. */
const postgresOptions = { name: 'recharge-gateway-queue', schema: queueSchema, statementTimeoutMs: 8_000 }

/** Opens the queue's connections to the same Postgres: a schema and a pool of its own, so that it does not compete for ours. */
export function openPostgresBackend(databaseUrl: string, connectionsMax: number): QueueBackend {
  const pool = openPool({ ...clientConfig(databaseUrl, postgresOptions), types: undefined }, connectionsMax)
  // BullMQ keeps one, to be told of jobs.
  const stopWatching = watchKeptConnections(pool)
  return {
    factory: createPostgresBackend,
    producer: pool,
    consumer: pool,
    isReady: () => true,
    close: async () => {
      stopWatching()
      await endPool(pool)
    },
  }
}

/** Logs when Redis becomes unreachable and when it is back. @returns a function to call before closing the connection. */
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

/** How long to wait for an answer. Without one, the queue or worker counts as usable. */
const answerWithinMs = 100

/**
 * Checks whether a queue or worker of BullMQ's must be replaced. On Postgres, one whose first connection failed keeps that
 * failure, and fails from then on even when the database is back.
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
