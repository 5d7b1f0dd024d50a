import type { FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { GatewayError } from '../base/errors.ts'
import { isPassingDatabaseError } from '../db/outage.ts'
import { jsonType, refusalBody } from './body/envelope.ts'
import { DeadlineError } from './deadline.ts'
import { clientAddressOf } from './limits/client-address.ts'
import type { RefusalLog } from './refusal-log.ts'

export const lateReason = 'the request did not arrive in time'

/** Answers every error and every unknown path in the legacy envelope. */
export const answerErrors = fastifyPlugin<{ refusals: RefusalLog }>(
  async (app, { refusals }) => {
    app.addHook('onClose', async () => refusals.close())
    app.setErrorHandler((error, request, reply) => {
      // The deadline passed while the body was still arriving. Nothing was begun, so the outcome is not unknown.
      if (error instanceof DeadlineError && request.raw.complete === false) {
        reply.header('connection', 'close')
        return refuse(new GatewayError('bad_request', lateReason), request, reply, refusals, 408)
      }
      return refuse(toGatewayError(error), request, reply, refusals)
    })
    app.setNotFoundHandler((request, reply) => {
      const error = new GatewayError(
        'not_found',
        'no endpoint has this path and method; all endpoints are POST',
      )
      return refuse(error, request, reply, refusals)
    })
  },
  { name: 'answer-errors', dependencies: ['request-context'] },
)

/**
 * Answers a refusal and logs it: the log gets the cause, the caller only what it may know.
 * @param status where it is not the code's own.
 */
export function refuse(
  error: GatewayError,
  request: FastifyRequest,
  reply: FastifyReply,
  refusals: RefusalLog,
  status = statusOf(error, request),
): FastifyReply {
  request.refusedWith = error.code
  const facts = {
    requestId: request.id,
    code: error.code,
    endpoint: request.routeOptions.config.endpoint,
    merchantId: request.merchant?.id,
    clientAddress: clientAddressOf(request),
  }
  if (error.status >= 500 && error.cause !== undefined) {
    refusals.failed(facts, withoutRow(error.cause))
  } else {
    refusals.refused({ ...facts, reason: error.message })
  }
  if (error.retryAfterS !== undefined) reply.header('retry-after', error.retryAfterS)
  return reply.code(status).type(jsonType).send(refusalBody(error.code, error.message))
}

/** Removes from a Postgres error the row that it quotes: a nonce's row holds the sign. */
function withoutRow(cause: unknown): unknown {
  return cause instanceof Error ? Object.assign(cause, { detail: undefined, where: undefined }) : cause
}

/**
 * Chooses the HTTP status. Merchants whose clients lose the body on an error status may ask for 200 instead. They get it
 * only once their signature is verified, and not for 429 and 5xx, which proxies and load balancers act on.
 */
function statusOf(error: GatewayError, request: FastifyRequest): number {
  const { status, code } = error
  if (request.merchant?.always200 && status < 500 && status !== 429 && code !== 'bad_sign') return 200
  return status
}

/** Converts anything that was thrown into what the caller may know of it. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  if (isPassingDatabaseError(error)) {
    return unavailable('temporarily unavailable: try the same request again', error)
  }
  if (error instanceof DeadlineError) return unavailable('took too long: try the same request again', error)
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new GatewayError('too_large', 'body: at most 16 KiB')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new GatewayError(
        'unsupported_media_type',
        'content-type: application/json or application/x-www-form-urlencoded',
      )
  }
  // Everything else that Fastify and Node refuse, such as a wrong content length.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new GatewayError('bad_request', 'the request cannot be read')
  }
  return new GatewayError('internal', 'internal error', { cause: error })
}

function unavailable(sentence: string, cause: unknown): GatewayError {
  return new GatewayError('unavailable', sentence, { cause, retryAfterS: 1 })
}
