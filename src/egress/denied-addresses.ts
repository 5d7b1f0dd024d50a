import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { mappedV4 } from './embedded-v4.ts'

/** Networks that callbacks may reach only if the operator allows them: everything that is not a public unicast address. */
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
 * Says why an address is not a public one.
 * @param address as a resolver or `URL.hostname` writes it, without brackets.
 * @returns what it is ("loopback"); null for a public unicast address.
 */
export function denialOf(address: string): string | null {
  const v4 = isIPv4(address) ? address : mappedV4(address)
  if (v4 !== null) return find(v4, 4)
  if (!isIPv6(address) || address.includes('%')) return 'not an address'
  const found = find(address, 6)
  // No address outside 2000::/3 has been assigned, so no public server answers there.
  return found ?? (globalUnicast.check(address, 'ipv6') ? null : 'not assigned')
}

function find(address: string, family: 4 | 6): string | null {
  const name = family === 4 ? 'ipv4' : 'ipv6'
  return lists.find(entry => entry.family === family && entry.list.check(address, name))?.what ?? null
}

/**
 * Ports that serve other protocols than HTTP. A callback to one of them can only be an attempt to reach that service. Every
 * other port is allowed. The first block is the Fetch standard's list ("port blocking"), the second one is file sharing,
 * remote control, message queues and databases.
 */
const deniedPorts = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
  526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
  3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,

  138, 162, 445, 502, 873, 1433, 1434, 1521, 1883, 2181, 3260, 3306, 3389, 4369, 5222, 5269, 5432, 5433, 5671,
  5672, 5900, 5901, 6379, 6380, 6432, 7199, 9042, 9092, 9093, 9160, 11211, 16379, 26257, 26379, 27017, 27018,
  27019, 28015, 33060,
])

/** Tells whether callbacks are refused on a port, whatever the address. */
export function isDeniedPort(port: number): boolean {
  return deniedPorts.has(port)
}
