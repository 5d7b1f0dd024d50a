import type { Server } from 'node:http'
import type { FastifyHttpOptions } from 'fastify'
import type { Config } from '../base/config.ts'
import { bodyLimitBytes } from './body/request-body.ts'
import type { RefusalLog } from './refusal-log.ts'
import { requestIds } from './request-context.ts'
import { unreadableHandlers } from './unreadable.ts'

/** A request's headers and body must have arrived within this time; Node checks every second. */
const requestTimeoutMs = 10_000
/** A connection without traffic is closed after this; a little later, so that a slow request gets its 408 first. */
const connectionTimeoutMs = 12_000

/** Fastify's own options for the API. */
export function serverOptions(config: Pick<Config, 'trustProxy'>, refusals: RefusalLog) {
  const genReqId = requestIds()
  return {
    // Fastify's log would make a child logger for every request. We log refusals only, in refusal-log.
    logger: false,
    genReqId,
    requestIdHeader: false,
    bodyLimit: bodyLimitBytes,
    // `https://host//api/merchant/newAddress/`, as a base URL and a path make it that both have a slash.
    routerOptions: { ignoreDuplicateSlashes: true, ignoreTrailingSlash: true },
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    http: {
      connectionsCheckingInterval: 1_000,
      headersTimeout: requestTimeoutMs,
      maxHeaderSize: bodyLimitBytes,
    },
    trustProxy: config.trustProxy.length > 0 ? [...config.trustProxy] : false,
    // While the API stops, a request on an open connection is still served, and the connection then closed.
    return503OnClosing: false,
    ajv: {
      customOptions: { coerceTypes: false, removeAdditional: false, verbose: true, keywords: ['expected'] },
    },
    ...unreadableHandlers(refusals, genReqId),
  } satisfies FastifyHttpOptions<Server>
}
