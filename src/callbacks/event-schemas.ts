import Type, { type TObject } from 'typebox'
import type { EventName } from '../merchants/event-names.ts'

const text = (description: string, example: string) => Type.String({ description, examples: [example] })

const orderid = text("The merchant's id for the order.", 'sh-1')
const ordersn = text("The gateway's id of the order.", 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2')
const localusermark = text("The merchant's id for the user.", '1')
const address = text('The address that was, or was to be, paid.', 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6')
const transfer = {
  event_txid: text(
    'The transaction with the transfer.',
    '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00',
  ),
  event_log_index: text("The transfer's position in the transaction's logs.", '0'),
  event_amount_usdt: text("The transfer's amount, decimal USDT.", '3.00005'),
}

/** The bodies of events. Every value is text. */
export const eventSchemas: Record<EventName, TObject> = {
  'order.seen': eventSchema('order.seen', {
    event_orderid: orderid,
    event_ordersn: ordersn,
    event_localusermark: localusermark,
    event_address: address,
    ...transfer,
    event_block: text('The number of the block that has it.', '64072148'),
  }),
  'order.expired': eventSchema('order.expired', {
    event_orderid: orderid,
    event_ordersn: ordersn,
    event_localusermark: localusermark,
    event_address: address,
    event_state: Type.String({
      enum: ['pending', 'underpaid'],
      description: "The order's state.",
      examples: ['underpaid'],
    }),
    event_expected_usdt: text("The order's amount, decimal USDT.", '3'),
    event_received_usdt: text('What it has received, decimal USDT.', '1.5'),
    event_expires_at: text('When its window ended, Unix seconds.', '1662386238'),
  }),
  'deposit.unclaimed': eventSchema('deposit.unclaimed', {
    event_localusermark: localusermark,
    event_address: address,
    ...transfer,
  }),
}

function eventSchema(event: EventName, says: TObject['properties']): TObject {
  return Type.Object({
    event: Type.String({ const: event, description: 'What it tells.', examples: [event] }),
    event_id: text("The event's key: the same at every attempt.", 'ev_0123456789abcdef0123456789abcdef'),
    ...says,
    appid: text("The merchant's appid.", 'VunTq7Zk2Lm9h1l8'),
    t: text('Unix seconds of this attempt.', '1662299959'),
    sign: text('The signature, upper-case hex, under the endpoint name `callback`.', 'F081A2FE…'),
  })
}
