import type { Redis } from 'ioredis'
import type { Logger } from '../../base/log.ts'

/**
 * Says so, in one line of our log, when a Redis may throw away keys: jobs that vanish are found missing and given out
 * again, so nothing is lost, but each costs seconds. Asked at every connection; a Redis that does not tell is left in peace.
 */
export function warnOfEviction(redis: Redis, log: Logger): void {
  let said: string | undefined
  redis.on('ready', async () => {
    const policy = await policyOf(redis)
    if (policy && policy !== 'noeviction' && policy !== said) {
      log.warn({ policy, wanted: 'noeviction' }, 'queue.redis_may_evict')
    }
    said = policy
  })
}

/** Keeps BullMQ from printing the same past the log: it reads the policy from INFO, on each of its connections. */
export function hidePolicy(redis: Redis): Redis {
  const info = redis.info
  const duplicate = redis.duplicate
  // With arguments it is the client's own question, whether the server has loaded its data: that one has a callback.
  redis.info = ((...asked: Parameters<Redis['info']>) =>
    asked.length > 0
      ? info.apply(redis, asked)
      : info.call(redis).then(answer => answer.replace(policyLine, ''))) as Redis['info']
  redis.duplicate = override => hidePolicy(duplicate.call(redis, override))
  return redis
}

const policyLine = /^maxmemory_policy:(.*?)\r?\n/m

async function policyOf(redis: Redis): Promise<string | undefined> {
  try {
    return policyLine.exec((await redis.call('INFO', 'memory')) as string)?.[1]
  } catch {
    return undefined // It went away again, or does not tell.
  }
}
