import Type from 'typebox'
import { nullable } from '../requests/parameter-schemas.ts'

const text = (description: string, example: string) => Type.String({ description, examples: [example] })
const usdt = (description: string, example: string) => text(`${description}, decimal USDT`, example)
const seconds = (description: string, example: number) =>
  Type.Integer({ description: `${description}, Unix seconds`, examples: [example] })
const txidExample = '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00'

/** An order as every answer shows one. */
export const orderSchema = Type.Object({
  ordersn: text("The gateway's id of the order", 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2'),
  orderid: text("The merchant's own id of the order", 'sh-1'),
  username: text("The user's name", 'a123456'),
  localusermark: text("The merchant's own id of the user", '1'),
  address: text('The TRON address to pay to', 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6'),
  amount: usdt('Asked for', '3'),
  received: usdt('Credited so far', '3.00005'),
  announced: usdt('Announced by callbacks so far', '3'),
  state: Type.String({
    enum: ['pending', 'underpaid', 'paid', 'overpaid'],
    description: 'From amount and received',
    examples: ['overpaid'],
  }),
  expired: Type.Boolean({
    description: "Whether the window is over by the chain's clock",
    examples: [false],
  }),
  created_at: seconds('When it was made', 1662299838),
  expires_at: seconds('When its window ends', 1662386238),
})

const transfer = Type.Object({
  txid: text('The transaction', txidExample),
  log_index: Type.Integer({ description: "Position in the transaction's logs", examples: [0] }),
  from: text('Who sent it', 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm'),
  amount: usdt('Arrived', '3.00005'),
  block: Type.Integer({ description: 'Height of its block', examples: [64072148] }),
  block_time: seconds("Its block's time", 1662299898),
  late: Type.Boolean({ description: "Whether it came after the order's window", examples: [false] }),
})

const sighting = Type.Object({
  txid: text('The transaction', txidExample.replace('9f', '11')),
  amount: usdt('Seen', '1'),
  confirmations: Type.Integer({ description: 'Blocks on top of its own; credited at 19', examples: [2] }),
})

const callback = Type.Object({
  id: text("The callback's key", 'cb_0123456789abcdef0123456789abcdef'),
  body_amount: text('What it announces, in 1/10000 USDT', '30000'),
  state: Type.String({
    enum: ['due', 'in_flight', 'held', 'delivered', 'exhausted'],
    description: 'Where it stands',
    examples: ['delivered'],
  }),
  attempts: Type.Integer({ description: 'Attempts made', examples: [1] }),
  last_status: nullable(Type.Integer({ description: 'HTTP status of the last answer', examples: [200] })),
  next_at: nullable(seconds('When it is sent next', 1662299960)),
  delivered_at: nullable(seconds('When it was acknowledged', 1662299960)),
})

/** An order with all that hangs on it. */
export const orderDetailsSchema = Type.Object({
  ...orderSchema.properties,
  transfers: Type.Array(transfer),
  seen: Type.Array(sighting),
  callbacks: Type.Array(callback),
})
