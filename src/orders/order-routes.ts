import Type from 'typebox'
import { GatewayError } from '../base/errors.ts'
import type { Prisma } from '../db/prisma-client.ts'
import { describeEndpoint, type Endpoint } from '../merchants/endpoint.ts'
import {
  localusermarkParameter,
  orderidParameter,
  textParameter,
  usernameParameter,
} from '../merchants/parameter-schemas.ts'
import { createOrder, type OrderDesk } from './create-order.ts'
import { findOrder } from './find-order.ts'

const usdt = (description: string) => Type.String({ description: `${description}, decimal USDT` })
const seconds = (description: string) => Type.Integer({ description: `${description}, Unix seconds` })
const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const order = {
  ordersn: Type.String({ description: "The gateway's id of the order" }),
  orderid: Type.String(),
  username: Type.String(),
  localusermark: Type.String(),
  address: Type.String({ description: 'The TRON address to pay to' }),
  amount: usdt('Asked for'),
  received: usdt('Credited so far'),
  announced: usdt('Announced by callbacks so far'),
  state: Type.String({ enum: ['pending', 'underpaid', 'paid', 'overpaid'] }),
  expired: Type.Boolean({ description: "Whether the window is over by the chain's clock" }),
  created_at: seconds('When it was made'),
  expires_at: seconds('When its window ends'),
}

const transfer = Type.Object({
  txid: Type.String(),
  log_index: Type.Integer({ description: "Position in the transaction's logs" }),
  from: Type.String(),
  amount: usdt('Arrived'),
  block: Type.Integer(),
  block_time: seconds("Its block's time"),
  late: Type.Boolean({ description: "Whether it came after the order's window" }),
})

const sighting = Type.Object({
  txid: Type.String(),
  amount: usdt('Seen'),
  confirmations: Type.Integer({ description: 'Blocks on top of its own; credited at 19' }),
})

const callback = Type.Object({
  id: Type.String({ description: "The callback's key" }),
  body_amount: Type.String({ description: 'What it announces, in 1/10000 USDT' }),
  state: Type.String({ enum: ['due', 'in_flight', 'held', 'delivered', 'exhausted'] }),
  attempts: Type.Integer(),
  last_status: nullable(Type.Integer({ description: 'HTTP status of the last answer' })),
  next_at: nullable(seconds('When it is sent next')),
  delivered_at: nullable(seconds('When it was acknowledged')),
})

/** TraderRechargeorder and findorder. */
export function orderEndpoints({ desk, prisma }: { desk: OrderDesk; prisma: Prisma }): Endpoint[] {
  return [
    describeEndpoint({
      name: 'TraderRechargeorder',
      summary: 'Creates an order, once: asked again with the same parameters it answers the same.',
      replay: 'legacy',
      parameters: Type.Object({
        username: usernameParameter,
        localusermark: localusermarkParameter,
        address: textParameter(
          1,
          64,
          "One of the user's addresses, or the word auto for one of the order's own.",
        ),
        orderid: orderidParameter,
        // Judged when the order is made, where the refusal can say what is wrong with it.
        amount: Type.String({ description: 'Decimal USDT, ^(0|[1-9]\\d{0,11})(\\.\\d{1,6})?$, above 0.' }),
        notify_url: Type.Optional(
          textParameter(0, 512, "Where its callbacks go; without one, to the merchant's default URL."),
        ),
      }),
      data: Type.Object({
        msg: Type.String(),
        ordersn: order.ordersn,
        address: order.address,
        expires_at: order.expires_at,
      }),
      run: async (merchant, parameters) => {
        const { ordersn, address, expiresAt } = await createOrder(desk, merchant, parameters)
        return { msg: '操作成功', ordersn, address, expires_at: expiresAt }
      },
    }),
    describeEndpoint({
      name: 'findorder',
      summary: 'The order with its transfers, sightings and callbacks.',
      replay: 'usual',
      parameters: Type.Object({
        orderid: Type.Optional(orderidParameter),
        ordersn: Type.Optional(textParameter(1, 64, "The gateway's id of the order.")),
      }),
      data: Type.Object({
        ...order,
        transfers: Type.Array(transfer),
        seen: Type.Array(sighting),
        callbacks: Type.Array(callback),
      }),
      run: async (merchant, { orderid, ordersn }) => {
        if (orderid === undefined && ordersn === undefined) {
          throw new GatewayError(
            'missing_parameter',
            'orderid: missing, and so is ordersn: one of them is needed',
          )
        }
        const found = await findOrder(prisma, merchant.id, { orderid, ordersn })
        if (!found) {
          throw new GatewayError(
            'order_not_found',
            `no order of yours has this ${orderid === undefined ? 'ordersn' : 'orderid'}`,
          )
        }
        return found
      },
    }),
  ]
}
