import Fastify, { type FastifyInstance } from 'fastify'
import { addressEndpoints } from '../addresses/address-routes.ts'
import { type AddressWitness, openAddressWitness } from '../addresses/address-witness.ts'
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
import { transferEndpoint } from '../orders/transfer-routes.ts'
import type { Endpoint } from '../requests/endpoint.ts'
import { answerErrors } from './answer-errors.ts'
import { answered } from './answered.ts'
import { requestBodies } from './body/request-body.ts'
import { deadline } from './deadline.ts'
import { docs } from './docs/docs.ts'
import { healthRoutes } from './health.ts'
import { keepRequests } from './keep-requests.ts'
import { rateLimits } from './limits/rate-limits.ts'
import { countHere, countInRedis } from './limits/request-counts.ts'
import { merchantDoor } from './merchant-door.ts'
import { requireCursor } from './readiness.ts'
import { openRefusalLog } from './refusal-log.ts'
import { requestContext } from './request-context.ts'
import { requestMetrics } from './request-metrics.ts'
import { serverOptions } from './server-options.ts'

export interface AppOptions {
  pool: Pool
  /** Of `openReadPool`: what may take seconds is read here. */
  reads: Pool
  /** On `reads`. */
  prisma: Prisma
  merchants: MerchantDirectory
  config: Pick<
    Config,
    | 'orderWindowMs'
    | 'rateLimitPerMinute'
    | 'ipRateLimitPerMinute'
    | 'trustProxy'
    | 'callbackAllowedNetworks'
    | 'tronNetwork'
  >
  /** Where payers reach the gateway, without a slash at its end. */
  publicUrl: () => string
  redisUrl?: string | undefined
  /** Of this process. Without it, one that looks only when an address is assigned. */
  witness?: AddressWitness
  /** Adds the pages that browsers get. */
  pages?: (app: FastifyInstance) => void
  log: Logger
  clock?: Clock
  registry?: Registry
  /** false: requests are not kept in the history. For a bench that measures HTTP alone. */
  history?: boolean
}

/** Builds the app we ship, with all endpoints; not listening yet. Tests send requests by `inject`. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  return openApp(options, merchantEndpoints(options))
}

/** The endpoints of the merchant API, with what they need; `openApp` closes what they open. */
export function merchantEndpoints(options: AppOptions): Endpoint[] {
  const { pool, reads, prisma, config, log, witness = openAddressWitness({ pool, log }) } = options
  const assign = openAssignment(pool, witness)
  const orderContext = {
    batch: openOrderBatch(pool, config.orderWindowMs),
    assign,
    checkUrl: (url: string) => checkCallbackUrl(url, config.callbackAllowedNetworks),
  }
  return [
    ...addressEndpoints({ reads, assign }),
    ...orderEndpoints({
      context: orderContext,
      find: openFindOrder(pool),
      prisma,
      publicUrl: options.publicUrl,
    }),
    ...callbackEndpoints({ pool, context: openTestContext(options) }),
    statementEndpoint(reads),
    transferEndpoint(reads),
  ]
}

/** From a request's headers to its answer; after that its outcome is unknown. */
const answerTimeoutMs = 8_000

/** What an app needs that serves pages alone. */
export type PagesOptions = Pick<
  AppOptions,
  'pool' | 'config' | 'redisUrl' | 'pages' | 'log' | 'clock' | 'registry'
>

/** Builds an app that serves pages and no endpoint of the API, for a port of their own. */
export async function openPages(options: PagesOptions): Promise<FastifyInstance> {
  const app = await openBareApp(options)
  options.pages?.(app)
  await app.after()
  return app
}

/** Builds the app around the given endpoints: a bench replaces them to measure HTTP alone. */
export async function openApp(options: AppOptions, endpoints: readonly Endpoint[]): Promise<FastifyInstance> {
  const { pool, merchants, config, log, clock = systemClock, registry } = options
  const app = await openBareApp(options)
  if (options.history !== false) app.register(keepRequests, { pool, log, clock, registry })
  app.register(healthRoutes, { ready: () => requireCursor(pool) })
  const isSandbox = config.tronNetwork === 'sandbox'
  app.register(docs, { endpoints, sandbox: isSandbox ? merchants : null })
  app.register(merchantDoor, { pool, merchants, clock, endpoints, showSignedText: isSandbox })
  options.pages?.(app)
  // Loads all of it now, so that a part that cannot be opened fails here.
  await app.after()
  return app
}

/** Builds what every request passes: its id, deadline, body, limits, errors and metrics. */
async function openBareApp(options: PagesOptions): Promise<FastifyInstance> {
  const { pool, config, redisUrl, log, clock = systemClock, registry } = options
  const counts = redisUrl
    ? await countInRedis(redisUrl, `gateway:limit:${await databaseIdOf(pool)}:`, clock, log)
    : countHere(clock)
  const perMinute = { address: config.ipRateLimitPerMinute, merchant: config.rateLimitPerMinute }
  const refusals = openRefusalLog(log, clock)
  const app = Fastify(serverOptions(config, refusals))
  app.register(requestContext)
  app.register(deadline, { afterMs: answerTimeoutMs })
  app.register(requestBodies)
  app.register(rateLimits, { counts, perMinute })
  app.register(answerErrors, { refusals })
  app.register(answered)
  if (registry) app.register(requestMetrics, { registry })
  return app
}
