import type { FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Registry } from '../base/metrics.ts'
import type { Pool } from '../db/pool.ts'
import type { ApiRequest } from '../requests/api-request-store.ts'
import { openRequestHistory } from '../requests/request-history.ts'
import { clientAddressOf } from './limits/client-address.ts'

export interface HistoryOptions {
  pool: Pool
  log: Logger
  clock: Clock
  registry?: Registry | undefined
}

/**
 * Keeps a history of authenticated requests: merchant, endpoint, order, answer, client address, duration. It is written in
 * batches after the answers were sent, so it delays none.
 */
export const keepRequests = fastifyPlugin<HistoryOptions>(
  async (app, options) => {
    const history = openRequestHistory(options)
    app.onAnswered.push((request, reply) => {
      const kept = keptOf(request, reply.elapsedTime, options.clock)
      if (kept) history.keep(kept)
    })
    app.addHook('onClose', () => history.close())
  },
  { name: 'keep-requests', dependencies: ['answered'] },
)

function keptOf(request: FastifyRequest, elapsedMs: number, clock: Clock): ApiRequest | null {
  const { merchant } = request
  if (!merchant) return null
  const { orderid } = (request.body ?? {}) as { orderid?: string }
  return {
    requestId: request.id,
    merchantId: merchant.id,
    keyId: request.signedWith,
    endpoint: request.routeOptions.config.endpoint ?? 'none',
    code: request.refusedWith ?? 'ok',
    // A request refused for its orderid is kept too. An orderid that Postgres would not take as text is left out.
    orderid: orderid !== undefined && /^\P{Cc}{1,50}$/u.test(orderid) ? orderid : null,
    clientAddress: clientAddressOf(request),
    startedAt: new Date(clock.now().getTime() - elapsedMs),
    durationMs: Math.round(elapsedMs),
  }
}
