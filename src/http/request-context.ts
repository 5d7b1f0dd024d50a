import type { FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { ErrorCode } from '../base/errors.ts'
import type { Merchant } from '../merchants/merchant.ts'
import type { ReplayRule } from '../requests/replay.ts'
import type { RateLimits } from './limits/rate-limits.ts'

/** Work done once for each request, after its answer. */
export type AnsweredWork = (request: FastifyRequest, reply: FastifyReply) => void

// All that the parts of the API share with each other is here: on the request, on the app, on a route.
declare module 'fastify' {
  interface FastifyRequest {
    /** The merchant that signed it; null until the signature is verified. */
    merchant: Merchant | null
    /** The code it was refused with; null when it was not refused. */
    refusedWith: ErrorCode | null
    /** Whether the work of `onAnswered` has been done for it. */
    answered: boolean
  }
  interface FastifyInstance {
    /** The work that `answered` does for each request, in this order. */
    onAnswered: AnsweredWork[]
    /** Called with the code of each refusal that no hook sees, because the bytes never became a routed request. */
    onUnreadable: ((code: ErrorCode) => void)[]
    /** The limits that `rate-limits` keeps; none before it is registered. */
    rateLimits: RateLimits
  }
  interface FastifyContextConfig {
    /** The endpoint's name, on the routes of the merchant API. */
    endpoint?: string
    /** What the endpoint requires of `t` and `nonce`. */
    replay?: ReplayRule
  }
}

/** Decorates requests and the app. */
export const requestContext = fastifyPlugin(
  async app => {
    app.decorateRequest('merchant', null)
    app.decorateRequest('refusedWith', null)
    app.decorateRequest('answered', false)
    app.decorate('onAnswered', [])
    app.decorate('onUnreadable', [])
    app.decorate('rateLimits', { byAddress: null, byMerchant: null })
  },
  { name: 'request-context' },
)
