import type { MarkId, MerchantId, OrderId, TransferId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'

// mark: what a person notes about money that was received. It moves no money and changes no credit. It is never changed: a
// withdrawal, itself a mark, takes it back.
export const markKinds = [
  'settled_outside', // an unclaimed transfer that was dealt with elsewhere: no order gets it
  'refund', // paid back to the payer, by the transaction that it names
  'correction', // counts more, or less, than was received
  'withdrawal', // takes one of the others back
] as const

export type MarkKind = (typeof markKinds)[number]

/** What a mark is about: one transfer, or an order with all that it received. */
export type MarkTarget = { transferId: TransferId } | { orderId: OrderId }

/** A mark to be written. */
export interface NewMark {
  kind: MarkKind
  merchantId: MerchantId
  target: MarkTarget
  /** The mark that it takes back; null: it takes none back. */
  withdraws: MarkId | null
  /** Of a refund and a correction; of the latter below 0 when less counts. Null: of the others. */
  amount: UsdtUnits | null
  /** 64 lower-case hex digits. */
  txid: string | null
  reason: string
  madeBy: string
}

/** A mark as it stands. */
export interface Mark extends NewMark {
  id: MarkId
  /** The withdrawal that took it back; null: it stands. */
  withdrawnBy: MarkId | null
}

/** Computes what a refund or a correction takes from what was received. One that adds takes nothing. */
export function takenBy({ kind, amount }: Pick<NewMark, 'kind' | 'amount'>): bigint {
  if (amount === null) return 0n
  if (kind === 'refund') return amount
  return amount < 0n ? -amount : 0n
}

/** Reads a transaction id as people paste it, in any case, with or without 0x. @returns undefined when it is none. */
export function readTxid(text: string): string | undefined {
  const txid = text.trim().replace(/^0x/i, '').toLowerCase()
  return /^[0-9a-f]{64}$/.test(txid) ? txid : undefined
}
