import Type from 'typebox'
import type { Pool } from '../db/pool.ts'
import { describeEndpoint, type Endpoint } from '../requests/endpoint.ts'
import { nullable, secondsParameter } from '../requests/parameter-schemas.ts'
import { openStatements } from './make-statement.ts'
import { marksMax } from './statement-store.ts'

const usdt = (description: string, example: string) =>
  Type.String({ description: `${description}, decimal USDT`, examples: [example] })
const refundExample = '33ff5c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00'
const paymentExample = '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00'
const count = (description: string, example: number) => Type.Integer({ description, examples: [example] })

const text = (description: string, example: string) => Type.String({ description, examples: [example] })

const notes =
  'Refunds, corrections and transfers settled outside, as the operator noted them in the period, and what was withdrawn'

const markSchema = Type.Object({
  id: count('The mark', 7),
  kind: Type.String({
    enum: ['settled_outside', 'refund', 'correction', 'withdrawal'],
    description:
      'settled_outside: an unclaimed transfer that was dealt with elsewhere, no order gets it; refund: paid back; correction: counts more or less; withdrawal: takes another mark back',
    examples: ['refund'],
  }),
  time: count('When it was noted, Unix seconds', 1795305700),
  amount: usdt(
    'Amount. Of a correction below 0 when less counts; of a withdrawal, that of the mark it takes back',
    '1.5',
  ),
  txid: nullable(text('The transaction that paid the refund; null: none', refundExample)),
  orderid: nullable(text('The order that it is about, or whose transfer it is about; null: none', 'sh-1')),
  transfer_txid: nullable(
    text('The transaction that it is about; null: it is about an order', paymentExample),
  ),
  log_index: nullable(count("That transfer's position in the transaction's logs", 0)),
  withdraws: Type.Union([count('The mark that it takes back', 6), Type.Null()], {
    description: 'Null unless it is a withdrawal',
    examples: [null],
  }),
  reason: text('Why, as its author put it', 'paid twice'),
})

/** Describes statement. */
export function statementEndpoint(reads: Pool): Endpoint {
  const makeStatement = openStatements(reads)
  return describeEndpoint({
    name: 'statement',
    summary: 'Sums for each UTC day: orders created, transfers received, amounts announced and acknowledged.',
    replay: 'usual',
    refusals: [],
    parameters: Type.Object({
      from: secondsParameter('Start of the period, included; Unix seconds.', '1662249600'),
      to: secondsParameter(
        'End of the period, not included; Unix seconds, at most 92 days after from.',
        '1662336000',
      ),
    }),
    data: Type.Object({
      days: Type.Array(
        Type.Object({
          day: Type.String({ description: 'A UTC day of the period', examples: ['2026-11-22'] }),
          orders: count('Orders created on this day', 3),
          transfers: count('Transfers to your addresses in blocks of this day', 4),
          received: usdt('The sum of these transfers', '12.5'),
          announced: usdt('Announced by callbacks of orders on this day, by the time of the credit', '12.5'),
          acknowledged: usdt('Acknowledged of orders on this day, whenever it was announced', '9.5'),
          deposits: count('Deposits announced on this day, by the time of the deposit', 1),
          deposits_announced: usdt('The sum of what these announced', '2'),
          deposits_acknowledged: usdt('Acknowledged of deposits on this day, whenever it was announced', '2'),
          refunded: usdt('Refunds noted on this day, less those withdrawn on it; can be below 0', '1.5'),
          corrected: usdt('Corrections noted on this day, less those withdrawn on it; can be below 0', '0'),
        }),
      ),
      unclaimed: Type.Object({
        transfers: count('Transfers that belong to no order yet, as of now, whatever the period', 1),
        amount: usdt('The sum of these transfers', '0.5'),
      }),
      marks: Type.Array(markSchema, { description: `${notes}, oldest first, at most ${marksMax}` }),
      more_marks: Type.Boolean({
        description: 'The period has more marks than these: ask for fewer days',
        examples: [false],
      }),
    }),
    run: (merchant, { from, to }) =>
      makeStatement({
        merchantId: merchant.id,
        from: new Date(Number(from) * 1000),
        to: new Date(Number(to) * 1000),
      }),
  })
}
