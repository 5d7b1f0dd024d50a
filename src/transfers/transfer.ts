import type { DepositAddressId, TransferId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'

// transfer: a solidified USDT payment to an assigned address. Recorded once, never changed.
// sighting: a payment at the head, not solidified. For display only, and replaced after a fork.
// quarantine: logs that cannot be decoded and transfers that cannot be credited. They wait for a person.
// second source: TronGrid's history of an address (reconciling), a node's event index of a block (cross-check).
// discrepancy: a difference between us and a second source. Noted for a person, never credited.

/** A transfer's position in the chain. */
export interface ChainPlace {
  height: number
  /** Position of its transaction in the block. */
  txIndex: number
  /** Position in its transaction's logs. */
  logIndex: number
}

/** A transfer as it is recorded. */
export interface RecordedTransfer extends ChainPlace {
  id: TransferId
  txid: string
  depositAddressId: DepositAddressId
  amount: UsdtUnits
  /** Its block's time: the chain is the clock for payments. */
  time: Date
}

/** Compares by chain order: block, position in the block, position in the transaction. */
export function inChainOrder(a: ChainPlace, b: ChainPlace): number {
  return a.height - b.height || a.txIndex - b.txIndex || a.logIndex - b.logIndex
}
