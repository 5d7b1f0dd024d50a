import type { UsdtUnits } from '../base/money.ts'

/** What attribution has to know of an order. */
export interface PayableOrder {
  id: bigint
  amount: UsdtUnits
  received: UsdtUnits
  createdAt: Date
  expiresAt: Date
}

/**
 * Which order does a transfer pay? The same answer whenever the block is read, because only orders created no later
 * than the block's time plus the grace are eligible.
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
 * Which order gets money that came before any order was there? The oldest, once there is one.
 * @param until the chain's time so far: an order counts from the block on that is no older than it, less the grace, so
 *   that blocks read one by one or a thousand at a time give the same answer.
 */
export function claimUnclaimed<O extends PayableOrder>(
  orders: readonly O[],
  until: Date,
  graceMs: number,
): O | null {
  const oldest = orders[0]
  return oldest && oldest.createdAt.getTime() <= until.getTime() + graceMs ? oldest : null
}
