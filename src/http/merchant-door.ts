import { isIPv6 } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Merchant } from '../merchants/merchant.ts'
import type { MerchantDirectory } from '../merchants/merchant-directory.ts'
import type { Endpoint } from '../requests/endpoint.ts'
import { parametersSchema } from '../requests/merchant-parameters.ts'
import { checkReplay, type NonceGate, type ReplayRule } from '../requests/replay.ts'
import { verifyRequest } from '../requests/verify-request.ts'
import { answerSchema } from './body/envelope.ts'
import { noParameters, type Parameters } from './body/parameters.ts'
import { clientAddressOf } from './limits/client-address.ts'
import type { RateLimits } from './limits/rate-limits.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of the merchant API's routes: the endpoint's name, and what it asks of t and nonce. */
    endpoint?: string
    replay?: ReplayRule
  }
}

export interface MerchantDoor {
  merchants: MerchantDirectory
  nonces: NonceGate
  clock: Clock
  /** Throws not_ready while nothing is watched. */
  checkReady(): void | Promise<void>
  limits: RateLimits
}

/**
 * Opens the merchant API: the signature is judged before the schema, so that strangers are told nothing.
 * Register it in a scope of its own: its hook is for these endpoints.
 */
export function openMerchantDoor(
  app: FastifyInstance,
  door: MerchantDoor,
  endpoints: readonly Endpoint[],
): void {
  const { byAddress } = door.limits
  if (byAddress) app.addHook('onRequest', byAddress)
  app.addHook('preValidation', (request, reply) => letIn(door, request, reply))
  app.setSchemaErrorFormatter(errors => parameterError(errors[0]!))
  for (const endpoint of endpoints) {
    app.post(
      `/api/merchant/${endpoint.name}`,
      {
        config: { endpoint: endpoint.name, replay: endpoint.replay },
        schema: {
          summary: endpoint.summary,
          body: parametersSchema(endpoint),
          response: { 200: answerSchema(endpoint.data) },
        },
      },
      async request => ({ status: 1, data: await endpoint.run(request.merchant!, request.body as never) }),
    )
  }
}

/**
 * Who is it, and is it now? In this order: the sign, the merchant, where it calls from, t and nonce, the limit, readiness, the nonce's use;
 * what writes comes last.
 */
async function letIn(door: MerchantDoor, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { endpoint, replay: rule } = request.routeOptions.config
  const parameters = (request.body as Parameters | undefined) ?? noParameters()
  const { merchant, scheme, sign } = verifyRequest(door.merchants, endpoint!, parameters)
  request.merchant = merchant
  if (merchant.disabledAt) throw new GatewayError('merchant_disabled', 'this merchant is disabled')
  checkClient(merchant, request)
  const { requireNonce } = merchant
  const nonce = checkReplay(parameters, { rule: rule!, scheme, requireNonce, clock: door.clock })
  if (door.limits.byMerchant) await door.limits.byMerchant(request, reply)
  await door.checkReady()
  if (nonce !== null) await door.nonces({ merchantId: merchant.id, nonce, sign }, rule!)
}

/** Whether the merchant lets itself be called for from there. Told only to who knows its key. */
function checkClient({ allowedClients }: Merchant, request: FastifyRequest): void {
  if (!allowedClients) return
  const address = clientAddressOf(request)
  if (allowedClients.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) return
  throw new GatewayError('client_not_allowed', `${address} is not on the merchant's list of allowed clients`)
}

/** Which parameter is wrong, and what would have been right. */
function parameterError(error: FastifySchemaValidationError): GatewayError {
  if (error.keyword === 'required') {
    return new GatewayError('missing_parameter', `${error.params.missingProperty}: missing`)
  }
  const { parentSchema } = error as { parentSchema?: { expected?: string } }
  const name = error.instancePath.slice(1)
  return new GatewayError('bad_parameter', `${name}: ${parentSchema?.expected ?? error.message}`)
}
