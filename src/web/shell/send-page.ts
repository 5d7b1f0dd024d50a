import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Asset } from './assets.ts'

const compress = promisify(gzip)

/** A year: the name of an asset changes with its content. */
const immutable = 'public, max-age=31536000, immutable'

/** Answers with a page, compressed for who takes that. */
export async function sendHtml(
  request: FastifyRequest,
  reply: FastifyReply,
  html: string,
): Promise<FastifyReply> {
  reply.type('text/html; charset=utf-8')
  if (!takesGzip(request)) return reply.send(html)
  return reply.header('content-encoding', 'gzip').send(await compress(html))
}

export function sendAsset(asset: Asset, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const zipped = takesGzip(request)
  reply.header('cache-control', immutable).header('vary', 'accept-encoding').type(asset.contentType)
  if (zipped) reply.header('content-encoding', 'gzip')
  return reply.send(zipped ? asset.gzip : asset.bytes)
}

function takesGzip(request: FastifyRequest): boolean {
  return /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
}
