import { randomUUID } from 'node:crypto'
import { failpoint } from '../base/failpoint.ts'
import type { Pool } from '../db/pool.ts'
import { shareRoundTrips } from '../db/shared-round-trip.ts'
import type { ExistingOrder, OrderRequest } from './order.ts'
import { insertOrders, type NewOrder, readOrders } from './order-store.ts'
import { newPayToken } from './pay-link.ts'
import { withPayTokens } from './pay-link-store.ts'

/** The outcome of a write: the order was created, its orderid exists already, or the user may not use the address. */
export type OrderWritten =
  | { kind: 'created'; ordersn: string; expiresAt: number; payToken: Buffer }
  | { kind: 'exists'; order: ExistingOrder }
  | { kind: 'address_not_assigned' }

/** Writes and finds orders; requests of the same moment share one statement. */
export interface OrderBatch {
  write(order: OrderRequest & { address: string }): Promise<OrderWritten>
  /** Finds the order that has this orderid. */
  find(key: Pick<OrderRequest, 'merchantId' | 'orderid'>): Promise<ExistingOrder | null>
}

/**
 * Opens the batch. Three round trips run at once: while Postgres makes one durable, the next is on its way. More of them
 * only make smaller batches. The queue holds about a second's work.
 */
export function openOrderBatch(pool: Pool, orderWindowMs: number): OrderBatch {
  const bounds = { itemsMax: 256, waitingMax: 8_192, inFlightMax: 3 }
  return {
    write: shareRoundTrips({
      ...bounds,
      run: (orders: readonly (OrderRequest & { address: string })[]) =>
        writeTogether(pool, orders, orderWindowMs),
    }),
    find: shareRoundTrips({
      ...bounds,
      run: async (keys: readonly Pick<OrderRequest, 'merchantId' | 'orderid'>[]) =>
        withPayTokens(pool, await readOrders(pool, keys)),
    }),
  }
}

async function writeTogether(
  pool: Pool,
  requests: readonly (OrderRequest & { address: string })[],
  orderWindowMs: number,
): Promise<OrderWritten[]> {
  const orders = requests.map(
    (order): NewOrder => ({
      ...order,
      ordersn: newOrdersn(),
      payToken: newPayToken(),
    }),
  )
  failpoint('order:before-insert')
  const inserted = await insertOrders(pool, orders, orderWindowMs)
  failpoint('order:after-commit')
  const notInserted =
    inserted.size === orders.length ? [] : orders.filter(({ ordersn }) => !inserted.has(ordersn))
  const existing =
    notInserted.length === 0 ? [] : await withPayTokens(pool, await readOrders(pool, notInserted))
  const found = new Map(notInserted.map(({ ordersn }, i) => [ordersn, existing[i]]))
  return orders.map(({ ordersn, payToken }) => {
    const expiresAt = inserted.get(ordersn)
    if (expiresAt !== undefined) return { kind: 'created', ordersn, expiresAt, payToken }
    const order = found.get(ordersn)
    return order ? { kind: 'exists', order } : { kind: 'address_not_assigned' }
  })
}

function newOrdersn(): string {
  return `cz-${randomUUID().replaceAll('-', '')}`
}
