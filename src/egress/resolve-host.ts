import { lookup, Resolver } from 'node:dns/promises'

/** Finds all addresses of a name, of both families. @throws what node:dns throws. */
export type ResolveHost = (hostname: string) => Promise<string[]>

/**
 * Makes the resolver for callbacks, which queries the name servers directly. The system's getaddrinfo blocks one of the four
 * threads of the whole process, so four merchants with dead name servers would stop all callbacks.
 * @param options.systemNames whether a name that no name server knows is looked up by the system too (hosts file, search
 *   domains), for operators whose callbacks go to their own networks.
 */
export function createResolver(options: { systemNames: boolean }): ResolveHost {
  // 2 s and then 4 s for a name server that does not answer: within the 10 s of an attempt.
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  return async hostname => {
    // Must not be sent to name servers (RFC 6761), which may also be unreachable where it is used.
    if (/(^|\.)localhost\.?$/.test(hostname)) return lookupSystem(hostname)
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    const addresses = answers.flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []))
    if (addresses.length > 0) return addresses
    const errors = answers.flatMap(answer => (answer.status === 'rejected' ? [answer.reason] : []))
    const unknown = errors.every(error => notThere.has(error.code))
    if (unknown && options.systemNames) return lookupSystem(hostname)
    throw errors.find(error => !notThere.has(error.code)) ?? errors[0]
  }
}

async function lookupSystem(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true })).map(found => found.address)
}

const notThere = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME', 'ECONNREFUSED'])
