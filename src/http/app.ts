import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { addressEndpoints } from '../addresses/address-routes.ts'
import { openAssignment } from '../addresses/assign-address.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Logger } from '../base/log.ts'
import type { Registry } from '../base/metrics.ts'
import { callbackEndpoints } from '../callbacks/callback-routes.ts'
import { openTestContext } from '../callbacks/sending/test-callback.ts'
import { databaseIdOf } from '../db/database-id.ts'
import type { Pool } from '../db/pool.ts'
import type { Prisma } from '../db/prisma-client.ts'
import { checkCallbackUrl } from '../egress/egress-guard.ts'
import type { MerchantDirectory } from '../merchants/merchant-directory.ts'
import { openFindOrder } from '../orders/find-order.ts'
import { openOrderBatch } from '../orders/order-batch.ts'
import { orderEndpoints } from '../orders/order-routes.ts'
import { statementEndpoint } from '../orders/statement-routes.ts'
import type { Endpoint } from '../requests/endpoint.ts'
import { openNonceGate } from '../requests/replay.ts'
import { answerClientError, answerErrors, refuse, toGatewayError } from './answer-errors.ts'
import { followAnswers } from './answered.ts'
import { bodyLimitBytes, readBodies } from './body/request-body.ts'
import { answerInTime } from './deadline.ts'
import { openDocs } from './docs/docs.ts'
import { openHealthRoutes } from './health.ts'
import { keepRequests } from './keep-requests.ts'
import { openRateLimits } from './limits/rate-limits.ts'
import { countHere, countInRedis } from './limits/request-counts.ts'
import { openMerchantDoor } from './merchant-door.ts'
import { openReadiness, requireCursor } from './readiness.ts'
import { measureRequests } from './request-metrics.ts'

export interface AppOptions {
  pool: Pool
  prisma: Prisma
  merchants: MerchantDirectory
  config: Pick<
    Config,
    'orderWindowMs' | 'rateLimitPerMinute' | 'ipRateLimitPerMinute' | 'trustProxy' | 'callbackAllowedNetworks'
  >
  redisUrl?: string | undefined
  log: Logger
  clock?: Clock
  registry?: Registry
  /** false: calls are not kept. For a bench that measures the door alone. */
  history?: boolean
}

/** Builds the app we ship; not listening yet. Tests talk to it by `inject`. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  return openApp(options, merchantEndpoints(options))
}

/** What merchants may ask for, with what it needs; `openApp` closes what they open. */
export function merchantEndpoints(options: AppOptions): Endpoint[] {
  const { pool, prisma, config } = options
  const assign = openAssignment(pool)
  const desk = {
    batch: openOrderBatch(pool, config.orderWindowMs),
    assign,
    checkUrl: (url: string) => checkCallbackUrl(url, config.callbackAllowedNetworks),
  }
  return [
    ...addressEndpoints({ pool, assign }),
    ...orderEndpoints({ desk, find: openFindOrder(pool), prisma }),
    ...callbackEndpoints({ pool, context: openTestContext(options) }),
    statementEndpoint(pool),
  ]
}

/** A request has to have arrived within this, headers and body; checked every second. */
const requestTimeoutMs = 10_000
/** A connection on which nothing moves; a little later, so that a slow request hears its 408 before. */
const connectionTimeoutMs = 12_000
/** From a request's headers to its answer; then the outcome counts as unknown. */
const answerTimeoutMs = 8_000

/** Builds the app around other endpoints: a bench measures the door alone this way. */
export async function openApp(options: AppOptions, endpoints: readonly Endpoint[]): Promise<FastifyInstance> {
  const { pool, merchants, config, redisUrl, log, clock = systemClock } = options
  let countUnread: ReturnType<typeof measureRequests> = () => undefined
  const app = Fastify({
    // Fastify's log would make a child for every request; what there is to say of one is said in answer-errors.
    logger: false,
    bodyLimit: bodyLimitBytes,
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    http: {
      connectionsCheckingInterval: 1_000,
      headersTimeout: requestTimeoutMs,
      maxHeaderSize: bodyLimitBytes,
    },
    trustProxy: config.trustProxy.length > 0 ? [...config.trustProxy] : false,
    // While stopping, what still arrives on an open connection is served and the connection closed.
    return503OnClosing: false,
    ajv: {
      customOptions: { coerceTypes: false, removeAdditional: false, verbose: true, keywords: ['expected'] },
    },
    clientErrorHandler: (error, socket) => {
      const code = answerClientError(error, socket, log)
      if (code) countUnread(code)
    },
    // What is wrong before there is a route: a path that cannot be decoded.
    frameworkErrors: (error, request, reply) => {
      const refusal = toGatewayError(error)
      refuse(refusal, request as FastifyRequest, reply as FastifyReply, log)
      // No hook runs for it.
      countUnread(refusal.code)
    },
  })
  const counts = redisUrl
    ? await countInRedis(redisUrl, `gateway:limit:${await databaseIdOf(pool)}:`, clock, log)
    : countHere(clock)
  app.addHook('onClose', async () => {
    counts.close()
    await Promise.all(endpoints.map(endpoint => endpoint.close?.()))
  })
  answerInTime(app, answerTimeoutMs)
  readBodies(app)
  const limits = await openRateLimits(app, counts, {
    address: config.ipRateLimitPerMinute,
    merchant: config.rateLimitPerMinute,
  })
  answerErrors(app, log, limits.byAddress)
  const onAnswered = followAnswers(app)
  if (options.registry) countUnread = measureRequests(onAnswered, options.registry)
  const checkReady = openReadiness(pool)
  openHealthRoutes(app, () => requireCursor(pool))
  await openDocs(app, endpoints, limits.byAddress)
  await app.register(async scope => {
    if (options.history !== false)
      keepRequests(scope, onAnswered, {
        pool,
        log,
        clock,
        ...(options.registry && { registry: options.registry }),
      })
    openMerchantDoor(scope, { merchants, nonces: openNonceGate(pool), clock, checkReady, limits }, endpoints)
  })
  return app
}
