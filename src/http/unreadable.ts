import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { lateReason, refuse, toGatewayError } from './answer-errors.ts'
import { jsonType, refusalBody } from './body/envelope.ts'
import { readAddress } from './limits/client-address.ts'
import type { RefusalLog } from './refusal-log.ts'
import { requestIdHeader } from './request-context.ts'

/** Fastify's handlers for bytes that never become a routed request. No hook runs for these. */
export function unreadableHandlers(refusals: RefusalLog, newRequestId: () => string) {
  return {
    /** A request that is too slow, has too long headers, or is not HTTP. */
    clientErrorHandler(this: FastifyInstance, error: Error & { code?: string }, socket: Socket): void {
      // The client has gone: there is nothing to answer.
      if (error.code === 'ECONNRESET' || socket.destroyed) return
      answerOnSocket(error, socket, refusals, newRequestId())
      for (const work of this.onUnreadable) work('bad_request')
    },
    /** A path that cannot be decoded. */
    frameworkErrors(error: Error, request: unknown, reply: unknown): void {
      const [asked, answer] = [request as FastifyRequest, reply as FastifyReply]
      const refusal = toGatewayError(error)
      refuse(refusal, asked, answer.header(requestIdHeader, asked.id), refusals)
      for (const work of asked.server.onUnreadable) work(refusal.code)
    },
  }
}

function answerOnSocket(
  error: Error & { code?: string },
  socket: Socket,
  refusals: RefusalLog,
  requestId: string,
): void {
  const [status, reason] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? [408, lateReason]
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? [431, 'the headers are too long']
        : [400, 'the request cannot be read']
  const body = refusalBody('bad_request', reason)
  const clientAddress = readAddress(socket.remoteAddress ?? '')
  refusals.refused({ requestId, code: 'bad_request', clientAddress, reason })
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: ${jsonType}\r\n` +
        `${requestIdHeader}: ${requestId}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  }
  socket.destroy(error)
}
