import type { Agent } from 'undici'
import { elapsedMs, thisMoment } from '../../base/clock.ts'
import { failpoint } from '../../base/failpoint.ts'
import type { Logger } from '../../base/log.ts'
import type { MerchantDirectory } from '../../merchants/merchant-directory.ts'
import { leaseStillOurs, type OwnLease } from '../leasing/own-lease.ts'
import { type Lease, type LeasedCallback, leaseKey } from '../outbox/lease.ts'
import { attemptCallback } from './attempt-callback.ts'
import type { FinishedAttempt } from './attempt-store.ts'
import type { CallbackMetrics } from './callback-metrics.ts'
import { decideRetry } from './retry-schedule.ts'
import type { SendOutcome } from './send-callback.ts'

/** What a courier delivers with. Its deliveries share the round trips of `renew` and `record`. */
export interface Delivery {
  renew(lease: Lease): Promise<LeasedCallback | null>
  release(lease: Lease): Promise<void>
  record(attempt: FinishedAttempt): Promise<boolean>
  merchants: MerchantDirectory
  agent: Agent
  allowedNetworks: readonly string[]
  deadlineMs: number
  /** The least time a lease has left after `renew`: the attempt's, and some to record it. */
  marginMs: number
  leaseMs: number
  log: Logger
  metrics: CallbackMetrics
}

/** How long recording a result is retried while the database fails. Postgres restarts in less. */
const recordTimeoutMs = 10_000
const recordPauseMs = 250

/**
 * Delivers one leased callback: checks the lease, makes one attempt, records it and what follows from it.
 * A lease that has passed to another courier is dropped unsent. When the result cannot be recorded, the lease runs out and
 * the callback is sent once more, under the same key.
 * @param own the lease as this process took it; undefined when another courier did.
 */
export async function deliverCallback(delivery: Delivery, lease: Lease, own?: OwnLease): Promise<void> {
  failpoint('courier:before-renew')
  const callback = ownCallback(delivery, own) ?? (await renewedCallback(delivery, lease))
  if (!callback) return
  const merchant = delivery.merchants.byId(callback.merchantId)
  failpoint('courier:before-send')
  const { url, outcome } = await attemptCallback(callback, merchant, delivery)
  failpoint('courier:after-send')
  const attempt = finishedAttempt(callback, url, outcome)
  const moved = await recordWithRetries(delivery, attempt)
  failpoint('courier:after-record')
  report(delivery, callback, attempt, outcome, moved)
}

/** Reads the callback from the lease this process took, if its merchant is in memory and enabled. null: ask the database. */
function ownCallback(delivery: Delivery, own: OwnLease | undefined): LeasedCallback | null {
  if (!own) return null
  const merchant = delivery.merchants.byId(own.callback.merchantId)
  return merchant && !merchant.disabledAt ? leaseStillOurs(own, delivery) : null
}

/** Renews the lease and reads its callback. @returns null when it must not be sent: its lease is lost, or was just released. */
async function renewedCallback(delivery: Delivery, lease: Lease): Promise<LeasedCallback | null> {
  const askedAt = thisMoment()
  const callback = await delivery.renew(lease)
  if (!callback) {
    delivery.log.debug({ lease: leaseKey(lease) }, 'callback.lease_lost')
    return null
  }
  if (callback.disabled) {
    // The next sweep holds it. Not released, its lease would use up the lane's cap until it runs out.
    await delivery.release(lease)
    return null
  }
  // This process may have been suspended since it asked. Then the lease could end during the attempt.
  return elapsedMs(askedAt) > delivery.marginMs - delivery.deadlineMs ? null : callback
}

function finishedAttempt(callback: LeasedCallback, url: string, outcome: SendOutcome): FinishedAttempt {
  return {
    id: callback.id,
    epoch: callback.epoch,
    attempt: callback.attempts + 1,
    startedAt: callback.now,
    durationMs: outcome.durationMs,
    url,
    outcome: outcome.kind === 'failed' ? outcome.failure : outcome.kind,
    status: outcome.status ?? null,
    answer: outcome.kind === 'failed' ? null : outcome.answer,
    scheduleStep: callback.scheduleStep,
    next:
      outcome.kind === 'acknowledged' ? { kind: 'delivered' } : decideRetry(callback.scheduleStep, outcome),
  }
}

/** Records an attempt, again and again for `recordTimeoutMs`. @returns whether it moved its callback. */
async function recordWithRetries(delivery: Delivery, attempt: FinishedAttempt): Promise<boolean> {
  const giveUpAt = performance.now() + recordTimeoutMs
  for (;;) {
    try {
      return await delivery.record(attempt)
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
      await new Promise(resolve => setTimeout(resolve, recordPauseMs))
    }
  }
}

/** Counts an attempt and logs it in one line. Bodies are not logged: what was answered stands in the database. */
function report(
  delivery: Delivery,
  callback: LeasedCallback,
  attempt: FinishedAttempt,
  outcome: SendOutcome,
  moved: boolean,
): void {
  const { next } = attempt
  delivery.metrics.attempts.inc({ outcome: attempt.outcome })
  delivery.metrics.seconds.observe(attempt.durationMs / 1000)
  if (moved && next.kind === 'exhausted') delivery.metrics.exhausted.inc()
  const facts = {
    callbackId: callback.facts.key,
    ...('orderid' in callback.facts && { orderid: callback.facts.orderid }),
    attempt: attempt.attempt,
    status: attempt.status,
    durationMs: attempt.durationMs,
    outcome: attempt.outcome,
    ...(outcome.kind === 'failed' && { reason: outcome.reason }),
    ...(next.kind === 'retry' && { retryInMs: next.inMs }),
    ...(next.kind === 'exhausted' && { exhausted: true }),
    // Another courier holds the lease by now. Its result counts.
    ...(!moved && { late: true }),
  }
  if (next.kind === 'exhausted') delivery.log.warn(facts, 'callback.attempted')
  else delivery.log.info(facts, 'callback.attempted')
}
