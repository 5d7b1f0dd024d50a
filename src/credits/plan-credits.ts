import type { DepositAddressId } from '../base/ids.ts'
import { type LegacyUnits, legacy, type UsdtUnits, usdt, wholeLegacyUnits } from '../base/money.ts'
import { pendingAnnouncement } from '../callbacks/outbox/callback.ts'
import type { PayingOrder } from '../orders/order-totals-store.ts'
import { inChainOrder } from '../transfers/transfer.ts'
import { chooseOrder, claimUnclaimed } from './attribution.ts'
import type { DepositingAddress } from './deposit-store.ts'
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

/** A deposit to be written, with its address as it is right after it. */
export interface PlannedDeposit {
  transfer: PendingTransfer
  address: DepositingAddress
  /** The sum of the address's deposits, this one included. */
  received: UsdtUnits
  announcement: LegacyUnits
}

/**
 * Plans what each transfer pays, without I/O. Transfers on one address are taken in chain order, and each moves the order's
 * `received` and `announced` on.
 * @param transfers pending, at one or many addresses.
 * @param orders the addresses' orders that may be paid, in any sequence; they are changed.
 * @param until the time of the last block of the transaction.
 * @param depositing the addresses at which a transfer without an eligible order is a deposit; they are changed. There, no
 *   later order claims it, however late its block is read.
 */
export function planCredits(
  transfers: readonly PendingTransfer[],
  orders: readonly PayingOrder[],
  until: Date,
  graceMs: number,
  depositing: ReadonlyMap<DepositAddressId, DepositingAddress> = new Map(),
): { credits: PlannedCredit[]; deposits: PlannedDeposit[]; unclaimed: PendingTransfer[] } {
  const ordersByAddress = new Map<DepositAddressId, PayingOrder[]>()
  for (const order of orders.toSorted(oldestFirst)) {
    const others = ordersByAddress.get(order.depositAddressId)
    if (others) others.push(order)
    else ordersByAddress.set(order.depositAddressId, [order])
  }
  const credits: PlannedCredit[] = []
  const deposits: PlannedDeposit[] = []
  const unclaimed: PendingTransfer[] = []
  for (const transfer of transfers.toSorted(inChainOrder)) {
    const choice = ordersByAddress.get(transfer.depositAddressId) ?? []
    const address = transfer.wasUnclaimed ? undefined : depositing.get(transfer.depositAddressId)
    const order =
      chooseOrder(transfer, choice, graceMs) ?? (address ? null : claimUnclaimed(choice, until, graceMs))
    if (order) credits.push(planCredit(transfer, order))
    else if (address) deposits.push(planDeposit(transfer, address))
    else unclaimed.push(transfer)
  }
  return { credits, deposits, unclaimed }
}

/** Plans the credit of a transfer to an order, which is changed. */
export function planCredit(transfer: PendingTransfer, order: PayingOrder): PlannedCredit {
  order.received = usdt(order.received + transfer.amount)
  const announcement = pendingAnnouncement(order.received, order.announced)
  order.announced = legacy(order.announced + announcement)
  return { transfer, order, received: order.received, late: transfer.time > order.expiresAt, announcement }
}

/** Plans a transfer as a deposit at an address, which is changed. */
export function planDeposit(transfer: PendingTransfer, address: DepositingAddress): PlannedDeposit {
  const announced = wholeLegacyUnits(address.received)
  address.received = usdt(address.received + transfer.amount)
  const announcement = pendingAnnouncement(address.received, announced)
  return { transfer, address, received: address.received, announcement }
}

function oldestFirst(a: PayingOrder, b: PayingOrder): number {
  const byAge = a.createdMicros - b.createdMicros || a.id - b.id
  return byAge < 0n ? -1 : 1
}
