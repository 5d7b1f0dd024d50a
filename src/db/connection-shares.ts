import { UsageError } from '../base/errors.ts'

/** What a process connects for. */
export interface ConnectionNeeds {
  api: boolean
  /** The API serves the console. */
  console: boolean
  watcher: boolean
  courier: boolean
  /** The courier's queue is on Postgres too. */
  queueOnPostgres: boolean
}

/** How many connections each pool of a process may open. 0: it has no such pool. */
export interface ConnectionShares {
  /** Orders, credits, callbacks. */
  main: number
  /** Reads that may take seconds. */
  reads: number
  /** The same, of the console's pages: whoever takes many of its files makes no merchant's program wait. */
  console: number
  /** BullMQ's. */
  queue: number
}

/** What pools have that nobody limits. For reads, the turns of all endpoints that read there, so that who has a turn does not wait. */
export const usualConnections: ConnectionShares = { main: 10, reads: 8, console: 4, queue: 16 }
/** Nothing of ours takes a second connection while it holds one. BullMQ keeps one, to be told of jobs. */
const least: ConnectionShares = { main: 1, reads: 1, console: 1, queue: 2 }

/**
 * Divides what a process may open among its pools. Some connections are apart, so that they are never waited for: that of the
 * watcher's lease, of the merchants' settings, the one on which a courier is told of callbacks, and the one on which an API is told
 * of blocks.
 * @param total DATABASE_POOL; undefined: what is usual.
 * @throws UsageError when the process cannot work with so few.
 */
export function shareConnections(total: number | undefined, needs: ConnectionNeeds): ConnectionShares {
  const { api, watcher, courier, queueOnPostgres } = needs
  const has = { main: true, reads: api, console: api && needs.console, queue: courier && queueOnPostgres }
  const of = (shares: ConnectionShares, pool: keyof ConnectionShares) => (has[pool] ? shares[pool] : 0)
  const sum = (shares: ConnectionShares) =>
    of(shares, 'main') + of(shares, 'reads') + of(shares, 'console') + of(shares, 'queue')
  const each = (share: (pool: keyof ConnectionShares) => number): ConnectionShares => ({
    ...{ main: share('main'), reads: share('reads') },
    ...{ console: share('console'), queue: share('queue') },
  })
  if (total === undefined) return each(pool => of(usualConnections, pool))
  const apart = [watcher, api || courier, courier, api].filter(Boolean).length
  const spare = total - apart - sum(least)
  if (spare < 0)
    throw new UsageError(
      `DATABASE_POOL must be at least ${total - spare} for these processes in one, got ${total}. ` +
        'Fewer are needed by each process alone, and by a courier with REDIS_URL',
    )
  const shares = each(pool => {
    const wanted = of(usualConnections, pool) - of(least, pool)
    return (
      of(least, pool) + Math.min(wanted, Math.floor((spare * wanted) / (sum(usualConnections) - sum(least))))
    )
  })
  // What is left over.
  return { ...shares, main: shares.main + total - apart - sum(shares) }
}
