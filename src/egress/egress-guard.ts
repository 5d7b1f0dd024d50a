import { type BlockList, isIP, isIPv4 } from 'node:net'
import { networkList } from '../base/network-list.ts'
import { denialOf, isDeniedPort } from './denied-addresses.ts'
import { innerV4, mappedV4 } from './embedded-v4.ts'

/**
 * Whether a callback may ever go to a URL, as far as its text tells: https to any public address, http and other
 * addresses only within the allowed networks, no port that is not the web's. No name is resolved here; the addresses
 * behind it are checked at every dial.
 * @param allowedNetworks CIDRs of CALLBACK_ALLOWED_NETWORKS.
 * @returns null when it may; else what is wrong, to be put after the parameter's name: "must be https".
 */
export function checkCallbackUrl(url: string, allowedNetworks: readonly string[]): string | null {
  const { judged, list } = guardOf(allowedNetworks)
  const known = judged.get(url)
  if (known !== undefined) return known
  if (judged.size >= judgedMax) judged.clear()
  const judgement = judgeUrl(url, list)
  judged.set(url, judgement)
  return judgement
}

function judgeUrl(url: string, allowed: BlockList): string | null {
  if (!URL.canParse(url)) return 'must be an absolute https URL'
  // What is judged is what would be dialled: the parsed URL, never its text (http://127.1, http://2130706433).
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
 * Whether one address may be dialled under a scheme.
 * @returns null when it may; else the reason, naming neither what listens there nor whether anything does.
 */
export function checkAddress(
  address: string,
  protocol: 'http:' | 'https:',
  allowed: BlockList,
): string | null {
  if (isAllowed(address, allowed)) {
    // A translated address is as good as the one inside: allowing a NAT64 prefix does not allow 64:ff9b::7f00:1.
    const inner = innerV4(address)
    return inner === null || mappedV4(address) !== null ? null : checkAddress(inner, protocol, allowed)
  }
  const denial = denialOf(address)
  if (denial) return `must not lead to ${address}: ${denial}`
  return protocol === 'http:' ? 'must be https' : null
}

/** The address a URL's host is, without brackets; null when it is a name. */
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

/** A merchant's callbacks go to the same few URLs again and again. */
interface Guard {
  list: BlockList
  judged: Map<string, string | null>
}

/** URLs whose judgement is remembered; each is at most 512 characters. */
const judgedMax = 1_000

/** The setting is one array for the life of a process. */
const guards = new WeakMap<readonly string[], Guard>()

function guardOf(networks: readonly string[]): Guard {
  const known = guards.get(networks)
  if (known) return known
  const guard = { list: networkList(networks), judged: new Map() }
  guards.set(networks, guard)
  return guard
}
