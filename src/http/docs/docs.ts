import swagger from '@fastify/swagger'
import swaggerUi, { type FastifySwaggerUiOptions } from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { Endpoint } from '../../requests/endpoint.ts'
import type { CountRequest } from '../limits/rate-limits.ts'
import { apiDocument } from './api-document.ts'

/** All of the page is our own; it is shown in no frame and sends nothing anywhere. Plain http stays so: it may be a sandbox. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "base-uri 'none'",
  "font-src 'self' data:",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "object-src 'none'",
].join('; ')

/**
 * Serves the merchant API's documentation: a page at /docs, the OpenAPI document at /docs/json and /docs/yaml.
 * @param limit counts a request for it, as any other of its client; null: not.
 */
export async function openDocs(
  app: FastifyInstance,
  endpoints: readonly Endpoint[],
  limit: CountRequest | null,
): Promise<void> {
  await app.register(swagger, {
    mode: 'static',
    specification: { document: apiDocument(endpoints) as never },
  })
  await app.register(async scope => {
    scope.addHook('onRequest', async (request, reply) => {
      reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer')
      await limit?.(request, reply)
    })
    await scope.register(swaggerUi, page)
  })
}

const page: FastifySwaggerUiOptions = {
  routePrefix: '/docs',
  staticCSP: contentSecurityPolicy,
  uiConfig: {
    // Or the page would show the document's address to a validator on the internet.
    validatorUrl: null,
    // Without the bar that asks for another document's address.
    layout: 'BaseLayout',
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    defaultModelExpandDepth: 5,
    defaultModelRendering: 'example',
    deepLinking: true,
    // A call has to be signed, which this page cannot do: it is for reading.
    supportedSubmitMethods: [],
  },
  theme: { title: 'recharge-gateway: merchant API' },
}
