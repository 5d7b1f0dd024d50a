import type { CallbackId, MerchantId } from '../../base/ids.ts'
import type { CallbackFacts } from './callback.ts'
import type { StatedFacts } from './event.ts'

/** The right to send one callback, until it runs out or another epoch begins. */
export interface Lease {
  id: CallbackId
  epoch: bigint
}

/** A lease as the queue hands it out. */
export interface HandedLease extends Lease {
  /** null: a courier of an earlier version enqueued it. */
  merchantId: MerchantId | null
}

/** A leased callback with everything its attempt needs. */
export interface LeasedCallback extends Lease {
  merchantId: MerchantId
  /** Attempts made before this one. */
  attempts: number
  /** How many of them belong to the current run of the schedule. */
  scheduleStep: number
  /** The order's own URL. null: the merchant's default at the time of sending. */
  notifyUrl: string | null
  /** Its merchant has been disabled since it was leased. */
  disabled: boolean
  /** The database's time: one clock for all couriers, whose own may differ. */
  now: Date
  /** A credit's, or what a deposit states. */
  facts: CallbackFacts | StatedFacts
}

/** Names a lease as `id-epoch`. A job is named for its first lease: since no epoch is given out twice, neither is a name. */
export function leaseKey(lease: Lease): string {
  return `${lease.id}-${lease.epoch}`
}

/** Reads a lease's name, of digits as `leaseKey` writes them. The id comes back from the queue, so this is where it gets its type. */
export function parseLeaseKey(key: string): Lease {
  const [id, epoch] = key.split('-').map(BigInt) as [CallbackId, bigint]
  return { id, epoch }
}
