import { isIPv6 } from 'node:net'
import type { FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Pool } from '../db/pool.ts'
import type { Merchant } from '../merchants/merchant.ts'
import type { MerchantDirectory } from '../merchants/merchant-directory.ts'
import type { Endpoint } from '../requests/endpoint.ts'
import { parametersSchema } from '../requests/merchant-parameters.ts'
import { checkReplay, openNonceGate } from '../requests/replay.ts'
import { verifyRequest } from '../requests/verify-request.ts'
import { answerSchema } from './body/envelope.ts'
import { noParameters, type Parameters } from './body/parameters.ts'
import { clientAddressOf } from './limits/client-address.ts'
import { openReadiness } from './readiness.ts'

export interface MerchantDoorOptions {
  pool: Pool
  merchants: MerchantDirectory
  clock: Clock
  endpoints: readonly Endpoint[]
  /** Whether a wrong sign is answered with what is signed here: on a sandbox alone. */
  showSignedText: boolean
}

/**
 * Serves the merchant API. The signature is verified before the schema, so that nobody without a key learns anything about
 * the parameters. Encapsulated: its hooks are for these routes only.
 */
export const merchantDoor = fastifyPlugin<MerchantDoorOptions>(
  async (app, options) => {
    const { byAddress } = app.rateLimits
    if (byAddress) app.addHook('onRequest', byAddress)
    app.addHook('preValidation', openAuthentication(options))
    app.setSchemaErrorFormatter(errors => parameterError(errors[0]!))
    for (const endpoint of options.endpoints) {
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
    app.addHook('onClose', async () => {
      await Promise.all(options.endpoints.map(endpoint => endpoint.close?.()))
    })
  },
  {
    name: 'merchant-door',
    dependencies: ['deadline', 'request-bodies', 'rate-limits', 'answer-errors', 'answered'],
    encapsulate: true,
  },
)

/**
 * Opens the checks of who sends a request. In this order: signature, merchant, client address, `t` and `nonce`, rate limit,
 * readiness, use of the nonce. The last one writes, so everything that can refuse comes before it.
 */
function openAuthentication({ pool, merchants, clock, showSignedText }: MerchantDoorOptions) {
  const checkReady = openReadiness(pool)
  const useNonce = openNonceGate(pool)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { endpoint, replay } = request.routeOptions.config
    const rule = replay!
    const parameters = (request.body as Parameters | undefined) ?? noParameters()
    const { merchant, keyId, scheme, sign } = await verifyRequest(merchants, endpoint!, parameters, {
      showText: showSignedText,
    })
    request.merchant = merchant
    request.signedWith = keyId
    if (merchant.disabledAt) throw new GatewayError('merchant_disabled', 'this merchant is disabled')
    checkClient(merchant, request)
    const nonce = checkReplay(parameters, { rule, scheme, requireNonce: merchant.requireNonce, clock })
    await request.server.rateLimits.byMerchant?.(request, reply)
    await checkReady()
    if (nonce !== null) await useNonce({ merchantId: merchant.id, nonce, sign }, rule)
  }
}

/** Checks that the merchant allows this client address. The refusal is shown only to callers that know its key. */
function checkClient({ allowedClients }: Merchant, request: FastifyRequest): void {
  if (!allowedClients) return
  const address = clientAddressOf(request)
  if (allowedClients.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) return
  throw new GatewayError('client_not_allowed', `${address} is not on the merchant's list of allowed clients`)
}

/** Converts a schema error into a refusal that names the parameter and what it must be. */
function parameterError(error: FastifySchemaValidationError): GatewayError {
  if (error.keyword === 'required') {
    return new GatewayError('missing_parameter', `${error.params.missingProperty}: missing`)
  }
  const { parentSchema } = error as { parentSchema?: { expected?: string } }
  const name = error.instancePath.slice(1)
  return new GatewayError('bad_parameter', `${name}: ${parentSchema?.expected ?? error.message}`)
}
