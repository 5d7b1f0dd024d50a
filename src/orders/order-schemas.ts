import Type from 'typebox'

const usdt = (description: string) => Type.String({ description: `${description}, decimal USDT` })
const seconds = (description: string) => Type.Integer({ description: `${description}, Unix seconds` })
/** What is there, or null. */
export const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** An order as every answer shows one. */
export const orderSchema = Type.Object({
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
})

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

/** An order with all that hangs on it. */
export const orderDetailsSchema = Type.Object({
  ...orderSchema.properties,
  transfers: Type.Array(transfer),
  seen: Type.Array(sighting),
  callbacks: Type.Array(callback),
})
