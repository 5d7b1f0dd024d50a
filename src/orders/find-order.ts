import { GatewayError } from '../base/errors.ts'
import type { OrderKey } from '../base/ids.ts'
import type { Pool } from '../db/pool.ts'
import { shareRoundTrips } from '../db/shared-round-trip.ts'
import { type OrderDetails, readOrderDetails } from './order-query-store.ts'
import { withPayTokens } from './pay-link-store.ts'

/** Finds one of a merchant's orders. @throws GatewayError missing_parameter, order_not_found */
export type FindOrder = (key: OrderKey) => Promise<OrderDetails & { payToken: Buffer }>

/**
 * Opens the lookup of orders. Orders requested at the same time are read in one statement. It is SQL, although Prisma
 * serves the list of orders: merchants poll this endpoint, and Prisma took eight statements and fifty times the work.
 */
export function openFindOrder(pool: Pool): FindOrder {
  const read = shareRoundTrips({
    run: async (keys: readonly OrderKey[]) => withPayTokens(pool, await readOrderDetails(pool, keys)),
    itemsMax: 64,
    waitingMax: 4_096,
    inFlightMax: 3,
  })
  return async key => {
    if (key.orderid === null && key.ordersn === null) {
      throw new GatewayError('missing_parameter', 'orderid or ordersn: one of them is required')
    }
    const order = await read(key)
    if (order) return order
    const given = key.orderid === null ? 'ordersn' : 'orderid'
    throw new GatewayError('order_not_found', `${given}: you have no such order`)
  }
}
