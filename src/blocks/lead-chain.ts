import { setTimeout as sleep } from 'node:timers/promises'
import { failpoint } from '../base/failpoint.ts'
import type { Logger } from '../base/log.ts'
import type { Pool } from '../db/pool.ts'
import { releaseLease, takeLease } from './watcher-lease-store.ts'

/** How long a lease lasts, and how often it is renewed and asked for: another takes over within ttl + every. */
export const leaseMs = { ttl: 6_000, every: 1_000 }

/**
 * Does the work while this watcher leads, and stands by while another does. The lease only keeps watchers from working
 * against each other; that no block is credited twice is the cursor's compare-and-set.
 * @param work gets a signal that aborts when the lease is lost or the watcher stops.
 */
export async function leadChain(options: {
  pool: Pool
  /** Unlike any other watcher's. */
  holder: string
  work: (signal: AbortSignal) => Promise<void>
  onLead: (leads: boolean) => void
  log: Logger
  signal: AbortSignal
  timing?: { ttl: number; every: number }
}): Promise<void> {
  const { pool, holder, work, onLead, log, signal, timing = leaseMs } = options
  while (!signal.aborted) {
    const epoch = await takeLease(pool, holder, timing.ttl).catch(error => {
      log.warn({ err: error }, 'lease.unreachable')
      return null
    })
    if (epoch === null) {
      await sleep(timing.every, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
      continue
    }
    failpoint('lease:after-take')
    log.info({ holder, epoch }, 'lease.taken')
    onLead(true)
    try {
      await workUnderLease(pool, holder, work, signal, timing)
    } catch (error) {
      // Whatever it was, following goes on from the cursor, here or in another watcher.
      log.error({ err: error, holder }, 'lease.work_failed')
      await sleep(timing.every, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
    } finally {
      onLead(false)
      log.info({ holder, epoch }, 'lease.left')
      await releaseLease(pool, holder).catch(() => undefined) // It runs out by itself.
    }
  }
}

async function workUnderLease(
  pool: Pool,
  holder: string,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
  timing: { ttl: number; every: number },
): Promise<void> {
  const lost = new AbortController()
  const working = work(AbortSignal.any([signal, lost.signal]))
  const renewing = (async () => {
    let renewedAt = performance.now()
    const over = AbortSignal.any([signal, lost.signal])
    while (!over.aborted) {
      await sleep(timing.every, undefined, { signal: over }).catch(() => undefined) // Aborted: the loop ends.
      if (over.aborted) return
      const renewed = await takeLease(pool, holder, timing.ttl).catch(() => undefined) // Unknown: until it has run out.
      if (renewed) renewedAt = performance.now()
      // Ours for sure only until a ttl after the last renewal was sent.
      if (renewed === null || performance.now() - renewedAt > timing.ttl - timing.every) lost.abort()
    }
  })()
  try {
    await working
  } finally {
    lost.abort()
    await renewing
  }
}
