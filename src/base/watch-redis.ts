import type { Redis } from 'ioredis'

/** How often a connection to Redis is asked for a sign of life, and how long it may give none. */
const silence = { everyMs: 1_000, withinMs: 5_000 }

/**
 * Watches a connection to Redis, and has it made anew when it has gone silent: a firewall forgot it, say. ioredis waits for
 * answers on such a connection for ever.
 * @param withinMs longer than a command that waits for something.
 */
export function watchRedis(redis: Redis, { everyMs, withinMs } = silence): void {
  // Counted and not timed: where this process stood still, nothing was read, and all connections would be taken for silent.
  let unanswered = 0
  const alive = () => {
    unanswered = 0
  }
  const timer = setInterval(() => {
    // Otherwise it is connecting, which has a deadline, or closed on purpose.
    if (redis.status !== 'ready' && redis.status !== 'connect') return alive()
    if (unanswered++ * everyMs >= withinMs) {
      alive()
      redis.disconnect(true)
    } else if (redis.status === 'ready')
      // A refusal is an answer too. The commands' own deadline is none.
      redis.ping().then(alive, error => error.name === 'ReplyError' && alive())
  }, everyMs)
  timer.unref()
  redis.once('end', () => clearInterval(timer))
}
