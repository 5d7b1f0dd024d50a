import type {
  GatewayClient,
  OrderName,
  OrderParameters,
} from '../../clients/typescript/src/recharge-gateway.ts'

const user = { username: 'alice', localusermark: '42' }
const order = { ...user, orderid: 'sh-1', amount: '3.5' }

/** What the client takes and what it does not: never called, held by the compiler. */
export const calls: ((gateway: GatewayClient) => unknown)[] = [
  gateway => gateway.createOrder(order satisfies OrderParameters),
  gateway => gateway.createOrder({ ...order, address: 'auto', notify_url: 'https://shop.example/cb' }),
  gateway => gateway.listOrders({ from: 1_662_249_600, to: '1662336000', limit: 5, expired: 'true' }),
  gateway => gateway.findOrder({ ordersn: 'cz-1' } satisfies OrderName),
  gateway => gateway.testCallback({}),
  gateway => gateway.listTransfers({ state: 'unclaimed', localusermark: '42', limit: 5 }),
  // @ts-expect-error: floats are not money.
  gateway => gateway.createOrder({ ...order, amount: 3.5 }),
  // @ts-expect-error: an order has an orderid.
  gateway => gateway.createOrder({ ...user, amount: '3.5' }),
  // @ts-expect-error: a misspelt name would be signed, sent and ignored.
  gateway => gateway.createOrder({ ...order, notifyUrl: 'https://shop.example/cb' }),
  // @ts-expect-error: signing is the client's.
  gateway => gateway.findUserAddress({ ...user, sign: '' }),
  // @ts-expect-error: one name or the other.
  gateway => gateway.findOrder({}),
  // @ts-expect-error: one name or the other, not both.
  gateway => gateway.resendCallback({ orderid: 'sh-1', ordersn: 'cz-1' }),
  // @ts-expect-error: there is no such state.
  gateway => gateway.listOrders({ state: 'refunded' }),
]
