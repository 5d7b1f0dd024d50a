import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Registry } from '../base/metrics.ts'
import type { Pool } from '../db/pool.ts'
import type { ApiRequest } from '../requests/api-request-store.ts'
import { openRequestHistory } from '../requests/request-history.ts'
import type { AnsweredWork } from './answered.ts'
import { clientAddressOf } from './limits/client-address.ts'

/**
 * Keeps every authenticated call: who, what, for which order, how it was answered, from where, how long. Written in
 * batches after the answers have gone; a call's history never delays it.
 */
export function keepRequests(
  app: FastifyInstance,
  onAnswered: (work: AnsweredWork) => void,
  options: { pool: Pool; log: Logger; clock?: Clock; registry?: Registry },
): void {
  const { clock = systemClock } = options
  const history = openRequestHistory(options)
  onAnswered((request, reply) => {
    const kept = keptOf(request, reply.elapsedTime, clock)
    if (kept) history.keep(kept)
  })
  app.addHook('onClose', () => history.close())
}

function keptOf(request: FastifyRequest, elapsedMs: number, clock: Clock): ApiRequest | null {
  const { merchant } = request
  if (!merchant) return null
  const { orderid } = (request.body ?? {}) as { orderid?: string }
  return {
    merchantId: merchant.id,
    endpoint: request.routeOptions.config.endpoint ?? 'none',
    code: request.refusedWith ?? 'ok',
    // It may have been refused for its orderid: whatever Postgres does not take as text stays out.
    orderid: orderid !== undefined && /^\P{Cc}{1,50}$/u.test(orderid) ? orderid : null,
    clientAddress: clientAddressOf(request),
    startedAt: new Date(clock.now().getTime() - elapsedMs),
    durationMs: Math.round(elapsedMs),
  }
}
