import type { MerchantId } from '../../base/ids.ts'
import type { CallbackFacts } from './callback.ts'

/** The right to send one callback, until it runs out or another epoch begins. */
export interface Lease {
  id: bigint
  epoch: bigint
}

/** A leased callback with all that its attempt needs. */
export interface LeasedCallback extends Lease {
  merchantId: MerchantId
  orderId: bigint
  /** Attempts made before this one, and how many of them belong to the schedule as it runs now. */
  attempts: number
  scheduleStep: number
  /** The order's own URL; without one the merchant's default is used, as it is when sending. */
  notifyUrl: string | null
  /** Its merchant has been disabled since it was leased. */
  disabled: boolean
  /** The database's time: the couriers' clocks may differ, this is one. */
  now: Date
  facts: CallbackFacts
}

/** A lease's own name. A call is named for its first lease, so that no id ever comes twice: nor does an epoch. */
export function leaseKey(lease: Lease): string {
  return `${lease.id}-${lease.epoch}`
}
