import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { failpoint } from '../base/failpoint.ts'
import type { Logger } from '../base/log.ts'
import type { Pool } from '../db/pool.ts'
import { createLeaseAnswers, type LeaseAnswers } from './lease-answers.ts'
import { releaseLease, takeLease } from './watcher-lease-store.ts'

/** How long a lease lasts, and how often it is renewed or requested. Another watcher takes over within ttl + every. */
export const leaseMs = { ttl: 6_000, every: 1_000 }

/**
 * Does the work while this watcher holds the lease, and stands by while another does. The lease only saves watchers from
 * doing the same work: the cursor's compare-and-set is what keeps a block from being credited twice.
 * @param work gets a signal that aborts when the lease is lost or the watcher stops.
 */
export async function leadChain(options: {
  pool: Pool
  /** Unique among watchers. */
  holder: string
  work: (signal: AbortSignal) => Promise<void>
  onLead: (leads: boolean) => void
  /** Is told of each request for the lease. */
  answers?: LeaseAnswers
  log: Logger
  signal: AbortSignal
  timing?: { ttl: number; every: number }
}): Promise<void> {
  const { pool, holder, work, onLead, log, signal, timing = leaseMs } = options
  const { answers = createLeaseAnswers() } = options
  const take = () => answers.ask(() => takeLease(pool, holder, timing.ttl))
  while (!signal.aborted) {
    const epoch = await take().catch(error => {
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
      await workUnderLease(take, work, signal, timing)
    } catch (error) {
      // Following goes on from the cursor, in this watcher or in another.
      log.error({ err: error, holder }, 'lease.work_failed')
      await sleep(timing.every, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
    } finally {
      onLead(false)
      log.info({ holder, epoch }, 'lease.left')
      await releaseLease(pool, holder).catch(() => undefined) // It expires by itself.
    }
  }
}

async function workUnderLease(
  renew: () => ReturnType<typeof takeLease>,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
  timing: { ttl: number; every: number },
): Promise<void> {
  const lost = new AbortController()
  const leading = AbortSignal.any([signal, lost.signal])
  // Every chore of the watcher listens to it. Node warns of more than ten.
  setMaxListeners(0, leading)
  const working = work(leading)
  const renewing = (async () => {
    let renewedAt = performance.now()
    const over = AbortSignal.any([signal, lost.signal])
    while (!over.aborted) {
      await sleep(timing.every, undefined, { signal: over }).catch(() => undefined) // Aborted: the loop ends.
      if (over.aborted) return
      const renewed = await renew().catch(() => undefined) // Unknown: treated as ours until it expires.
      if (renewed) renewedAt = performance.now()
      // The lease is surely ours only until a ttl after the last renewal was sent.
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
