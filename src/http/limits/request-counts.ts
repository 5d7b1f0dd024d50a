import { Redis } from 'ioredis'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import { watchRedis } from '../../base/watch-redis.ts'

/** The requests of a key in its current window, this one included, and when the window ends. */
export interface RequestCount {
  current: number
  /** Milliseconds. */
  ttl: number
}

/** Counts requests in fixed windows. */
export interface RequestCounts {
  count(key: string, windowMs: number): Promise<RequestCount> | RequestCount
  close(): void
}

/** Keys that a process remembers at most. Above it, the keys with the oldest windows are dropped. */
const keysMax = 100_000

/** Counts in this process alone. */
export function countHere(clock: Clock): RequestCounts {
  const windows = new Map<string, { current: number; endsAt: number }>()
  return {
    count(key, windowMs) {
      const now = clock.now().getTime()
      let window = windows.get(key)
      if (!window || window.endsAt <= now) {
        // Deleted and set again, so that the map is in the order in which windows began.
        windows.delete(key)
        window = { current: 0, endsAt: now + windowMs }
        windows.set(key, window)
        if (windows.size > keysMax) windows.delete(windows.keys().next().value!)
      }
      window.current++
      return { current: window.current, ttl: window.endsAt - now }
    },
    close: () => undefined,
  }
}

/** If Redis does not answer within this time, the process counts by itself. No request waits longer for its limit. */
const redisTimeoutMs = 100
/** How long the start waits for a connection. Requests counted before there is one are unknown to other replicas. */
const firstConnectionMs = 1_000
/** After a failure Redis is not asked for this long, so that a silent Redis slows down few requests. */
const redisRestMs = 1_000

// A new count has no expiry yet. A count that lost its expiry gets a new one: otherwise it would block its client forever.
const countScript = `
local current = redis.call('INCR', KEYS[1])
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then
  ttl = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return {current, ttl}`

/**
 * Counts in Redis for all replicas. While Redis is down or silent, also at the start, each process counts by itself.
 * @param prefix put before every key; different for each database, since two gateways may share one Redis.
 */
export async function countInRedis(
  url: string,
  prefix: string,
  clock: Clock,
  log: Logger,
): Promise<RequestCounts> {
  const redis = new Redis(url, {
    // Fail at once, instead of queueing until there is a connection.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: redisTimeoutMs,
    connectTimeout: 2_000,
    retryStrategy: () => 500,
    scripts: { countRequest: { lua: countScript, numberOfKeys: 1 } },
  }) as Redis & { countRequest(key: string, windowMs: number): Promise<[number, number]> }
  const here = countHere(clock)
  let restUntil = 0
  let down = false
  const failed = (err: unknown) => {
    restUntil = clock.now().getTime() + redisRestMs
    if (!down) log.warn({ err }, 'rate_limit.counting_here')
    down = true
  }
  redis.on('error', failed)
  watchRedis(redis)
  await connectedOrNot(redis)
  return {
    async count(key, windowMs) {
      if (clock.now().getTime() < restUntil) return here.count(key, windowMs)
      try {
        const [current, ttl] = await redis.countRequest(prefix + key, windowMs)
        if (down) log.info('rate_limit.counting_in_redis')
        down = false
        return { current, ttl }
      } catch (err) {
        failed(err)
        return here.count(key, windowMs)
      }
    },
    close: () => redis.disconnect(),
  }
}

/** Waits until the connection is open or has failed, for at most `firstConnectionMs`. */
function connectedOrNot(redis: Redis): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, firstConnectionMs)
    const known = () => {
      clearTimeout(timer)
      resolve()
    }
    redis.once('ready', known).once('error', known)
  })
}
