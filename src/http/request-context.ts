import { randomFillSync } from 'node:crypto'
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
    /** The id of the key that signed it; null like `merchant`. */
    signedWith: bigint | null
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

/** Decorates requests and the app, and puts the request's id into every answer. */
export const requestContext = fastifyPlugin(
  async app => {
    app.decorateRequest('merchant', null)
    app.decorateRequest('signedWith', null)
    app.decorateRequest('refusedWith', null)
    app.decorateRequest('answered', false)
    app.decorate('onAnswered', [])
    app.decorate('onUnreadable', [])
    app.decorate('rateLimits', { byAddress: null, byMerchant: null })
    app.addHook('onRequest', (request, reply, done) => {
      reply.header(requestIdHeader, request.id)
      done()
    })
  },
  { name: 'request-context' },
)

/** The header of every answer that names its request. It is never read from a request: clients can write anything there. */
export const requestIdHeader = 'x-request-id'

const idBytes = 10
const idsPerFill = 512

/**
 * Makes request ids: 20 hex digits, unique across processes. They are random because a counter would tell each client how
 * many requests the gateway serves. Random bytes are fetched for many ids at once: a fetch costs more than thirty ids.
 */
export function requestIds(): () => string {
  const random = Buffer.alloc(idBytes * idsPerFill)
  let used = random.length
  return () => {
    if (used === random.length) {
      randomFillSync(random)
      used = 0
    }
    used += idBytes
    return random.toString('hex', used - idBytes, used)
  }
}
