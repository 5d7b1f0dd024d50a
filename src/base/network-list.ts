import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Checks that a text is an address, IPv4 or IPv6, or a CIDR. */
export function isNetwork(cidr: string): boolean {
  const [address, prefix, rest] = cidr.split('/')
  if (!address || rest !== undefined) return false
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0
  if (bits === 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)
}

/** Makes a list of networks in which addresses can be looked up. @param cidrs each passes `isNetwork`. */
export function networkList(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [address, prefix] = cidr.split('/') as [string, string | undefined]
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    list.addSubnet(address, prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix), family)
  }
  return list
}
