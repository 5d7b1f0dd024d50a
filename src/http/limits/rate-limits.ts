import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { GatewayError } from '../../base/errors.ts'
import { clientAddressOf, limitKeyOf } from './client-address.ts'
import type { RequestCounts } from './request-counts.ts'

/** Counts a request against a limit. @throws GatewayError rate_limited */
export type CountRequest = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

export interface RateLimits {
  /** Per client address, before authentication; null for no limit. */
  byAddress: CountRequest | null
  /** Per merchant, after authentication, so that forged requests use up no merchant's quota; null for no limit. */
  byMerchant: CountRequest | null
}

const windowMs = 60_000

export interface RateLimitOptions {
  /** Closed with the app. */
  counts: RequestCounts
  /** Requests in a minute; 0 for no limit. */
  perMinute: { address: number; merchant: number }
}

/** Sets `app.rateLimits`, and counts requests for unknown paths; the routes count their own. */
export const rateLimits = fastifyPlugin<RateLimitOptions>(
  async (app, { counts, perMinute: { address, merchant } }) => {
    app.addHook('onClose', async () => counts.close())
    if (address === 0 && merchant === 0) return
    await app.register(rateLimit, { global: false, timeWindow: windowMs, store: storeOn(counts) })
    if (merchant > 0) {
      const keyGenerator = (request: FastifyRequest) => `merchant-${request.merchant!.id}`
      app.rateLimits.byMerchant = limit(app, { max: merchant, keyGenerator })
    }
    if (address > 0) {
      const keyGenerator = (request: FastifyRequest) => limitKeyOf(clientAddressOf(request))
      const byAddress = limit(app, { max: address, keyGenerator })
      app.rateLimits.byAddress = byAddress
      // Before the body is read: a body that is refused counts too.
      app.addHook('onRequest', (request, reply, done) => {
        if (request.is404) byAddress(request, reply).then(() => done(), done)
        else done()
      })
    }
  },
  { name: 'rate-limits', dependencies: ['request-context'] },
)

function limit(
  app: FastifyInstance,
  options: Parameters<FastifyInstance['createRateLimit']>[0],
): CountRequest {
  const count = app.createRateLimit(options)
  return async (request, reply) => {
    const counted = await count(request)
    if (counted.isAllowed) return
    reply.header('x-ratelimit-limit', counted.max)
    reply.header('x-ratelimit-remaining', counted.remaining)
    reply.header('x-ratelimit-reset', counted.ttlInSeconds)
    if (!counted.isExceeded) return
    throw new GatewayError('rate_limited', `more than ${counted.max} requests in a minute`, {
      retryAfterS: Math.max(1, counted.ttlInSeconds),
    })
  }
}

/** Makes the class that @fastify/rate-limit asks for; all its instances use the same counts. */
function storeOn(counts: RequestCounts) {
  return class Store implements FastifyRateLimitStore {
    incr(key: string, done: Parameters<FastifyRateLimitStore['incr']>[1], timeWindow: number): void {
      Promise.resolve(counts.count(key, timeWindow)).then(
        count => done(null, count),
        error => done(error),
      )
    }

    child(): FastifyRateLimitStore {
      return this
    }
  }
}
