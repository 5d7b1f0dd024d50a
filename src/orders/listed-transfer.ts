import { unixSeconds } from '../base/clock.ts'
import { formatUsdt, type LegacyUnits, type UsdtUnits } from '../base/money.ts'
import { type ChainPlace, inChainOrder } from '../transfers/transfer.ts'
import type { TronAddress } from '../tron/address.ts'

/**
 * What has become of a transfer. deposit: announced without an order. held: it waits, and why is in `reason`. rejected: the
 * operator decided not to credit it. settled_outside: the operator dealt with it elsewhere, and no order gets it.
 */
export const transferStates = [
  'credited',
  'deposit',
  'unclaimed',
  'held',
  'rejected',
  'settled_outside',
] as const
export type TransferState = (typeof transferStates)[number]

/**
 * Why a transfer is held. confirmation: a second node must show the same. proof: it is not proved yet that it happened.
 * quarantine: it cannot be credited, and the operator has to look. behind: an earlier transfer to the address is held.
 */
export const holdReasons = ['confirmation', 'proof', 'quarantine', 'behind'] as const

/** A place in the order of pages. `pendingId` tells versions apart that wait for proof; it is 0 for a recorded transfer. */
export interface TransferPlace extends ChainPlace {
  pendingId: bigint
}

/** A transfer to one of a merchant's addresses. */
export interface ListedTransfer extends TransferPlace {
  txid: string
  address: TronAddress
  localusermark: string
  from: TronAddress
  amount: UsdtUnits
  time: Date
  state: TransferState
  /** Null unless it is held. */
  reason: (typeof holdReasons)[number] | null
  /** Null unless it is credited. */
  orderid: string | null
  /** The key of the callback that announces a deposit; null in other states, and where less than 1/10000 USDT was left. */
  depositId: string | null
  /** What that announces; null unless it is a deposit. */
  depositAmount: LegacyUnits | null
}

/** A transfer on the chain that is not irreversible yet. For display only. */
export interface SeenTransfer {
  txid: string
  address: TronAddress
  localusermark: string
  amount: UsdtUnits
  confirmations: number
}

/** A filter on a merchant's transfers. A field that is absent does not filter. */
export interface TransferFilter {
  /** Lower-case hex. */
  txid?: string
  address?: string
  localusermark?: string
  state?: TransferState
  /** Only what comes after it; null: from the newest on. */
  after: TransferPlace | null
  limit: number
}

/** Compares two places in the order of the chain. */
export function comparePlaces(a: TransferPlace, b: TransferPlace): number {
  return inChainOrder(a, b) || Number(a.pendingId - b.pendingId)
}

/** Writes a place as the cursor of a page. */
export function cursorOf({ height, txIndex, logIndex, pendingId }: TransferPlace): string {
  return [height, txIndex, logIndex, pendingId].join('-')
}

/** Reads a cursor. @returns null when it is none. */
export function placeOfCursor(text: string): TransferPlace | null {
  const match = /^(\d{1,10})-(\d{1,10})-(\d{1,10})-(\d{1,18})$/.exec(text)
  if (!match) return null
  const [height, txIndex, logIndex] = match.slice(1, 4).map(Number) as [number, number, number]
  if (Math.max(height, txIndex, logIndex) > 0x7fffffff) return null
  return { height, txIndex, logIndex, pendingId: BigInt(match[4]!) }
}

/** Formats a transfer for the wire: decimal USDT, Unix seconds. */
export function showTransfer(transfer: ListedTransfer) {
  return {
    txid: transfer.txid,
    log_index: transfer.logIndex,
    from: transfer.from,
    address: transfer.address,
    localusermark: transfer.localusermark,
    amount: formatUsdt(transfer.amount),
    block: transfer.height,
    block_time: unixSeconds(transfer.time),
    state: transfer.state,
    reason: transfer.reason,
    orderid: transfer.orderid,
    deposit_id: transfer.depositId,
    deposit_amount: transfer.depositAmount === null ? null : `${transfer.depositAmount}`,
  }
}
