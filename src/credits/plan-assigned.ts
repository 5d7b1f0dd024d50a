import assert from 'node:assert/strict'
import type { Tx } from '../db/pool.ts'
import { readPayingOrders, writeOrderTotals } from '../orders/order-totals-store.ts'
import { inChainOrder } from '../transfers/transfer.ts'
import { readDepositAddresses } from './deposit-store.ts'
import type { PendingTransfer } from './pending-transfer.ts'
import { type PlannedCredit, type PlannedDeposit, planCredit, planDeposit } from './plan-credits.ts'

/** Tells whether a person has said where a transfer goes. */
export function isAssigned({ toOrderId, toAddressId }: PendingTransfer): boolean {
  return (toOrderId ?? toAddressId ?? null) !== null
}

/**
 * Plans assigned transfers, each as its assignment says, and writes the orders' totals. They are planned and written before all
 * others: their orders may be at other addresses, where what the others choose depends on what these orders have received.
 * @param tx holds the cursor's lock.
 * @param transfers all of them assigned.
 * @returns in chain order.
 */
export async function planAssigned(
  tx: Tx,
  transfers: readonly PendingTransfer[],
): Promise<(PlannedCredit | PlannedDeposit)[]> {
  if (transfers.length === 0) return []
  const orderIds = transfers.flatMap(({ toOrderId }) => toOrderId ?? [])
  const addressIds = transfers.flatMap(({ toAddressId }) => toAddressId ?? [])
  const orders = new Map((await readPayingOrders(tx, orderIds)).map(order => [order.id, order]))
  // Merchants may have turned deposits off since: what was assigned is a deposit all the same.
  const addresses = await readDepositAddresses(tx, addressIds, { depositsOff: true })
  const planned = transfers.toSorted(inChainOrder).map(transfer => {
    const order = transfer.toOrderId && orders.get(transfer.toOrderId)
    if (order) return planCredit(transfer, order)
    const address = transfer.toAddressId && addresses.get(transfer.toAddressId)
    assert(address, 'the order or address of an assignment is there')
    return planDeposit(transfer, address)
  })
  if (orders.size > 0) await writeOrderTotals(tx, [...orders.values()])
  return planned
}
