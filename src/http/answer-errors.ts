import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, GatewayError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { isPassingDatabaseError } from '../db/outage.ts'
import type { Merchant } from '../merchants/merchant.ts'
import { jsonType, refusalBody } from './body/envelope.ts'
import { DeadlineError } from './deadline.ts'
import { clientAddressOf, readAddress } from './limits/client-address.ts'
import type { CountRequest } from './limits/rate-limits.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The code it was refused with; null when it was not. */
    refusedWith: ErrorCode | null
    /** Who sent it, once that is certain. */
    merchant: Merchant | null
  }
}

/**
 * Has every refusal and failure answered in the legacy envelope, whoever raised it.
 * @param limit counts a request for nothing there is, as any other of its client; null: not.
 */
export function answerErrors(app: FastifyInstance, log: Logger, limit: CountRequest | null = null): void {
  app.decorateRequest('refusedWith', null)
  app.decorateRequest('merchant', null)
  app.setErrorHandler((error, request, reply) => {
    // Cut off while its body was still coming: nothing was begun, so nothing is unknown.
    if (error instanceof DeadlineError && request.raw.complete === false) {
      reply.header('connection', 'close')
      return refuse(new GatewayError('bad_request', lateReason), request, reply, log, 408)
    }
    return refuse(toGatewayError(error), request, reply, log)
  })
  if (limit) {
    // Before its body is read, which may be one that is refused by itself.
    app.addHook('onRequest', (request, reply, done) => {
      if (request.is404) limit(request, reply).then(() => done(), done)
      else done()
    })
  }
  app.setNotFoundHandler((request, reply) => {
    const error = new GatewayError(
      'not_found',
      'there is nothing at this path for this method; the API is POST only',
    )
    return refuse(error, request, reply, log)
  })
}

/**
 * Answers a refusal, and says so in the log: what was wrong in ours, as much as a caller may know in theirs.
 * @param status where it is not the code's own.
 */
export function refuse(
  error: GatewayError,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
  status = statusOf(error, request),
): FastifyReply {
  request.refusedWith = error.code
  const facts = {
    code: error.code,
    endpoint: request.routeOptions.config.endpoint,
    merchantId: request.merchant?.id,
    clientAddress: clientAddressOf(request),
  }
  if (error.status >= 500 && error.cause !== undefined) {
    log.error({ ...facts, err: withoutRow(error.cause) }, 'request.failed')
  } else {
    log.info({ ...facts, reason: error.message }, 'request.refused')
  }
  if (error.retryAfterS !== undefined) reply.header('retry-after', error.retryAfterS)
  return reply.code(status).type(jsonType).send(refusalBody(error.code, error.message))
}

/** Postgres quotes the row it does not take, and a nonce's holds the sign. */
function withoutRow(cause: unknown): unknown {
  return cause instanceof Error ? Object.assign(cause, { detail: undefined, where: undefined }) : cause
}

/**
 * Clients that lose the body on an error status may ask for 200: once it is certain that they are who they say, and
 * except where the status is for whatever stands between us (429, 5xx).
 */
function statusOf(error: GatewayError, request: FastifyRequest): number {
  const { status, code } = error
  if (request.merchant?.always200 && status < 500 && status !== 429 && code !== 'bad_sign') return 200
  return status
}

/** Anything that was thrown, as what the caller may hear of it. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  if (isPassingDatabaseError(error)) {
    return new GatewayError('unavailable', 'temporarily unavailable: try the same request again', {
      cause: error,
      retryAfterS: 1,
    })
  }
  if (error instanceof DeadlineError) {
    return new GatewayError('unavailable', 'took too long: try the same request again', {
      cause: error,
      retryAfterS: 1,
    })
  }
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
  // The rest of what Fastify and Node refuse: a content length that is wrong, a path that cannot be read.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new GatewayError('bad_request', 'the request cannot be read')
  }
  return new GatewayError('internal', 'internal error', { cause: error })
}

const lateReason = 'the request did not arrive in time'

/**
 * Answers on a socket whose request never became one: too slow, headers too long, not HTTP.
 * @returns what it was refused with; null when the client has gone, and there is nobody left to answer.
 */
export function answerClientError(
  error: Error & { code?: string },
  socket: Socket,
  log: Logger,
): ErrorCode | null {
  if (error.code === 'ECONNRESET' || socket.destroyed) return null
  const [status, reason] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? [408, lateReason]
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? [431, 'the headers are too long']
        : [400, 'the request cannot be read']
  const body = refusalBody('bad_request', reason)
  const clientAddress = readAddress(socket.remoteAddress ?? '')
  log.info({ code: 'bad_request', clientAddress, reason }, 'request.refused')
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: ${jsonType}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  }
  socket.destroy(error)
  return 'bad_request'
}
