import type { Agent } from 'undici'
import { elapsedMs, thisMoment } from '../../base/clock.ts'
import { failpoint } from '../../base/failpoint.ts'
import type { Logger } from '../../base/log.ts'
import type { MerchantDirectory } from '../../merchants/merchant-directory.ts'
import { leaseStillOurs, type OwnLease } from '../leasing/own-lease.ts'
import type { Lease, LeasedCallback } from '../outbox/lease.ts'
import { attemptCallback } from './attempt-callback.ts'
import type { FinishedAttempt } from './attempt-store.ts'
import type { CallbackMetrics } from './callback-metrics.ts'
import { decideRetry } from './retry-schedule.ts'
import type { SendOutcome } from './send-callback.ts'

/** What a courier delivers with. The three calls to the database share round trips among all deliveries in hand. */
export interface Delivery {
  renew(lease: Lease): Promise<LeasedCallback | null>
  release(lease: Lease): Promise<void>
  record(attempt: FinishedAttempt): Promise<boolean>
  merchants: MerchantDirectory
  agent: Agent
  allowedNetworks: readonly string[]
  deadlineMs: number
  /** What a lease just renewed has left at the least: the send, and room to spare. */
  marginMs: number
  leaseMs: number
  log: Logger
  metrics: CallbackMetrics
}

/** How long a result is offered to a database that does not take it. Postgres restarts in less. */
const recordTimeoutMs = 10_000
const recordPauseMs = 250

/**
 * Delivers one leased callback: makes sure of the lease, makes one attempt, records it with what follows.
 * A lease that has gone to somebody else is dropped unsent. When the result cannot be recorded, the lease runs out and
 * the callback is sent once more, under the same key.
 * @param own the lease as it was taken, when it was this process that took it.
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
  const moved = await recordInsistently(delivery, attempt)
  failpoint('courier:after-record')
  report(delivery, callback, attempt, outcome, moved)
}

/** Without a question to the database, for a merchant that sends and is known here; else the database decides. */
function ownCallback(delivery: Delivery, own: OwnLease | undefined): LeasedCallback | null {
  if (!own) return null
  const merchant = delivery.merchants.byId(own.callback.merchantId)
  return merchant && !merchant.disabledAt ? leaseStillOurs(own, delivery) : null
}

/** @returns null when it is not to be sent: its lease has gone to somebody else, or has just been given back. */
async function renewedCallback(delivery: Delivery, lease: Lease): Promise<LeasedCallback | null> {
  const askedAt = thisMoment()
  const callback = await delivery.renew(lease)
  if (!callback) {
    delivery.log.debug({ callback: `${lease.id}`, epoch: `${lease.epoch}` }, 'callback.lease_lost')
    return null
  }
  if (callback.disabled) {
    // Held by the next sweep; its lease would otherwise stand in the lane until it runs out.
    await delivery.release(lease)
    return null
  }
  // This process may have been stopped and continued since it asked: then the lease may end while it sends.
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
    next:
      outcome.kind === 'acknowledged' ? { kind: 'delivered' } : decideRetry(callback.scheduleStep, outcome),
  }
}

async function recordInsistently(delivery: Delivery, attempt: FinishedAttempt): Promise<boolean> {
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

/** One line for each attempt; what was sent and what came back stay in the database. */
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
    orderId: `${callback.orderId}`,
    attempt: attempt.attempt,
    status: attempt.status,
    durationMs: attempt.durationMs,
    outcome: attempt.outcome,
    ...(outcome.kind === 'failed' && { reason: outcome.reason }),
    ...(next.kind === 'retry' && { retryInMs: next.inMs }),
    ...(next.kind === 'exhausted' && { exhausted: true }),
    // Somebody else holds the lease by now; their result counts.
    ...(!moved && { late: true }),
  }
  if (next.kind === 'exhausted') delivery.log.warn(facts, 'callback.attempted')
  else delivery.log.info(facts, 'callback.attempted')
}
