import Type from 'typebox'
import type { Pool } from '../db/pool.ts'
import { describeEndpoint, type Endpoint } from '../requests/endpoint.ts'
import { secondsParameter } from '../requests/parameter-schemas.ts'
import { openStatements } from './make-statement.ts'

const usdt = (description: string, example: string) =>
  Type.String({ description: `${description}, decimal USDT`, examples: [example] })
const count = (description: string, example: number) => Type.Integer({ description, examples: [example] })

/** The statement. */
export function statementEndpoint(pool: Pool): Endpoint {
  const makeStatement = openStatements(pool)
  return describeEndpoint({
    name: 'statement',
    summary:
      'What each UTC day brought: orders made, transfers received, amounts announced and acknowledged.',
    replay: 'usual',
    refusals: [],
    parameters: Type.Object({
      from: secondsParameter('From when on, Unix seconds.', '1662249600'),
      to: secondsParameter('Until before when, Unix seconds; at most 92 days after from.', '1662336000'),
    }),
    data: Type.Object({
      days: Type.Array(
        Type.Object({
          day: Type.String({ description: 'A day of the time asked for, UTC', examples: ['2026-11-22'] }),
          orders: count('Orders made on it', 3),
          transfers: count('Transfers to your addresses in blocks of that day', 4),
          received: usdt('The sum of these transfers', '12.5'),
          announced: usdt('Announced on it by callbacks: when the transfers were credited', '12.5'),
          acknowledged: usdt('Of what was ever announced, what you acknowledged on it', '9.5'),
        }),
      ),
      unclaimed: Type.Object({
        transfers: count('Transfers that belong to no order yet: now, whatever the time asked for', 1),
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
