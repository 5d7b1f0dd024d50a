import type { FastifyInstance } from 'fastify'
import { systemClock } from './base/clock.ts'
import type { Config } from './base/config.ts'
import type { Logger } from './base/log.ts'
import { makePartitions } from './db/partitions.ts'
import { type AppOptions, buildApp } from './http/app.ts'
import { purgeNonces } from './merchants/request-nonce-store.ts'

export interface ApiOptions extends Omit<AppOptions, 'config' | 'redisUrl'> {
  config: AppOptions['config'] & Pick<Config, 'host' | 'port' | 'redisUrl'>
}

const dayMs = 86_400_000
const minuteMs = 60_000

/**
 * Opens the API: signed order -> assigned address.
 * @returns the URL it listens on; `stop` answers what is in hand first.
 */
export async function startApi(options: ApiOptions): Promise<{ url: string; stop(): Promise<void> }> {
  const { pool, config, log, clock = systemClock } = options
  await makePartitions(pool, clock.now())
  const app = await buildApp({ ...options, redisUrl: config.redisUrl })
  const url = await app.listen({ host: config.host, port: config.port })
  const chores = [
    repeat(dayMs, 'partitions', () => makePartitions(pool, clock.now()), log),
    repeat(minuteMs, 'nonces', () => purgeNonces(pool), log),
  ]
  log.info({ url }, 'api.listening')
  return {
    url,
    stop: async () => {
      await close(app)
      await Promise.all(chores.map(chore => chore.stop()))
    },
  }
}

/**
 * Answers what is in hand and closes. A connection that was busy when closing began stays open after its answer, in
 * case there is more; it is closed when it falls idle instead of after its keep-alive time.
 */
async function close(app: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), 20)
  try {
    await app.close()
  } finally {
    clearInterval(sweep)
  }
}

/** Does a chore every so often; one that fails is tried again the next time. */
function repeat(intervalMs: number, chore: string, work: () => Promise<unknown>, log: Logger) {
  let working: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    working = work().catch(err => log.warn({ err, chore }, 'chore.failed'))
  }, intervalMs)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      return working
    },
  }
}
