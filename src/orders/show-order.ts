import { unixSeconds } from '../base/clock.ts'
import { formatUsdt, fromLegacyUnits, usdt } from '../base/money.ts'
import { isExpired, orderState } from './order.ts'
import type { OrderDetails } from './order-query-store.ts'
import { payUrls } from './pay-link.ts'

/** The fields of an order that every answer shows. */
export type ShownOrder = Pick<
  OrderDetails,
  | 'ordersn'
  | 'orderid'
  | 'username'
  | 'localusermark'
  | 'address'
  | 'amount'
  | 'received'
  | 'announced'
  | 'createdAt'
  | 'expiresAt'
>

/**
 * Formats an order for the wire: decimal USDT, Unix seconds.
 * @param solidifiedTime block time of the last solidified block. Orders expire by this clock.
 */
export function showOrder(order: ShownOrder, solidifiedTime: Date) {
  return {
    ordersn: order.ordersn,
    orderid: order.orderid,
    username: order.username,
    localusermark: order.localusermark,
    address: order.address,
    amount: formatUsdt(order.amount),
    received: formatUsdt(order.received),
    announced: formatUsdt(fromLegacyUnits(order.announced)),
    state: orderState(order.received, order.amount),
    expired: isExpired(order.expiresAt, solidifiedTime),
    created_at: unixSeconds(order.createdAt),
    expires_at: unixSeconds(order.expiresAt),
  }
}

/** Formats an order with its transfers, sightings and callbacks. */
export function showOrderDetails(order: OrderDetails & { payToken: Buffer }, publicUrl: string) {
  const decimal = (units: string) => formatUsdt(usdt(BigInt(units)))
  return {
    ...showOrder(order, order.solidifiedTime),
    ...payUrls(publicUrl, order.payToken),
    transfers: order.transfers.map(transfer => ({ ...transfer, amount: decimal(transfer.amount) })),
    // For display only: a fork may remove them, and which order they pay is decided when they are solidified.
    seen: order.seen.map(sighting => ({ ...sighting, amount: decimal(sighting.amount) })),
    callbacks: order.callbacks,
  }
}
