import { GatewayError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import { legacy, usdt } from '../base/money.ts'
import type { Prisma, PrismaTx } from '../db/prisma-client.ts'
import { readTimeoutMs } from '../db/read-pool.ts'
import type { OrderState } from './order.ts'
import { type ShownOrder, showOrder } from './show-order.ts'

/** A filter on a merchant's orders. A field that is absent does not filter. */
export interface OrderFilter {
  /** Created at `from` or later, and before `to`. */
  from?: Date
  to?: Date
  state?: OrderState
  expired?: boolean
  localusermark?: string
  /** The ordersn of the previous page's last order. */
  cursor?: string
  limit: number
}

/** Prisma ends the transaction after this, and the wait for one. Postgres ends a statement sooner, and so does a silent connection. */
const transactionTimeoutMs = readTimeoutMs + 2_000

/**
 * Reads a page of a merchant's orders, newest first.
 * @param prisma on the pool for reads.
 * @returns `next`: the cursor for the next page; null after the last.
 * @throws GatewayError bad_parameter when the cursor is not an order of this merchant.
 */
export async function listOrders(prisma: Prisma, merchantId: MerchantId, filter: OrderFilter) {
  return prisma.$transaction(
    async tx => {
      // A proxy between us and the database may have dropped that of the connection.
      await tx.$executeRawUnsafe(`set local statement_timeout = ${readTimeoutMs}`)
      return readPage(tx, merchantId, filter)
    },
    { timeout: transactionTimeoutMs, maxWait: transactionTimeoutMs },
  )
}

async function readPage(prisma: PrismaTx, merchantId: MerchantId, filter: OrderFilter) {
  const { cursor, limit } = filter
  const last =
    cursor === undefined
      ? undefined
      : await prisma.rechargeOrder.findFirst({
          where: { merchantId, ordersn: cursor },
          select: { createdAt: true },
        })
  if (last === null) throw new GatewayError('bad_parameter', 'cursor: must be `next` of the previous page')
  const { blockTime } = await prisma.chainCursor.findFirstOrThrow({ select: { blockTime: true } })
  const rows = await prisma.rechargeOrder.findMany({
    where: {
      merchantId,
      createdAt: { gte: filter.from, lt: filter.to, ...(last && { lte: endOfMs(last.createdAt) }) },
      localusermark: filter.localusermark,
      ...(filter.state && byState(prisma, filter.state)),
      ...(filter.expired !== undefined && {
        expiresAt: filter.expired ? { lt: blockTime } : { gte: blockTime },
      }),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    // The rows begin with the cursor's own order, unless that order no longer passes the filter. So it is dropped by its
    // ordersn: `skip: 1` would then lose another order.
    ...(cursor !== undefined && { cursor: { ordersn: cursor } }),
    // Two more than the limit: the cursor's own order, and one that shows that there is a next page.
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

/**
 * The end of a time's millisecond, since Prisma cuts the microseconds off. The cursor's own condition is exact, but no range of
 * an index: with it alone, each page would read all orders before it again.
 */
function endOfMs(time: Date): Date {
  return new Date(time.getTime() + 1)
}

/** Turns a state into a condition on the sums, since no state is stored. */
function byState(prisma: PrismaTx, state: OrderState) {
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
