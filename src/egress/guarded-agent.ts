import { BlockList, isIPv6, type LookupFunction } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Agent, buildConnector } from 'undici'
import { networkList } from '../base/network-list.ts'
import { isDeniedPort } from './denied-addresses.ts'
import { checkAddress, literalAddress } from './egress-guard.ts'
import { createResolver, type ResolveHost } from './resolve-host.ts'

/** A dial that the guard refused. The message says what the name led to. */
export class EgressRefused extends Error {
  readonly code = 'EGRESS_REFUSED'
}

/**
 * Makes the agent that callbacks go out by. At every dial the name is resolved, every address behind it is checked, and
 * only what was checked is dialled: a name that answers otherwise a moment later changes nothing, and one bad address
 * among good ones refuses the dial. Proxies of the environment, redirects and HTTP/2 have no part in it.
 * @param connectTimeoutMs for a dial with its TLS handshake; the attempt's own deadline is the caller's.
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
    // An idle connection the other side is about to close would cost the next callback an attempt. Servers keep
    // theirs for 5 s and more.
    keepAliveTimeout: 4_000,
    pipelining: 1,
  })
}

/** A literal address never reaches a lookup, so it is judged here; so is the port. */
function refuseTarget(
  target: buildConnector.Options,
  protocol: 'http:' | 'https:',
  allowed: BlockList,
): string | null {
  if (target.port && isDeniedPort(Number(target.port))) return `must not use port ${target.port}`
  const literal = literalAddress(target.hostname)
  return literal ? checkDial(literal, protocol, allowed) : null
}

/** Besides what no one may reach: this machine under its own public addresses, unless they are allowed. */
function checkDial(address: string, protocol: 'http:' | 'https:', allowed: BlockList): string | null {
  const refused = checkAddress(address, protocol, allowed)
  if (refused) return refused
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  return !allowed.check(address, family) && ownAddresses().check(address, family)
    ? `must not lead to ${address}: this machine`
    : null
}

/** Read at every dial that could lead there: an address may be given to this machine at any time. */
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
    // Said outright, so that an environment that turns verification off does not turn it off here.
    rejectUnauthorized: true,
    lookup: guardedLookup(protocol, allowed, resolve),
    // Node's 250 ms for each address gives up on endpoints that are merely far away.
    autoSelectFamilyAttemptTimeout: 2_500,
  }
  return buildConnector(options)
}

/** What net.connect asks for addresses; it is asked for all of them and dials nothing else. */
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
      if (addresses.length === 0) throw Object.assign(new Error(`no address`), { code: 'ENOTFOUND' })
      return addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
    }
    answer().then(
      found => (options.all ? callback(null, found) : callback(null, found[0]!.address, found[0]!.family)),
      error => callback(error, options.all ? [] : '', 0),
    )
  }
}
