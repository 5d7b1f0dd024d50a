import { Redis } from 'ioredis'
import { type Finding, look, ok, wrong } from './finding.ts'

const area = 'redis'
const connectMs = 5_000

/** Says whether Redis answers and may lose jobs. @param url of REDIS_URL; undefined: the queue is on Postgres. */
export async function checkRedis(url: string | undefined): Promise<Finding[]> {
  if (url === undefined) return [ok(area, 'not used: the queue is on Postgres')]
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: connectMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  redis.on('error', () => undefined) // The call below fails with it.
  try {
    await redis.connect()
    const info = `${await redis.call('INFO')}`
    const fact = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1]
    const policy = fact('maxmemory_policy')
    return [
      ok(area, `${fact('redis_version') ?? 'unknown version'}, ${fact('used_memory_human') ?? '?'} in use`),
      policy === undefined || policy === 'noeviction'
        ? ok(area, `maxmemory-policy ${policy ?? 'not told'}`)
        : look(
            area,
            `maxmemory-policy is ${policy}: it may evict jobs, which delays callbacks. Set it to noeviction`,
          ),
    ]
  } catch (error) {
    return [wrong(area, `cannot be reached: ${(error as Error).message}`)]
  } finally {
    redis.disconnect()
  }
}
