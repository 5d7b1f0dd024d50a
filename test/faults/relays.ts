import { type BreakableProxy, openBreakableProxy } from '../support/breakable-proxy.ts'

/** Ways of one process's own to the servers that it connects to, which can go silent. */
export interface Relays {
  postgres: BreakableProxy
  /** Null: it uses no Redis. */
  redis: BreakableProxy | null
  node: BreakableProxy
  /** What of its environment leads it that way. */
  env: Record<string, string>
  close(): Promise<void>
}

/** Opens them before the servers that an environment names. Its node is one. */
export async function openRelays(env: Record<string, string>): Promise<Relays> {
  const [postgres, redis, node] = [
    await openBreakableProxy(env.DATABASE_URL!),
    env.REDIS_URL === undefined ? null : await openBreakableProxy(env.REDIS_URL),
    await openBreakableProxy(env.TRON_NODES!),
  ]
  return {
    postgres,
    redis,
    node,
    env: { DATABASE_URL: postgres.url, TRON_NODES: node.url, ...(redis && { REDIS_URL: redis.url }) },
    close: async () => {
      await Promise.all([postgres.cut(), redis?.cut(), node.cut()])
    },
  }
}
