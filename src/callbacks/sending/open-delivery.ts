import type { Agent } from 'undici'
import type { Logger } from '../../base/log.ts'
import type { Registry } from '../../base/metrics.ts'
import type { Pool } from '../../db/pool.ts'
import { shareRoundTrips } from '../../db/shared-round-trip.ts'
import type { MerchantDirectory } from '../../merchants/merchant-directory.ts'
import type { CourierTuning } from '../leasing/courier-tuning.ts'
import { releaseLeases, renewLeases } from '../leasing/lease-store.ts'
import { type Lease, leaseKey } from '../outbox/lease.ts'
import type { FinishedAttempt } from './attempt-store.ts'
import { createCallbackMetrics } from './callback-metrics.ts'
import type { Delivery } from './deliver-callback.ts'
import { recordResults } from './record-results.ts'

/**
 * What the deliveries of one courier have in common. They share statements: all that ask while a round trip is under
 * way go together in the next one. A statement each would cost three quarters of the throughput.
 */
export function openDelivery(options: {
  pool: Pool
  merchants: MerchantDirectory
  agent: Agent
  allowedNetworks: readonly string[]
  tuning: CourierTuning
  log: Logger
  registry?: Registry | undefined
}): Delivery {
  const { pool, tuning, merchants, agent, allowedNetworks, log } = options
  // No more can wait than are in hand. One round trip at a time: two would be half as full. Results have a second one under
  // way, and bounds: one large write would let all its lanes go at once, when there is nothing left to send.
  const together = { itemsMax: tuning.slots, waitingMax: Number.POSITIVE_INFINITY, inFlightMax: 1 }
  const inParts = { ...together, itemsMax: 128, inFlightMax: 2 }
  const renew = async (leases: readonly Lease[]) => {
    const held = await renewLeases(pool, leases, tuning)
    const byKey = new Map(held.map(callback => [leaseKey(callback), callback]))
    return leases.map(lease => byKey.get(leaseKey(lease)) ?? null)
  }
  const told = { circuit: tuning.circuit, log }
  const record = (attempts: readonly FinishedAttempt[]) => recordResults(pool, attempts, told)
  return {
    renew: shareRoundTrips({ ...together, run: renew }),
    record: shareRoundTrips({ ...inParts, run: record }),
    release: lease => releaseLeases(pool, [lease]),
    merchants,
    agent,
    allowedNetworks,
    deadlineMs: tuning.deadlineMs,
    marginMs: tuning.marginMs,
    leaseMs: tuning.leaseMs,
    // A line for each attempt, of facts named one by one in one place: looking for secrets in it would cost as much again.
    log: log.child({}, { redact: [] }),
    metrics: createCallbackMetrics(options.registry, pool),
  }
}
