import Type from 'typebox'
import { callbackStates } from '../callbacks/outbox/callback.ts'
import { nullable } from '../requests/parameter-schemas.ts'
import { orderStates } from './order.ts'

const text = (description: string, example: string) => Type.String({ description, examples: [example] })
const usdt = (description: string, example: string) => text(`${description}, decimal USDT`, example)
const seconds = (description: string, example: number) =>
  Type.Integer({ description: `${description}, Unix seconds`, examples: [example] })
const txidExample = '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00'

/** An order, as every answer shows it. */
export const orderSchema = Type.Object({
  ordersn: text("The gateway's id for the order", 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2'),
  orderid: text("The merchant's id for the order", 'sh-1'),
  username: text("The user's name", 'a123456'),
  localusermark: text("The merchant's id for the user", '1'),
  address: text('The TRON address to pay to', 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6'),
  amount: usdt('Amount of the order', '3'),
  received: usdt('Credited so far', '3.00005'),
  announced: usdt('Announced by callbacks so far', '3'),
  state: Type.String({
    enum: [...orderStates],
    description: 'Follows from amount and received',
    examples: ['overpaid'],
  }),
  expired: Type.Boolean({
    description: 'Whether expires_at has passed, by block time',
    examples: [false],
  }),
  created_at: seconds('Time of creation', 1662299838),
  expires_at: seconds('Time of expiry', 1662386238),
})

const transfer = Type.Object({
  txid: text('Transaction id', txidExample),
  log_index: Type.Integer({ description: "Position in the transaction's logs", examples: [0] }),
  from: text('Sender', 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm'),
  amount: usdt('Amount of the transfer', '3.00005'),
  block: Type.Integer({ description: 'Height of its block', examples: [64072148] }),
  block_time: seconds('Time of its block', 1662299898),
  late: Type.Boolean({ description: 'Whether its block is later than expires_at', examples: [false] }),
  proof: nullable(
    Type.String({
      enum: ['signed', 'agreed', 'alone'],
      description:
        "How it is known that it happened: its sender signed it in a verified block; two hosts showed it; one host's word. Null: recorded by an older version",
      examples: ['signed'],
    }),
  ),
})

const sighting = Type.Object({
  txid: text('Transaction id', txidExample.replace('9f', '11')),
  amount: usdt('Amount of the transfer', '1'),
  confirmations: Type.Integer({ description: 'Blocks after its own; credited at 19', examples: [2] }),
})

const callback = Type.Object({
  id: text("The callback's key", 'cb_0123456789abcdef0123456789abcdef'),
  body_amount: text('Amount it announces, in 1/10000 USDT', '30000'),
  state: Type.String({
    enum: [...callbackStates],
    description: 'Delivery state',
    examples: ['delivered'],
  }),
  attempts: Type.Integer({ description: 'Attempts made', examples: [1] }),
  last_status: nullable(Type.Integer({ description: 'HTTP status of the last answer', examples: [200] })),
  next_at: nullable(seconds('Time of the next attempt', 1662299960)),
  delivered_at: nullable(seconds('Time of acknowledgement', 1662299960)),
})

/** The URLs of an order's page for its payer. */
export const payUrlsSchema = {
  pay_url: text(
    "The order's page: what to pay, and live what has arrived. Send the payer there",
    'https://pay.example/pay/AAECAwQFBgcICQoLDA0ODw',
  ),
  qr_svg_url: text(
    'The QR code of the address, an image that your own page may show',
    'https://pay.example/pay/AAECAwQFBgcICQoLDA0ODw/qr.svg',
  ),
}

/** An order with its transfers, sightings and callbacks. */
export const orderDetailsSchema = Type.Object({
  ...orderSchema.properties,
  ...payUrlsSchema,
  transfers: Type.Array(transfer),
  seen: Type.Array(sighting),
  callbacks: Type.Array(callback),
})
