import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { Counter, type Registry } from '../base/metrics.ts'
import type { Pool } from '../db/pool.ts'
import { type ApiRequest, insertApiRequests } from '../merchants/api-request-store.ts'
import { clientAddressOf } from './client-address.ts'

/** How long a call waits in memory at the most, and how many are written in one statement. */
const writeEveryMs = 500
const batchMax = 1_000
/** What is kept in memory while the database takes nothing; beyond it the oldest are lost, and counted. */
const waitingMax = 20_000

/**
 * Keeps every authenticated call: who, what, for which order, how it was answered, from where, how long. Written in
 * batches after the answers have gone; a call's history never delays it.
 */
export function keepRequests(
  app: FastifyInstance,
  options: { pool: Pool; log: Logger; clock?: Clock; registry?: Registry },
): void {
  const { pool, log, clock = systemClock } = options
  const waiting: ApiRequest[] = []
  const lost = options.registry && lostCounter(options.registry)
  let writing: Promise<void> | undefined
  let failing = false

  const write = async () => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchMax)
      try {
        await insertApiRequests(pool, batch)
      } catch (err) {
        // Tried again with the next calls; said once.
        if (!failing) log.warn({ err, waiting: waiting.length }, 'requests.not_kept_yet')
        failing = true
        return
      }
      failing = false
      waiting.splice(0, batch.length)
    }
  }
  const writeOnce = () => {
    writing ??= write().finally(() => {
      writing = undefined
    })
    return writing
  }

  app.addHook('onResponse', (request, reply, done) => {
    const kept = keptOf(request, reply.elapsedTime, clock)
    if (kept) {
      waiting.push(kept)
      // Not those in the batch under way: they may be written already.
      if (waiting.length > waitingMax && !writing) {
        waiting.shift()
        lost?.inc()
      }
    }
    done()
  })
  const timer = setInterval(writeOnce, writeEveryMs)
  app.addHook('onClose', async () => {
    clearInterval(timer)
    await writing
    await writeOnce()
  })
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

function lostCounter(registry: Registry): Counter {
  return new Counter({
    name: 'gateway_requests_unkept_total',
    help: 'Authenticated calls whose history was lost while the database took nothing',
    registers: [registry],
  })
}
