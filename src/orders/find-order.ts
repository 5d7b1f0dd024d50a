import { unixSeconds } from '../base/clock.ts'
import { formatUsdt } from '../base/money.ts'
import type { Prisma } from '../db/prisma-client.ts'
import type { MerchantId } from '../merchants/merchant.ts'
import { isExpired, orderState } from './order.ts'

/** What an order is shown with, everywhere one is shown. */
export const orderColumns = {
  ordersn: true,
  orderid: true,
  username: true,
  localusermark: true,
  amount: true,
  received: true,
  announced: true,
  createdAt: true,
  expiresAt: true,
  depositAddress: { select: { address: true } },
} as const

export interface OrderRow {
  ordersn: string
  orderid: string
  username: string
  localusermark: string
  amount: bigint
  received: bigint
  announced: bigint
  createdAt: Date
  expiresAt: Date
  depositAddress: { address: string }
}

/**
 * An order as the wire shows it: decimal USDT, Unix seconds.
 * @param headTime block time of the last solidified block we have read.
 */
export function showOrder(order: OrderRow, headTime: Date) {
  return {
    ordersn: order.ordersn,
    orderid: order.orderid,
    username: order.username,
    localusermark: order.localusermark,
    address: order.depositAddress.address,
    amount: formatUsdt(order.amount),
    received: formatUsdt(order.received),
    announced: formatUsdt(order.announced * 100n),
    state: orderState(order.received, order.amount),
    expired: isExpired(order.expiresAt, headTime),
    created_at: unixSeconds(order.createdAt),
    expires_at: unixSeconds(order.expiresAt),
  }
}

/**
 * Finds one of a merchant's orders with its transfers in chain order, what is seen at its address in blocks not
 * solidified yet, and its callbacks, oldest first.
 * @param by orderid or ordersn; with both, the order must have both.
 * @returns null when the merchant has no such order.
 */
export async function findOrder(
  prisma: Prisma,
  merchantId: MerchantId,
  by: { orderid?: string | undefined; ordersn?: string | undefined },
) {
  const [order, solidified, head] = await Promise.all([
    prisma.rechargeOrder.findFirst({
      where: { merchantId, orderid: by.orderid, ordersn: by.ordersn },
      select: {
        ...orderColumns,
        depositAddress: { select: { address: true, seenTransfers: { orderBy: { blockHeight: 'asc' } } } },
        credits: { select: { late: true, transfer: true } },
        callbacks: { orderBy: { id: 'asc' } },
      },
    }),
    prisma.chainCursor.findFirstOrThrow({ select: { blockTime: true } }),
    prisma.chainHead.findFirst({ select: { height: true } }),
  ])
  if (!order) return null
  const transfers = order.credits.sort(
    ({ transfer: a }, { transfer: b }) =>
      a.blockHeight - b.blockHeight || a.txIndex - b.txIndex || a.logIndex - b.logIndex,
  )
  return {
    ...showOrder(order, solidified.blockTime),
    transfers: transfers.map(({ late, transfer }) => ({
      txid: transfer.txid,
      log_index: transfer.logIndex,
      from: transfer.fromAddress,
      amount: formatUsdt(transfer.amount),
      block: transfer.blockHeight,
      block_time: unixSeconds(transfer.blockTime),
      late,
    })),
    // For display only: which order they pay is decided when they are solidified, and a fork may take them back.
    seen: order.depositAddress.seenTransfers.map(({ txid, amount, blockHeight }) => ({
      txid,
      amount: formatUsdt(amount),
      confirmations: Math.max(0, (head?.height ?? blockHeight) - blockHeight),
    })),
    callbacks: order.callbacks.map(callback => ({
      id: callback.key,
      body_amount: callback.bodyAmount.toString(),
      state: callback.state,
      attempts: callback.attempts,
      last_status: callback.lastStatus,
      next_at: callback.state === 'due' ? unixSeconds(callback.dueAt) : null,
      delivered_at: callback.deliveredAt && unixSeconds(callback.deliveredAt),
    })),
  }
}
