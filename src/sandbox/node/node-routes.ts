import type { FastifyInstance, FastifyRequest } from 'fastify'
import { constantCallEndpoints } from './constant-call.ts'
import { jsonRpcEndpoint } from './json-rpc-endpoint.ts'
import { type NodeParts, openEndpoint } from './node-door.ts'
import { walletEndpoints } from './wallet-endpoints.ts'

/** java-tron's HTTP API and JSON-RPC. Bodies are JSON with any content type. Errors have status 200. */
export async function nodeRoutes(app: FastifyInstance, node: NodeParts): Promise<void> {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: FastifyRequest, body: string) =>
    body === '' ? {} : JSON.parse(body),
  )
  app.setErrorHandler((error: Error, _request, reply) =>
    reply.code(200).send({ Error: `class ${javaName(error)} : ${error.message}` }),
  )
  for (const endpoint of [...walletEndpoints, ...constantCallEndpoints, jsonRpcEndpoint]) {
    openEndpoint(app, node, endpoint)
  }
}

function javaName(error: Error): string {
  if (error instanceof TypeError) return 'java.lang.NumberFormatException'
  return error instanceof SyntaxError ? 'com.alibaba.fastjson.JSONException' : 'java.lang.Exception'
}
