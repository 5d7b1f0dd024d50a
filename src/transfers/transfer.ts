import type { UsdtUnits } from '../base/money.ts'

export type TransferId = bigint & { readonly id: 'transfer' }
export type DepositAddressId = bigint & { readonly id: 'deposit-address' }

/** A solidified transfer to an assigned address, as it is recorded: it never changes. */
export interface RecordedTransfer {
  id: TransferId
  txid: string
  /** Position in its transaction's logs. */
  logIndex: number
  depositAddressId: DepositAddressId
  amount: UsdtUnits
  height: number
  /** Its block's time: the chain is the clock for payments. */
  time: Date
  /** Position of its transaction in the block. */
  txIndex: number
}

/** Chain order: block, position in the block, position in the transaction. */
export function inChainOrder(a: RecordedTransfer, b: RecordedTransfer): number {
  return a.height - b.height || a.txIndex - b.txIndex || a.logIndex - b.logIndex
}
