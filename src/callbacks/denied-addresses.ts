import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** What no callback may reach unless the operator allows the network: everything that is not a public unicast address. */
const deniedV4: readonly [network: string, what: string][] = [
  ['0.0.0.0/8', '"this" network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared (carrier NAT, cloud metadata)'],
  ['127.0.0.0/8', 'loopback'],
  ['168.63.129.16/32', 'a cloud platform service'],
  ['169.254.0.0/16', 'link-local (cloud metadata)'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'for protocol assignments'],
  ['192.0.2.0/24', 'for documentation'],
  ['192.31.196.0/24', 'AS112'],
  ['192.52.193.0/24', 'AMT'],
  ['192.88.99.0/24', '6to4 relay'],
  ['192.168.0.0/16', 'private'],
  ['192.175.48.0/24', 'AS112'],
  ['198.18.0.0/15', 'for benchmarks'],
  ['198.51.100.0/24', 'for documentation'],
  ['203.0.113.0/24', 'for documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved or broadcast'],
]

const deniedV6: readonly [network: string, what: string][] = [
  ['::/96', 'unspecified, loopback or IPv4-compatible'],
  ['64:ff9b::/96', 'NAT64'],
  ['64:ff9b:1::/48', 'NAT64'],
  ['100::/64', 'discard-only'],
  ['2001::/23', 'for protocol assignments (Teredo among them)'],
  ['2001:db8::/32', 'for documentation'],
  ['2002::/16', '6to4'],
  ['3fff::/20', 'for documentation'],
  ['5f00::/16', 'segment routing'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['ff00::/8', 'multicast'],
]

const lists = [...deniedV4, ...deniedV6].map(([network, what]) => {
  const [address, prefix] = network.split('/') as [string, string]
  const list = new BlockList()
  list.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6')
  return { list, family: isIPv4(address) ? 4 : 6, what }
})
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')

/**
 * Why an address is not one that the public can be reached at.
 * @param address as a resolver or `URL.hostname` writes it, without brackets.
 * @returns what it is ("loopback"); null for a public unicast address.
 */
export function denialOf(address: string): string | null {
  const v4 = isIPv4(address) ? address : mappedV4(address)
  if (v4 !== null) return find(v4, 4)
  if (!isIPv6(address) || address.includes('%')) return 'not an address'
  const found = find(address, 6)
  // Nobody has been given an address outside 2000::/3; who answers there is not the public.
  return found ?? (globalUnicast.check(address, 'ipv6') ? null : 'not assigned')
}

/** The IPv4 address that the system really dials for `::ffff:a.b.c.d`; null for any other address. */
export function mappedV4(address: string): string | null {
  return embeddedV4(address, bytes => bytes.slice(0, 10).every(byte => byte === 0) && isOnes(bytes, 10), 12)
}

/**
 * The IPv4 address inside one of the IPv6 forms that carry one: NAT64, 6to4, IPv4-compatible and Teredo.
 * @returns null for an address that carries none.
 */
export function innerV4(address: string): string | null {
  return (
    mappedV4(address) ??
    embeddedV4(address, bytes => bytes.slice(0, 12).every(byte => byte === 0), 12) ??
    embeddedV4(address, bytes => startsWith(bytes, 0x00, 0x64, 0xff, 0x9b), 12) ??
    embeddedV4(address, bytes => startsWith(bytes, 0x20, 0x02), 2) ??
    // Teredo keeps the client's address inverted, at the end.
    embeddedV4(address, bytes => startsWith(bytes, 0x20, 0x01, 0x00, 0x00), 12, 0xff)
  )
}

function find(address: string, family: 4 | 6): string | null {
  const name = family === 4 ? 'ipv4' : 'ipv6'
  return lists.find(entry => entry.family === family && entry.list.check(address, name))?.what ?? null
}

function embeddedV4(
  address: string,
  matches: (bytes: readonly number[]) => boolean,
  at: number,
  mask = 0,
): string | null {
  if (!isIPv6(address) || address.includes('%')) return null
  const bytes = bytesOfV6(address)
  if (!matches(bytes)) return null
  return bytes
    .slice(at, at + 4)
    .map(byte => byte ^ mask)
    .join('.')
}

/** The 16 bytes of a valid IPv6 address without a zone. */
function bytesOfV6(address: string): number[] {
  const text = address.replace(/\d+\.\d+\.\d+\.\d+$/, v4 => {
    const [a, b, c, d] = v4.split('.').map(Number) as [number, number, number, number]
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [head, tail] = text.split('::') as [string, string | undefined]
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  const words = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right]
  return words.flatMap(word => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255])
}

function startsWith(bytes: readonly number[], ...prefix: number[]): boolean {
  return prefix.every((byte, i) => bytes[i] === byte)
}

function isOnes(bytes: readonly number[], at: number): boolean {
  return bytes[at] === 255 && bytes[at + 1] === 255
}
