import { GatewayError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import { legacy, usdt } from '../base/money.ts'
import type { Prisma } from '../db/prisma-client.ts'
import type { OrderState } from './order.ts'
import { type ShownOrder, showOrder } from './show-order.ts'

/** Which of a merchant's orders; what is not named does not matter. */
export interface OrderFilter {
  /** Created at or after, and before. */
  from?: Date
  to?: Date
  state?: OrderState
  expired?: boolean
  localusermark?: string
  /** The ordersn of the last order of the page before. */
  cursor?: string
  limit: number
}

/**
 * A page of a merchant's orders, newest first.
 * @returns `next` is the cursor of the page after, null when there is none.
 * @throws GatewayError bad_parameter when the cursor is no order of this merchant.
 */
export async function listOrders(prisma: Prisma, merchantId: MerchantId, filter: OrderFilter) {
  const { cursor, limit } = filter
  if (cursor !== undefined) {
    const last = await prisma.rechargeOrder.findFirst({
      where: { merchantId, ordersn: cursor },
      select: { id: true },
    })
    if (!last) throw new GatewayError('bad_parameter', 'cursor: take it from `next` of the page before')
  }
  const { blockTime } = await prisma.chainCursor.findFirstOrThrow({ select: { blockTime: true } })
  const rows = await prisma.rechargeOrder.findMany({
    where: {
      merchantId,
      createdAt: { gte: filter.from, lt: filter.to },
      localusermark: filter.localusermark,
      ...(filter.state && byState(prisma, filter.state)),
      ...(filter.expired !== undefined && {
        expiresAt: filter.expired ? { lt: blockTime } : { gte: blockTime },
      }),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    // The page begins with the cursor's own order, unless that has left the filter meanwhile: so it is dropped by its
    // number, and skipping one would lose an order.
    ...(cursor !== undefined && { cursor: { ordersn: cursor } }),
    // The cursor's, and one more than asked for: it tells whether there is a page after this one.
    take: limit + 2,
    omit: { id: true, merchantId: true, depositAddressId: true, notifyUrl: true },
    include: { depositAddress: { select: { address: true } } },
  })
  const found = rows.filter(({ ordersn }) => ordersn !== cursor)
  const page = found.slice(0, limit).map(
    ({ depositAddress, ...order }): ShownOrder => ({
      ...order,
      address: depositAddress.address,
      amount: usdt(order.amount),
      received: usdt(order.received),
      announced: legacy(order.announced),
    }),
  )
  return {
    orders: page.map(order => showOrder(order, blockTime)),
    next: found.length > limit ? page.at(-1)!.ordersn : null,
  }
}

/** A state is what the sums say: nothing of it is stored. */
function byState(prisma: Prisma, state: OrderState) {
  const { amount } = prisma.rechargeOrder.fields
  switch (state) {
    case 'pending':
      return { received: 0n }
    case 'underpaid':
      return { received: { gt: 0n, lt: amount } }
    case 'paid':
      return { received: { equals: amount } }
    case 'overpaid':
      return { received: { gt: amount } }
  }
}
