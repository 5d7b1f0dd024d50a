import type { DepositAddressId, OrderId } from '../base/ids.ts'
import type { RecordedTransfer } from '../transfers/transfer.ts'

// credit: a transfer's amount, added to one order, exactly once.
// deposit: a credit to an address instead of an order, of a merchant with deposits on. No order ever gets it.
// assigned: an operator says which order, or which user, an unclaimed transfer is for.
// settled outside: an operator has dealt with an unclaimed transfer elsewhere. No order ever gets it, unless that is withdrawn.
// pending: recorded and not credited yet. A pending transfer waits for one of these reasons:
export const waitReasons = [
  'unclaimed', // no eligible order at its address
  'held', // above the quorum amount, until a second node shows the same
  'quarantined', // crediting it failed for a lasting reason
  'behind', // an earlier transfer at its address is held or quarantined
] as const

export type WaitReason = (typeof waitReasons)[number]

/** A transfer without a credit. */
export interface PendingTransfer extends RecordedTransfer {
  /** Whether it has a row in waiting_transfer. A transfer that was recorded just now has none. */
  written: boolean
  /** Why it waits, as far as is known; null for one recorded just now that is not held. */
  reason: WaitReason | null
  /** It was unclaimed at some time. An order may claim it, and it does not become a deposit by itself. */
  wasUnclaimed: boolean
  /** The node that served its block, for a held transfer. */
  node: string | null
  /** The order to which a person assigned it; null or undefined: none. */
  toOrderId?: OrderId | null
  /** The address of the user to whom a person assigned it. */
  toAddressId?: DepositAddressId | null
}

/** A transfer that goes on waiting, with its reason from now on. */
export interface KeptTransfer {
  transfer: PendingTransfer
  reason: WaitReason
}
