import { usualConnections } from './connection-shares.ts'
import { causesOf, isTimeout } from './outage.ts'
import { createPool, type Pool } from './pool.ts'

/** How long a read may run: shorter, with the wait for its turn, than the 8 s after which its caller is answered. */
export const readTimeoutMs = 4_000

/** Opens the pool for reads that may take seconds. They never hold a connection that an order or a credit needs. */
export function openReadPool(url: string, max = usualConnections.reads): Pool {
  return createPool(url, { name: 'recharge-gateway-reads', max, statementTimeoutMs: readTimeoutMs })
}

/** Checks whether a read was cancelled because it took too long, by the server or by our own clock. Prisma wraps the reason. */
export function tookTooLong(error: unknown): boolean {
  return causesOf(error).some(cause => isTimeout(cause) || isTimeout({ code: cause.originalCode }))
}
