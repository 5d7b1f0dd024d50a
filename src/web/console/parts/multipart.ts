import type { FastifyInstance, FastifyRequest } from 'fastify'
import { GatewayError } from '../../../base/errors.ts'

/** A form of ours has a dozen. */
const fieldsMax = 50

/** Reads forms with files: a file is a Buffer among the texts. An empty one is left out, as it is when none was chosen. */
export function readMultipart(app: FastifyInstance): void {
  app.addContentTypeParser(
    'multipart/form-data',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer<ArrayBuffer>) => {
      const headers = { 'content-type': `${request.headers['content-type']}` }
      const form = await new Response(body, { headers }).formData().catch(() => {
        throw new GatewayError('bad_parameter', 'the form cannot be read')
      })
      const fields: [string, string | Buffer][] = []
      for (const [name, value] of form) {
        if (fields.length === fieldsMax)
          throw new GatewayError('bad_parameter', 'the form has too many fields')
        if (typeof value === 'string') fields.push([name, value])
        else if (value.size > 0) fields.push([name, Buffer.from(await value.arrayBuffer())])
      }
      return Object.fromEntries(fields)
    },
  )
}

/** The file of a form's field; null: none was chosen. */
export function fileOf(body: unknown, name: string): Buffer | null {
  const value = Object.hasOwn(Object(body), name) ? (body as Record<string, unknown>)[name] : null
  return Buffer.isBuffer(value) ? value : null
}
