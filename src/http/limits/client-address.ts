import { isIPv4, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { mappedV4 } from '../../egress/embedded-v4.ts'

/**
 * Reads a client's address in one form, without a port. Some proxies write `203.0.113.7:41202` or `[2001:db8::1]:443` into
 * X-Forwarded-For: each port would count as another client.
 * @returns an IPv4 or IPv6 address; the connection's own when a trusted proxy wrote something else; 0.0.0.0 when the
 *   connection is closed and its address was never read before.
 */
export function clientAddressOf(request: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  return readAddress(request.ip ?? '') ?? readAddress(request.socket.remoteAddress ?? '') ?? '0.0.0.0'
}

/**
 * Reads an address: port, brackets and zone are removed, IPv6 is shortened, and an IPv4 address inside IPv6 is returned as IPv4.
 * @returns null when the text is not an address.
 */
export function readAddress(text: string): string | null {
  if (isIPv4(text)) return text
  // Node writes every IPv4 client of a dual-stack socket like this. This path is twenty times as fast as the rest.
  const mapped = /^::ffff:([\d.]+)$/i.exec(text)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return mapped
  const [, bracketed, withPort] = /^\[([^\]]*)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(text) ?? []
  const bare = (bracketed ?? withPort ?? text).replace(/%.*$/, '')
  if (isIPv4(bare)) return bare
  if (!isIPv6(bare)) return null
  return mappedV4(bare) ?? new URL(`http://[${bare}]/`).hostname.slice(1, -1)
}

/** The key that a limit counts by: an IPv4 address, or an IPv6 /64, the smallest range that one customer is given. */
export function limitKeyOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length
  return [...groups, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4).join(':')
}
