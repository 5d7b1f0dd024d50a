import Type from 'typebox'
import { announcedStates } from './outbox/callback.ts'

const text = (description: string, example: string) => Type.String({ description, examples: [example] })

const six = {
  orderid: text("The merchant's id for the order.", 'sh-1'),
  localusermark: text("The merchant's id for the user.", '1'),
  amount: text('The amount to credit, in 1/10000 USDT. Credit exactly this.', '30000'),
  appid: text("The merchant's appid.", 'VunTq7Zk2Lm9h1l8'),
  t: text('Unix seconds of this attempt.', '1662299959'),
}

/** A transaction in examples. */
const txidExample = '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00'

const sign = text('The signature, upper-case hex, under the endpoint name `callback`.', 'F081A2FE…')

/** The body of a callback with `callback_fields: six`, the default. Every value is text. */
export const callbackSchema = Type.Object({ ...six, sign })

/** The body of a callback with `callback_fields: full`. With a list it has the six and those that the list names. */
export const fullCallbackSchema = Type.Object({
  ...six,
  ordersn: text("The gateway's id of the order.", 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2'),
  callback_id: text("The callback's key: deduplicate by it.", 'cb_0123456789abcdef0123456789abcdef'),
  txid: text('The transaction with the transfer that caused it.', txidExample),
  log_index: text("The transfer's position in the transaction's logs.", '0'),
  amount_usdt: text("That transfer's own amount, decimal USDT.", '3.00005'),
  received_usdt: text('What the order had received, that transfer included, decimal USDT.', '3.00005'),
  expected_usdt: text("The order's amount, decimal USDT.", '3'),
  state: Type.String({
    enum: [...announcedStates],
    description: "The order's state right after that transfer.",
    examples: ['overpaid'],
  }),
  late: Type.String({
    enum: ['0', '1'],
    description: 'Whether the transfer came after the order had expired.',
    examples: ['0'],
  }),
  sign,
})

/** The body of a deposit's callback, whatever `callback_fields` is. */
export const depositSchema = Type.Object({
  deposit_id: text("The deposit's key: deduplicate by it.", 'dp_0123456789abcdef0123456789abcdef'),
  deposit_localusermark: text("The merchant's id for the user of the address.", '1'),
  deposit_address: text('The address it was paid to.', 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6'),
  deposit_txid: text('The transaction with the transfer.', txidExample),
  deposit_log_index: text("The transfer's position in the transaction's logs.", '0'),
  deposit_amount: text('The amount to credit, in 1/10000 USDT. Credit exactly this.', '30000'),
  deposit_amount_usdt: text("The transfer's own amount, decimal USDT.", '3.00005'),
  appid: six.appid,
  t: six.t,
  sign,
})
