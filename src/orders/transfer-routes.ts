import Type from 'typebox'
import { GatewayError } from '../base/errors.ts'
import type { Pool } from '../db/pool.ts'
import { describeEndpoint, type Endpoint } from '../requests/endpoint.ts'
import { openMerchantTurns } from '../requests/merchant-turns.ts'
import {
  choiceParameter,
  limitParameter,
  localusermarkParameter,
  nullable,
  textParameter,
} from '../requests/parameter-schemas.ts'
import { listTransfers } from './list-transfers.ts'
import { holdReasons, placeOfCursor, transferStates } from './listed-transfer.ts'

/** How many pages a merchant may ask for while one is read. Usual clients ask for one after the other. */
const pagesWaiting = 32

const text = (description: string, example: string) => Type.String({ description, examples: [example] })
const txidExample = '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00'
const addressExample = 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6'
const cursorExample = '64072148-3-0-0'

const listedSchema = Type.Object({
  txid: text('Transaction id', txidExample),
  log_index: Type.Integer({ description: "Position in the transaction's logs", examples: [0] }),
  from: text('Sender', 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm'),
  address: text('The address it was paid to', addressExample),
  localusermark: text("The merchant's id for the user of that address", '1'),
  amount: text('Amount of the transfer, decimal USDT', '3.00005'),
  block: Type.Integer({ description: 'Height of its block', examples: [64072148] }),
  block_time: Type.Integer({ description: 'Time of its block, Unix seconds', examples: [1662299898] }),
  state: Type.String({
    enum: [...transferStates],
    description:
      'credited: to the order in orderid; deposit: announced without an order, see deposit_id; unclaimed: no order yet, the next one at this address gets it; held: it waits, see reason; rejected: the operator decided not to credit it; settled_outside: the operator dealt with it elsewhere, and no order gets it',
    examples: ['credited'],
  }),
  reason: Type.Union(
    [
      Type.String({
        enum: [...holdReasons],
        description:
          'Why it is held. confirmation: a second node must show it, because of its amount; proof: it is not proved yet that it happened; quarantine: the operator has to look at it; behind: an earlier transfer to the same address is held. Null in other states',
        examples: ['confirmation'],
      }),
      Type.Null(),
    ],
    // As the state of the example has it.
    { examples: [null] },
  ),
  orderid: nullable(text('The order it was credited to; null in other states', 'sh-1')),
  deposit_id: Type.Union(
    [
      text(
        'The key of the callback that announces the deposit. Null in other states, and when less than 1/10000 USDT was left to announce',
        'dp_0123456789abcdef0123456789abcdef',
      ),
      Type.Null(),
    ],
    // As the state of the example has it.
    { examples: [null] },
  ),
  deposit_amount: Type.Union(
    [text('What that callback announces, in 1/10000 USDT; null in other states', '30000'), Type.Null()],
    { examples: [null] },
  ),
})

const seenSchema = Type.Object({
  txid: text('Transaction id', txidExample.replace('9f', '11')),
  address: text('The address it was paid to', addressExample),
  localusermark: text("The merchant's id for the user of that address", '1'),
  amount: text('Amount of the transfer, decimal USDT', '1'),
  confirmations: Type.Integer({ description: 'Blocks after its own; credited at 19', examples: [2] }),
})

/** Describes transfers. @param reads the pool for reads. */
export function transferEndpoint(reads: Pool): Endpoint {
  const takeTurn = openMerchantTurns({
    name: 'transfers',
    waitingPerMerchant: pagesWaiting,
    whenTooLong: 'narrow the filter, for example by txid or address',
  })
  return describeEndpoint({
    name: 'transfers',
    summary: "A page of transfers to the merchant's addresses and what has become of each, newest first.",
    replay: 'usual',
    refusals: [],
    parameters: Type.Object({
      txid: Type.Optional(
        Type.String({
          pattern: '^(0[xX])?[0-9a-fA-F]{64}$',
          description: 'Only transfers of this transaction. In either case, with or without 0x.',
          examples: [txidExample],
          expected: '64 hex digits',
        }),
      ),
      address: Type.Optional(
        Type.String({
          pattern: '^T[1-9A-HJ-NP-Za-km-z]{33}$',
          description: 'Only transfers to this address.',
          examples: [addressExample],
          expected: 'a TRON address: T and 33 more characters',
        }),
      ),
      localusermark: Type.Optional(localusermarkParameter),
      state: Type.Optional(choiceParameter(transferStates, 'Only transfers in this state.')),
      cursor: Type.Optional(textParameter(1, 64, '`next` of the previous page.', cursorExample)),
      limit: Type.Optional(limitParameter('transfers')),
    }),
    data: Type.Object({
      transfers: Type.Array(listedSchema),
      seen: Type.Array(seenSchema, {
        description:
          'Transfers on the chain that are not irreversible yet, at most 100, on a first page without state. For display only: a fork may remove them.',
      }),
      next: nullable(
        text(
          'Cursor for the next page; null after the last. A page may be short and have a next',
          cursorExample,
        ),
      ),
    }),
    run: async (merchant, { txid, cursor, limit, ...filter }) => {
      const after = cursor === undefined ? null : placeOfCursor(cursor)
      if (cursor !== undefined && after === null) {
        throw new GatewayError('bad_parameter', 'cursor: must be `next` of the previous page')
      }
      return takeTurn(merchant.id, () =>
        listTransfers(reads, merchant.id, {
          ...filter,
          ...(txid !== undefined && { txid: txid.replace(/^0x/i, '').toLowerCase() }),
          after,
          limit: Number(limit ?? 100),
        }),
      )
    },
  })
}
