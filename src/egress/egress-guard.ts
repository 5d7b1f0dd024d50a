import { type BlockList, isIP, isIPv4 } from 'node:net'
import { networkList } from '../base/network-list.ts'
import { denialOf, isDeniedPort } from './denied-addresses.ts'
import { innerV4, mappedV4 } from './embedded-v4.ts'

/**
 * Checks the text of a callback's URL: https to public addresses, http and other addresses only within the allowed networks,
 * no port of another protocol. Names are not resolved here; the addresses they resolve to are checked at every dial.
 * @param allowedNetworks CIDRs of CALLBACK_ALLOWED_NETWORKS.
 * @returns null when callbacks may go there; else what is wrong, to follow the parameter's name: "must be https".
 */
export function checkCallbackUrl(url: string, allowedNetworks: readonly string[]): string | null {
  const { checked, list } = guardOf(allowedNetworks)
  const known = checked.get(url)
  if (known !== undefined) return known
  if (checked.size >= checkedMax) checked.clear()
  const result = checkUrlText(url, list)
  checked.set(url, result)
  return result
}

function checkUrlText(url: string, allowed: BlockList): string | null {
  if (!URL.canParse(url)) return 'must be an absolute https URL'
  // The parsed URL is checked, since that is what is dialled: http://127.1 and http://2130706433 are 127.0.0.1.
  const { protocol, username, password, hostname, port } = new URL(url)
  if (protocol !== 'https:' && protocol !== 'http:') return 'must be an https URL'
  if (username || password) return 'must not contain a user name or password'
  if (port && isDeniedPort(Number(port))) return `must not use port ${port}`
  if (protocol === 'http:' && allowed.rules.length === 0) return 'must be https'
  const literal = literalAddress(hostname)
  if (literal) return checkAddress(literal, protocol, allowed)
  if (isLocalName(hostname) && !reachesLoopback(allowed)) return 'must not name this machine'
  return null
}

/**
 * Checks whether an address may be dialled under a scheme.
 * @returns null when it may; else the reason, which does not depend on whether anything listens there.
 */
export function checkAddress(
  address: string,
  protocol: 'http:' | 'https:',
  allowed: BlockList,
): string | null {
  if (isAllowed(address, allowed)) {
    // The address inside a translated one is checked as well: allowing a NAT64 prefix does not allow 64:ff9b::7f00:1.
    const inner = innerV4(address)
    return inner === null || mappedV4(address) !== null ? null : checkAddress(inner, protocol, allowed)
  }
  const denial = denialOf(address)
  if (denial) return `must not lead to ${address}: ${denial}`
  return protocol === 'http:' ? 'must be https' : null
}

/** Reads the address out of a URL's host, without brackets. @returns null when the host is a name. */
export function literalAddress(hostname: string): string | null {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(bare) ? bare : null
}

function isAllowed(address: string, allowed: BlockList): boolean {
  const v4 = isIPv4(address) ? address : mappedV4(address)
  return v4 === null ? allowed.check(address, 'ipv6') : allowed.check(v4, 'ipv4')
}

function isLocalName(hostname: string): boolean {
  return /(^|\.)localhost\.?$/.test(hostname)
}

function reachesLoopback(allowed: BlockList): boolean {
  return isAllowed('127.0.0.1', allowed) || isAllowed('::1', allowed)
}

/** The allowed networks, and the results of URLs checked so far: callbacks go to the same few URLs again and again. */
interface Guard {
  list: BlockList
  checked: Map<string, string | null>
}

/** How many results are kept. A URL has at most 512 characters. */
const checkedMax = 1_000

/** By the array of the setting, which is the same one for the life of a process. */
const guards = new WeakMap<readonly string[], Guard>()

function guardOf(networks: readonly string[]): Guard {
  const known = guards.get(networks)
  if (known) return known
  const guard = { list: networkList(networks), checked: new Map() }
  guards.set(networks, guard)
  return guard
}
