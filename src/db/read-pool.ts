import { usualConnections } from './connection-shares.ts'
import { causesOf, isTimeout } from './outage.ts'
import { createPool, inTransaction, type Pool, run, type Tx } from './pool.ts'

/** How long a read may run: shorter, with the wait for its turn, than the 8 s after which its caller is answered. */
export const readTimeoutMs = 4_000

/** Opens a pool for reads that may take seconds. They never hold a connection that an order or a credit needs. */
export function openReadPool(
  url: string,
  max = usualConnections.reads,
  name = 'recharge-gateway-reads',
): Pool {
  return createPool(url, { name, max, statementTimeoutMs: readTimeoutMs })
}

/** Reads in one snapshot: all statements see the database as it is at the first. */
export function inReadSnapshot<T>(pool: Pool, read: (tx: Tx) => Promise<T>): Promise<T> {
  return inTransaction(pool, async tx => {
    // The timeout again: a proxy between us and the database may have dropped that of the connection.
    await run(
      tx,
      `set transaction isolation level repeatable read, read only;
       set local statement_timeout = ${readTimeoutMs}`,
    )
    return await read(tx)
  })
}

/** Checks whether a read was cancelled because it took too long, by the server or by our own clock. Prisma wraps the reason. */
export function tookTooLong(error: unknown): boolean {
  return causesOf(error).some(cause => isTimeout(cause) || isTimeout({ code: cause.originalCode }))
}
