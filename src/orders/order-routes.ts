import Type from 'typebox'
import type { Prisma } from '../db/prisma-client.ts'
import { describeEndpoint, type Endpoint } from '../requests/endpoint.ts'
import { openMerchantTurns } from '../requests/merchant-turns.ts'
import {
  choiceParameter,
  limitParameter,
  localusermarkParameter,
  nullable,
  orderidParameter,
  ordersnParameter,
  secondsParameter,
  textParameter,
  usernameParameter,
} from '../requests/parameter-schemas.ts'
import { createOrder, type OrderContext } from './create-order.ts'
import type { FindOrder } from './find-order.ts'
import { listOrders } from './list-orders.ts'
import { orderStates } from './order.ts'
import { orderDetailsSchema, orderSchema, payUrlsSchema } from './order-schemas.ts'
import { payUrls } from './pay-link.ts'
import { showOrderDetails } from './show-order.ts'

/** How many pages a merchant may ask for while one is read. Usual clients ask for one after the other. */
const pagesWaiting = 32

/** Describes TraderRechargeorder, findorder and orders. */
export function orderEndpoints({
  context,
  find,
  prisma,
  publicUrl,
}: {
  context: OrderContext
  find: FindOrder
  prisma: Prisma
  /** Where payers reach the gateway. */
  publicUrl: () => string
}): Endpoint[] {
  const takeTurn = openMerchantTurns({
    name: 'orders',
    waitingPerMerchant: pagesWaiting,
    whenTooLong: 'narrow the filter, for example by from and to',
  })
  return [
    describeEndpoint({
      name: 'TraderRechargeorder',
      summary: 'Creates an order. The same parameters again get the same answer.',
      replay: 'legacy',
      refusals: [
        'bad_amount',
        'bad_notify_url',
        'bad_return_url',
        'notify_url_required',
        'address_not_assigned',
        'orderid_conflict',
      ],
      parameters: Type.Object({
        username: usernameParameter,
        localusermark: localusermarkParameter,
        address: textParameter(
          1,
          64,
          "One of the user's addresses, or `auto` for an address that serves this order alone.",
          'auto',
        ),
        orderid: orderidParameter,
        // createOrder checks the format: its refusal says what is wrong.
        amount: Type.String({
          description: 'Decimal USDT above 0: at most 12 digits, and at most 6 decimals after a point.',
          examples: ['3'],
        }),
        notify_url: Type.Optional(
          textParameter(
            0,
            512,
            "URL for the order's callbacks; without it they go to the merchant's default URL.",
            'https://shop.example/cb',
          ),
        ),
        // createOrder checks it, where it is known: of other merchants anything is passed over.
        return_url: Type.Optional(
          Type.String({
            description:
              "Where the order's page leads the payer back to; http or https, at most 1024 characters. Only for merchants who are set to have it; others' is ignored.",
            examples: ['https://shop.example/thanks'],
          }),
        ),
      }),
      data: Type.Object({
        msg: Type.String({ description: 'Always 操作成功 (success)', examples: ['操作成功'] }),
        ordersn: orderSchema.properties.ordersn,
        address: orderSchema.properties.address,
        expires_at: orderSchema.properties.expires_at,
        ...payUrlsSchema,
      }),
      run: async (merchant, parameters) => {
        const { ordersn, address, expiresAt, payToken } = await createOrder(context, merchant, parameters)
        const urls = payUrls(publicUrl(), payToken)
        return { msg: '操作成功', ordersn, address, expires_at: expiresAt, ...urls }
      },
    }),
    describeEndpoint({
      name: 'findorder',
      summary: 'The order with its transfers, sightings and callbacks.',
      replay: 'usual',
      refusals: ['order_not_found'],
      parameters: Type.Object({
        orderid: Type.Optional(orderidParameter),
        ordersn: Type.Optional(ordersnParameter),
      }),
      data: orderDetailsSchema,
      run: async (merchant, { orderid = null, ordersn = null }) =>
        showOrderDetails(await find({ merchantId: merchant.id, orderid, ordersn }), publicUrl()),
    }),
    describeEndpoint({
      name: 'orders',
      summary: 'A page of orders, newest first.',
      replay: 'usual',
      refusals: [],
      parameters: Type.Object({
        from: Type.Optional(secondsParameter('Created at or after, Unix seconds.', '1662249600')),
        to: Type.Optional(secondsParameter('Created before, Unix seconds.', '1662336000')),
        state: Type.Optional(choiceParameter(orderStates, 'Only orders in this state.')),
        expired: Type.Optional(
          choiceParameter(
            ['true', 'false'],
            'true: only orders that have expired by block time; false: only the others.',
          ),
        ),
        localusermark: Type.Optional(localusermarkParameter),
        cursor: Type.Optional(
          textParameter(1, 64, '`next` of the previous page.', 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2'),
        ),
        limit: Type.Optional(limitParameter('orders')),
      }),
      data: Type.Object({
        orders: Type.Array(orderSchema),
        next: nullable(
          Type.String({
            description: 'Cursor for the next page; null after the last',
            examples: ['cz-7773c1e05b7d4a0c9a51e2b8dfc698d2'],
          }),
        ),
      }),
      run: (merchant, { from, to, expired, limit, ...filter }) =>
        takeTurn(merchant.id, () =>
          listOrders(prisma, merchant.id, {
            ...filter,
            ...(from !== undefined && { from: new Date(Number(from) * 1000) }),
            ...(to !== undefined && { to: new Date(Number(to) * 1000) }),
            ...(expired !== undefined && { expired: expired === 'true' }),
            limit: Number(limit ?? 100),
          }),
        ),
    }),
  ]
}
