import Type from 'typebox'
import type { Pool } from '../db/pool.ts'
import { describeEndpoint, type Endpoint } from '../requests/endpoint.ts'
import { secondsParameter } from '../requests/parameter-schemas.ts'
import { openStatements } from './make-statement.ts'

const usdt = (description: string, example: string) =>
  Type.String({ description: `${description}, decimal USDT`, examples: [example] })
const count = (description: string, example: number) => Type.Integer({ description, examples: [example] })

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
        }),
      ),
      unclaimed: Type.Object({
        transfers: count('Transfers that belong to no order yet, as of now, whatever the period', 1),
        amount: usdt('The sum of these transfers', '0.5'),
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
