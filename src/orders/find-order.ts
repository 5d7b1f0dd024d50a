import { GatewayError } from '../base/errors.ts'
import type { OrderKey } from '../base/ids.ts'
import type { Pool } from '../db/pool.ts'
import { shareRoundTrips } from '../db/shared-round-trip.ts'
import { type OrderDetails, readOrderDetails } from './order-query-store.ts'

/** Finds one of a merchant's orders. @throws GatewayError missing_parameter, order_not_found */
export type FindOrder = (key: OrderKey) => Promise<OrderDetails>

/**
 * Opens the finding of orders; those asked for at the same time are read together. In SQL, although Prisma serves the
 * other queries: merchants poll this one, and there it took eight statements and fifty times the work.
 */
export function openFindOrder(pool: Pool): FindOrder {
  const read = shareRoundTrips({
    run: (keys: readonly OrderKey[]) => readOrderDetails(pool, keys),
    itemsMax: 64,
    waitingMax: 4_096,
    inFlightMax: 3,
  })
  return async key => {
    if (key.orderid === null && key.ordersn === null) {
      throw new GatewayError(
        'missing_parameter',
        'orderid: missing, and so is ordersn: one of them is needed',
      )
    }
    const order = await read(key)
    if (order) return order
    const given = key.orderid === null ? 'ordersn' : 'orderid'
    throw new GatewayError('order_not_found', `${given}: no order of yours has it`)
  }
}
