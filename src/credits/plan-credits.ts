import type { DepositAddressId } from '../base/ids.ts'
import { type LegacyUnits, legacy, type UsdtUnits, usdt } from '../base/money.ts'
import { pendingAnnouncement } from '../callbacks/outbox/callback.ts'
import type { PayingOrder } from '../orders/order-totals-store.ts'
import { inChainOrder } from '../transfers/transfer.ts'
import { chooseOrder, claimUnclaimed } from './attribution.ts'
import type { PendingTransfer } from './pending-transfer.ts'

/** A credit to be written, with its order as it is right after it. */
export interface PlannedCredit {
  transfer: PendingTransfer
  order: PayingOrder
  /** The order's received right after this credit. */
  received: UsdtUnits
  late: boolean
  /** What its callback announces; 0 when there is not yet a whole 1/10000 USDT to announce. */
  announcement: LegacyUnits
}

/**
 * Plans what each transfer pays, without I/O. Transfers on one address are taken in chain order, and each moves the order's
 * `received` and `announced` on.
 * @param transfers pending, at one or many addresses.
 * @param orders the addresses' orders that may be paid, in any sequence; they are changed.
 * @param until the time of the last block of the transaction.
 */
export function planCredits(
  transfers: readonly PendingTransfer[],
  orders: readonly PayingOrder[],
  until: Date,
  graceMs: number,
): { credits: PlannedCredit[]; unclaimed: PendingTransfer[] } {
  const ordersByAddress = new Map<DepositAddressId, PayingOrder[]>()
  for (const order of orders.toSorted(oldestFirst)) {
    const others = ordersByAddress.get(order.depositAddressId)
    if (others) others.push(order)
    else ordersByAddress.set(order.depositAddressId, [order])
  }
  const credits: PlannedCredit[] = []
  const unclaimed: PendingTransfer[] = []
  for (const transfer of transfers.toSorted(inChainOrder)) {
    const choice = ordersByAddress.get(transfer.depositAddressId) ?? []
    const order = chooseOrder(transfer, choice, graceMs) ?? claimUnclaimed(choice, until, graceMs)
    if (order) credits.push(credit(transfer, order))
    else unclaimed.push(transfer)
  }
  return { credits, unclaimed }
}

function credit(transfer: PendingTransfer, order: PayingOrder): PlannedCredit {
  order.received = usdt(order.received + transfer.amount)
  const announcement = pendingAnnouncement(order.received, order.announced)
  order.announced = legacy(order.announced + announcement)
  return { transfer, order, received: order.received, late: transfer.time > order.expiresAt, announcement }
}

function oldestFirst(a: PayingOrder, b: PayingOrder): number {
  const byAge = a.createdMicros - b.createdMicros || a.id - b.id
  return byAge < 0n ? -1 : 1
}
