import { isTimeout } from './outage.ts'
import { createPool, type Pool } from './pool.ts'

/** How long a read may run: shorter, with the wait for its turn, than the 8 s after which its caller is answered. */
export const readTimeoutMs = 4_000

/** Enough for the turns of all endpoints that read here, so that who has a turn does not wait for a connection too. */
const readConnectionsMax = 8

/** Opens the pool for reads that may take seconds. They never hold a connection that an order or a credit needs. */
export function openReadPool(url: string): Pool {
  return createPool(url, {
    name: 'recharge-gateway-reads',
    max: readConnectionsMax,
    statementTimeoutMs: readTimeoutMs,
  })
}

/** Checks whether a read was cancelled because it took too long, by the server or by our own clock. Prisma wraps the reason. */
export function tookTooLong(error: unknown): boolean {
  for (let cause = error, depth = 0; typeof cause === 'object' && cause !== null && depth < 8; depth++) {
    const wrapped = cause as {
      originalCode?: unknown
      cause?: unknown
      meta?: { driverAdapterError?: unknown }
    }
    if (isTimeout(cause) || isTimeout({ code: wrapped.originalCode })) return true
    cause = wrapped.cause ?? wrapped.meta?.driverAdapterError
  }
  return false
}
