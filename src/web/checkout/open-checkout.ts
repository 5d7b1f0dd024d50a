import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../../base/config.ts'
import type { Logger } from '../../base/log.ts'
import type { Pool } from '../../db/pool.ts'
import { checkoutRoutes } from './checkout-routes.ts'
import { openLivePages } from './live-pages.ts'

export interface Checkout {
  /** Adds the pages to an app; they are closed with it. */
  register(app: FastifyInstance): void
  /** Open pages look for changes now. They do so every now and then anyhow. */
  look(): void
}

/** Pages that are open. A process holds 2 000 of them easily. */
const streamCaps = { inAll: 4_000, perClient: 64 }
/** Usually they have been told before. Through a proxy that shares sessions nobody is told. */
const lookEveryMs = 1_000

/** Opens the payers' pages. @param clientOf whom a request is counted for. */
export function openCheckout(options: {
  pool: Pool
  config: Pick<Config, 'tronNetwork' | 'tronNodes'>
  clientOf: (request: FastifyRequest) => string
  log: Logger
}): Checkout {
  const { pool, config, log } = options
  const sandboxNode = config.tronNetwork === 'sandbox' ? (config.tronNodes[0]?.headUrl ?? null) : null
  const pages = openLivePages({ db: pool, caps: streamCaps, sandboxPay: sandboxNode !== null, log })
  return {
    look: pages.look,
    register: app => {
      const looking = setInterval(pages.look, lookEveryMs)
      looking.unref()
      app.addHook('preClose', async () => {
        clearInterval(looking)
        pages.close()
      })
      app.register(checkoutRoutes, { ...options, pages, sandboxNode })
    },
  }
}
