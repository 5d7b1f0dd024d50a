import type { OrderId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'

/** An order, as far as attribution needs it. */
export interface PayableOrder {
  id: OrderId
  amount: UsdtUnits
  received: UsdtUnits
  createdAt: Date
  expiresAt: Date
}

/**
 * Chooses the order that a transfer pays. The answer does not depend on when the block is read, because only orders created
 * no later than the block's time plus the grace are eligible.
 *
 * Among the eligible orders on the address: an open one whose remainder is exactly the amount (the oldest such); else
 * the oldest open one; else the newest. An order is open while it has received less than its amount and the block's
 * time is not past its `expiresAt`.
 * @param orders the address's orders, oldest first.
 * @returns null when none is eligible: the transfer is unclaimed.
 */
export function chooseOrder<O extends PayableOrder>(
  transfer: { amount: UsdtUnits; time: Date },
  orders: readonly O[],
  graceMs: number,
): O | null {
  const eligible = orders.filter(order => order.createdAt.getTime() <= transfer.time.getTime() + graceMs)
  const open = eligible.filter(order => order.received < order.amount && transfer.time <= order.expiresAt)
  const exact = open.find(order => order.amount - order.received === transfer.amount)
  return exact ?? open[0] ?? eligible.at(-1) ?? null
}

/**
 * Chooses the order that gets a transfer which came before any order: the oldest, once it exists.
 * @param until the chain's time so far. An order counts from the first block whose time, plus the grace, has reached its
 *   creation. So blocks read one by one and a thousand at a time give the same answer.
 */
export function claimUnclaimed<O extends PayableOrder>(
  orders: readonly O[],
  until: Date,
  graceMs: number,
): O | null {
  const oldest = orders[0]
  return oldest && oldest.createdAt.getTime() <= until.getTime() + graceMs ? oldest : null
}
