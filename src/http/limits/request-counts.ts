import { Redis } from 'ioredis'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'

/** How many requests of a key fall into its present window, this one included, and when the window ends. */
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

/** Keys one process remembers at the most; beyond it, the ones seen longest ago are forgotten. */
const keysMax = 100_000

/** Counts for this process alone. */
export function countHere(clock: Clock): RequestCounts {
  const windows = new Map<string, { current: number; endsAt: number }>()
  return {
    count(key, windowMs) {
      const now = clock.now().getTime()
      let window = windows.get(key)
      if (!window || window.endsAt <= now) {
        // Set anew, so that the map's order is that of the windows' beginnings.
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

/** Redis answers within this, or the process counts for itself: no request waits longer for its limit. */
const redisTimeoutMs = 100
/** How long the start waits for a connection: what is counted before there is one, no other replica knows of. */
const firstConnectionMs = 1_000
/** After a failure Redis is left alone this long, so that one that says nothing slows down few requests. */
const redisRestMs = 1_000

// A new count has no end yet; nor has one that lost its own, which would lock its client out for good.
const countScript = `
local current = redis.call('INCR', KEYS[1])
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then
  ttl = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return {current, ttl}`

/**
 * Counts in Redis for all replicas; while it is down or silent, each process counts for itself, from the start on if need be.
 * @param prefix before every key: another for each database, since two gateways may have been given one Redis.
 */
export async function countInRedis(
  url: string,
  prefix: string,
  clock: Clock,
  log: Logger,
): Promise<RequestCounts> {
  const redis = new Redis(url, {
    // Fail at once instead of queueing for a connection that is not there.
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

/** Waits until it is known whether there is a connection, though not for long. */
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
