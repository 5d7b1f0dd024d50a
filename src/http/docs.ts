import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { Endpoint } from '../merchants/endpoint.ts'
import { apiDocument } from './api-document.ts'

/** Serves the merchant API's documentation: a page at /docs, the OpenAPI document at /docs/json and /docs/yaml. */
export async function openDocs(app: FastifyInstance, endpoints: readonly Endpoint[]): Promise<void> {
  await app.register(swagger, {
    mode: 'static',
    specification: { document: apiDocument(endpoints) as never },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    uiConfig: {
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
  })
}
