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
import type { CallbackHours } from './callback-hours.ts'
import { createCallbackMetrics } from './callback-metrics.ts'
import type { Delivery } from './deliver-callback.ts'
import { recordResults } from './record-results.ts'

/**
 * Opens what the deliveries of one courier share. Those that wait while a round trip is under way go together in the next
 * statement. One statement per delivery would cost three quarters of the throughput.
 */
export function openDelivery(options: {
  pool: Pool
  merchants: MerchantDirectory
  agent: Agent
  allowedNetworks: readonly string[]
  tuning: CourierTuning
  hours?: CallbackHours
  log: Logger
  registry?: Registry | undefined
}): Delivery {
  const { pool, tuning, merchants, agent, allowedNetworks, log, hours } = options
  // No bound on what waits: it is at most what is handed out to the courier. One round trip at a time: two would each be half as full.
  // Results have two, and smaller ones: a large write would free the slots of all its lanes at once, with nothing left to send.
  const together = { itemsMax: tuning.slots, waitingMax: Number.POSITIVE_INFINITY, inFlightMax: 1 }
  const inParts = { ...together, itemsMax: 128, inFlightMax: 2 }
  const renew = async (leases: readonly Lease[]) => {
    const held = await renewLeases(pool, leases, tuning)
    const byKey = new Map(held.map(callback => [leaseKey(callback), callback]))
    return leases.map(lease => byKey.get(leaseKey(lease)) ?? null)
  }
  const release = async (leases: readonly Lease[]) => {
    await releaseLeases(pool, leases)
    return leases.map(() => undefined)
  }
  const record = (attempts: readonly FinishedAttempt[]) =>
    recordResults(pool, attempts, { circuit: tuning.circuit, log, ...(hours && { hours }) })
  return {
    renew: shareRoundTrips({ ...together, run: renew }),
    record: shareRoundTrips({ ...inParts, run: record }),
    release: shareRoundTrips({ ...together, run: release }),
    merchants,
    agent,
    allowedNetworks,
    deadlineMs: tuning.deadlineMs,
    marginMs: tuning.marginMs,
    leaseMs: tuning.leaseMs,
    // No redaction: it would double the cost of the line per attempt, whose fields are all named in one place.
    log: log.child({}, { redact: [] }),
    metrics: createCallbackMetrics(options.registry, pool),
  }
}
