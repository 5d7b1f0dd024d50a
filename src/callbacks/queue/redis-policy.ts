import type { Redis } from 'ioredis'
import type { Logger } from '../../base/log.ts'

/**
 * Logs one warning when Redis may evict keys. Evicted jobs are found missing and enqueued again, so no callback is lost, but
 * each is delayed by seconds. The policy is read at every connection; when Redis refuses to tell it, nothing is logged.
 */
export function warnOfEviction(redis: Redis, log: Logger): void {
  let warned: string | undefined
  redis.on('ready', async () => {
    const policy = await policyOf(redis)
    if (policy && policy !== 'noeviction' && policy !== warned) {
      log.warn({ policy, wanted: 'noeviction' }, 'queue.redis_may_evict')
    }
    warned = policy
  })
}

/** Hides the policy from BullMQ, which reads it from INFO on each connection and prints the same warning to the console. */
export function hidePolicy(redis: Redis): Redis {
  const info = redis.info
  const duplicate = redis.duplicate
  // With arguments it is ioredis itself that asks, with a callback, whether the server has loaded its data.
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
    return undefined // The connection is lost again, or the command is not allowed.
  }
}
