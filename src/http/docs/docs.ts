import swagger from '@fastify/swagger'
import swaggerUi, { type FastifySwaggerUiOptions } from '@fastify/swagger-ui'
import fastifyPlugin from 'fastify-plugin'
import type { MerchantDirectory } from '../../merchants/merchant-directory.ts'
import type { Endpoint } from '../../requests/endpoint.ts'
import { apiDocument } from './api-document.ts'
import { sandboxCurls } from './sandbox-curls.ts'

/** Only our own files, no frames, no forms. Requests are not upgraded to https: a sandbox serves http only. */
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
 * Serves the merchant API's documentation: a page at /docs, where / leads, the OpenAPI document at /docs/json and /docs/yaml.
 * @param options.sandbox on a sandbox, the merchants of whom the first one signs the examples; null on a real network.
 */
export const docs = fastifyPlugin<{ endpoints: readonly Endpoint[]; sandbox: MerchantDirectory | null }>(
  async (app, { endpoints, sandbox }) => {
    app.addHook('onRequest', async (request, reply) => {
      reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer')
      await app.rateLimits.byAddress?.(request, reply)
    })
    app.register(swagger, { mode: 'static', specification: { document: apiDocument(endpoints) as never } })
    app.register(swaggerUi, {
      ...page,
      ...(sandbox && {
        // At each request: the time is part of what is signed.
        transformSpecification: (_, request) =>
          apiDocument(endpoints, sandboxCurls(sandbox, request)) as never,
        transformSpecificationClone: false,
      }),
    })
    // Relative, so that it also works where a proxy puts the API under a path.
    app.get('/', (_, reply) => reply.redirect('docs'))
  },
  { name: 'docs', dependencies: ['rate-limits'], encapsulate: true },
)

const page: FastifySwaggerUiOptions = {
  routePrefix: '/docs',
  staticCSP: contentSecurityPolicy,
  uiConfig: {
    // Otherwise the page would send the document's address to a public validator.
    validatorUrl: null,
    // Without the bar that loads other documents.
    layout: 'BaseLayout',
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    defaultModelExpandDepth: 5,
    defaultModelRendering: 'example',
    deepLinking: true,
    // No request can be sent from the page: it cannot sign.
    supportedSubmitMethods: [],
  },
  theme: { title: 'recharge-gateway: merchant API' },
}
