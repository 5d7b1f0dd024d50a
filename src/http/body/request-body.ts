import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { GatewayError } from '../../base/errors.ts'
import { readFormParameters } from './form-parameters.ts'
import { readJsonParameters } from './json-parameters.ts'
import type { Parameters } from './parameters.ts'

/** The longest body that is read, in bytes. */
export const bodyLimitBytes = 16 * 1024

/** Reads JSON and form bodies into one map of parameters; every other content type is refused. */
export const requestBodies = fastifyPlugin(
  async app => {
    app.removeAllContentTypeParsers()
    const readers = {
      'application/json': readJsonParameters,
      'application/x-www-form-urlencoded': readFormParameters,
    }
    for (const [contentType, read] of Object.entries(readers)) {
      app.addContentTypeParser(contentType, { parseAs: 'buffer' }, (request, body, done) => {
        let parameters: Parameters
        try {
          parameters = read(decode(request, body as Buffer, contentType))
        } catch (error) {
          done(error as Error)
          return
        }
        done(null, parameters)
      })
    }
  },
  { name: 'request-bodies' },
)

function decode(request: FastifyRequest, body: Buffer, contentType: string): string {
  const { 'content-type': given, 'content-encoding': encoding } = request.headers
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new GatewayError('unsupported_media_type', 'content-encoding: compressed bodies are not accepted')
  }
  if (given !== contentType) checkCharset(given!)
  if (!isUtf8(body)) throw new GatewayError('bad_request', 'body: not UTF-8')
  // Programs whose source begins with a byte order mark may send it.
  return body.toString('utf8').replace(/^\ufeff/, '')
}

function checkCharset(contentType: string): void {
  for (const [, charset] of contentType.matchAll(/;\s*charset\s*=\s*"?([^\s";]*)/gi)) {
    if (!/^utf-?8$/i.test(charset!))
      throw new GatewayError('bad_request', 'content-type: the charset must be utf-8')
  }
}
