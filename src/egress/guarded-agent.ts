import { BlockList, isIPv6, type LookupFunction } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Agent, buildConnector } from 'undici'
import { networkList } from '../base/network-list.ts'
import { acceptContinue } from './accept-continue.ts'
import { isDeniedPort } from './denied-addresses.ts'
import { checkAddress, literalAddress } from './egress-guard.ts'
import { createResolver, type ResolveHost } from './resolve-host.ts'

/** Of an answer. Node's default of 16 KiB is less than some proxies add. */
const headersMaxBytes = 64 * 1024

/** A dial that the guard refused. The message names the address. */
export class EgressRefused extends Error {
  readonly code = 'EGRESS_REFUSED'
}

/**
 * Makes the agent that sends callbacks. At every dial it resolves the name, checks all addresses, and dials only what it has
 * checked. So a name that resolves differently a moment later (DNS rebinding) has no effect, and one denied address among
 * allowed ones refuses the dial. It ignores the environment's proxies, follows no redirects and does not use HTTP/2.
 * @param options.connectTimeoutMs for a dial with its TLS handshake. The deadline of the attempt is up to the caller.
 */
export function createGuardedAgent(options: {
  allowedNetworks: readonly string[]
  connectTimeoutMs: number
  resolve?: ResolveHost
}): Agent {
  const allowed = networkList(options.allowedNetworks)
  const resolve = options.resolve ?? createResolver({ systemNames: options.allowedNetworks.length > 0 })
  const connectors = {
    'http:': guardedConnector('http:', allowed, resolve, options.connectTimeoutMs),
    'https:': guardedConnector('https:', allowed, resolve, options.connectTimeoutMs),
  }
  return new Agent({
    connect: (target, callback) => {
      const protocol = target.protocol === 'https:' ? 'https:' : 'http:'
      const refused = refuseTarget(target, protocol, allowed)
      if (refused) callback(new EgressRefused(refused), null)
      else connectors[protocol](target, callback)
    },
    // A callback sent on a connection that the server is just closing would lose an attempt. Servers keep idle ones for 5 s
    // or more.
    keepAliveTimeout: 4_000,
    // One request at a time: `acceptContinue` relies on it.
    pipelining: 1,
    maxHeaderSize: headersMaxBytes,
  })
}

/** Checks the port, and a literal address, for which no lookup is made. */
function refuseTarget(
  target: buildConnector.Options,
  protocol: 'http:' | 'https:',
  allowed: BlockList,
): string | null {
  if (target.port && isDeniedPort(Number(target.port))) return `must not use port ${target.port}`
  const literal = literalAddress(target.hostname)
  return literal ? checkDial(literal, protocol, allowed) : null
}

/** Checks an address. Refuses this machine's own public addresses too, unless they are allowed. */
function checkDial(address: string, protocol: 'http:' | 'https:', allowed: BlockList): string | null {
  const refused = checkAddress(address, protocol, allowed)
  if (refused) return refused
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  return !allowed.check(address, family) && ownAddresses().check(address, family)
    ? `must not lead to ${address}: this machine`
    : null
}

/** Reads this machine's addresses. Not cached: it may get another one at any time. */
function ownAddresses(): BlockList {
  const own = new BlockList()
  for (const face of Object.values(networkInterfaces()).flatMap(faces => faces ?? [])) {
    own.addAddress(face.address, face.family === 'IPv6' ? 'ipv6' : 'ipv4')
  }
  return own
}

function guardedConnector(
  protocol: 'http:' | 'https:',
  allowed: BlockList,
  resolve: ResolveHost,
  timeoutMs: number,
): buildConnector.connector {
  const options: buildConnector.BuildOptions = {
    timeout: timeoutMs,
    allowH2: false,
    // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect here.
    rejectUnauthorized: true,
    lookup: guardedLookup(protocol, allowed, resolve),
    // Node's default of 250 ms per address is too short for distant endpoints.
    autoSelectFamilyAttemptTimeout: 2_500,
  }
  const connect = buildConnector(options)
  return (target, callback) =>
    connect(target, (error, socket) =>
      socket ? callback(null, acceptContinue(socket, headersMaxBytes)) : callback(error, null),
    )
}

/** Makes the lookup that net.connect gets all addresses from. It dials no others. */
function guardedLookup(
  protocol: 'http:' | 'https:',
  allowed: BlockList,
  resolve: ResolveHost,
): LookupFunction {
  return (hostname, options, callback) => {
    const answer = async () => {
      const addresses = await resolve(hostname)
      for (const address of addresses) {
        const refused = checkDial(address, protocol, allowed)
        if (refused) throw new EgressRefused(refused)
      }
      if (addresses.length === 0) throw Object.assign(new Error('no address'), { code: 'ENOTFOUND' })
      return addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
    }
    answer().then(
      found => (options.all ? callback(null, found) : callback(null, found[0]!.address, found[0]!.family)),
      error => callback(error, options.all ? [] : '', 0),
    )
  }
}
