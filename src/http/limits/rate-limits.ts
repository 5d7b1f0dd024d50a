import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../base/errors.ts'
import { clientAddressOf, limitKeyOf } from './client-address.ts'
import type { RequestCounts } from './request-counts.ts'

/** Counts a request against a limit. @throws GatewayError rate_limited */
export type CountRequest = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

export interface RateLimits {
  /** Per client address, before authentication; null: no limit. */
  byAddress: CountRequest | null
  /** Per merchant, after it, so that a forged request spends nobody's quota; null: no limit. */
  byMerchant: CountRequest | null
}

const windowMs = 60_000

/**
 * Opens the two limits.
 * @param perMinute requests in a minute; 0 for no limit.
 */
export async function openRateLimits(
  app: FastifyInstance,
  counts: RequestCounts,
  perMinute: { address: number; merchant: number },
): Promise<RateLimits> {
  if (perMinute.address === 0 && perMinute.merchant === 0) return { byAddress: null, byMerchant: null }
  await app.register(rateLimit, { global: false, timeWindow: windowMs, store: storeOn(counts) })
  return {
    byAddress:
      perMinute.address === 0
        ? null
        : limit(app, {
            max: perMinute.address,
            keyGenerator: request => limitKeyOf(clientAddressOf(request)),
          }),
    byMerchant:
      perMinute.merchant === 0
        ? null
        : limit(app, {
            max: perMinute.merchant,
            keyGenerator: request => `merchant-${request.merchant!.id}`,
          }),
  }
}

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

/** The store as the plugin wants it: a class, whose instances all count in the same place. */
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
