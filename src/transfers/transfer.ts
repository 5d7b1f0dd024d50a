import type { DepositAddressId, TransferId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'

/** Where a transfer stands in the chain. */
export interface ChainPlace {
  height: number
  /** Position of its transaction in the block. */
  txIndex: number
  /** Position in its transaction's logs. */
  logIndex: number
}

/** A solidified transfer to an assigned address, as it is recorded: it never changes. */
export interface RecordedTransfer extends ChainPlace {
  id: TransferId
  txid: string
  depositAddressId: DepositAddressId
  amount: UsdtUnits
  /** Its block's time: the chain is the clock for payments. */
  time: Date
}

/** Chain order: block, position in the block, position in the transaction. */
export function inChainOrder(a: ChainPlace, b: ChainPlace): number {
  return a.height - b.height || a.txIndex - b.txIndex || a.logIndex - b.logIndex
}
