import { lookup, Resolver } from 'node:dns/promises'

/** Finds every address of a name, both families; throws what node:dns throws. */
export type ResolveHost = (hostname: string) => Promise<string[]>

/**
 * Makes the resolver callbacks use: straight to the name servers. The system's getaddrinfo waits on one of four threads
 * the whole process shares, so that four merchants with dead name servers would stop everybody's callbacks.
 * @param systemNames whether a name no server knows may be looked up the system's way too (hosts file, search domains):
 *   for operators whose callbacks go to their own networks.
 */
export function createResolver(options: { systemNames: boolean }): ResolveHost {
  // 2 s and then 4 s for a silent server: within the 10 s of an attempt.
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  return async hostname => {
    // Name servers are not to be asked about this one (RFC 6761), and may be out of reach where it is used.
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
