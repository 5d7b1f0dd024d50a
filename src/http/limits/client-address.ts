import { isIPv4, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { mappedV4 } from '../../egress/embedded-v4.ts'

/**
 * Who called, in one form for each client: some proxies write `203.0.113.7:41202` or `[2001:db8::1]:443` into
 * X-Forwarded-For, and each port would be another client.
 * @returns an IPv4 or IPv6 address; the connection's own when what a trusted proxy wrote is none; 0.0.0.0 when the client has
 *   gone, and nobody had asked for its address before.
 */
export function clientAddressOf(request: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  return readAddress(request.ip ?? '') ?? readAddress(request.socket.remoteAddress ?? '') ?? '0.0.0.0'
}

/** An address without port, brackets and zone, IPv6 in its shortest form, an embedded IPv4 one as itself; null if none. */
export function readAddress(text: string): string | null {
  if (isIPv4(text)) return text
  // As every IPv4 client of a socket for both families is written, and twenty times as fast as the rest.
  const mapped = /^::ffff:([\d.]+)$/i.exec(text)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return mapped
  const [, bracketed, withPort] = /^\[([^\]]*)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(text) ?? []
  const bare = (bracketed ?? withPort ?? text).replace(/%.*$/, '')
  if (isIPv4(bare)) return bare
  if (!isIPv6(bare)) return null
  return mappedV4(bare) ?? new URL(`http://[${bare}]/`).hostname.slice(1, -1)
}

/** What a limit counts by: the address, an IPv6 one by its /64, which is what one customer is given at the least. */
export function limitKeyOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length
  return [...groups, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4).join(':')
}
