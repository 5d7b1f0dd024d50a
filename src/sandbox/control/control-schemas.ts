import Type from 'typebox'
import { producersDefault, standbyCount } from '../chain/producers.ts'
import { callLogKinds } from '../chain/sandbox-calls.ts'
import { failures } from '../chain/sandbox-transactions.ts'
import { addressText, amountText, hexText, txidText } from '../chain/text-schemas.ts'
import { callResults } from '../chain/transaction-facts.ts'

// The bodies of the control API.
const strict = { additionalProperties: false }
const fail = Type.Optional(Type.Enum([...failures]))
const address = Type.Optional(addressText)
const unknownField = Type.Optional(Type.Boolean())

export const sendBody = Type.Object(
  {
    to: addressText,
    amount: amountText,
    from: address,
    token: address,
    through: address,
    fail,
    unknownField,
    // So many transactions, each of the whole amount.
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  },
  strict,
)
export const sendManyBody = Type.Object(
  {
    payments: Type.Array(Type.Object({ to: addressText, amount: amountText }, strict), {
      minItems: 1,
      maxItems: 500,
    }),
    from: address,
    token: address,
    through: address,
    fail,
    unknownField,
  },
  strict,
)
export const callBody = Type.Object(
  {
    logs: Type.Array(
      Type.Object(
        {
          kind: Type.Enum([...callLogKinds]),
          to: address,
          from: address,
          token: address,
          amount: Type.Optional(amountText),
        },
        strict,
      ),
      { minItems: 1, maxItems: 1_000 },
    ),
    from: address,
    through: address,
    fail,
    unknownField,
  },
  strict,
)
const log = Type.Object(
  {
    address: Type.String({
      pattern: '^[0-9a-f]{40}$',
      description: '40 lower-case hex digits, without 41 in front',
    }),
    topics: Type.Optional(Type.Array(hexText, { maxItems: 5 })),
    data: Type.Optional(hexText),
  },
  strict,
)
export const factsSchema = Type.Object(
  {
    id: txidText,
    contract: address,
    result: Type.Optional(Type.Enum([...callResults])),
    logs: Type.Array(log, { maxItems: 1_000 }),
  },
  strict,
)
export const includeBody = Type.Object(
  { transactions: Type.Array(factsSchema, { minItems: 1, maxItems: 10_000 }) },
  strict,
)
const txids = Type.Array(txidText, { maxItems: 10_000 })
export const mineBody = Type.Object(
  {
    blocks: Type.Integer({ minimum: 1, maximum: 10_000 }),
    missedSlots: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
    first: Type.Optional(txids),
  },
  strict,
)
export const forkBody = Type.Object(
  {
    depth: Type.Integer({ minimum: 1, maximum: 1_000 }),
    drop: Type.Optional(txids),
    late: Type.Optional(
      Type.Object({ txids, blocks: Type.Integer({ minimum: 1, maximum: 10_000 }) }, strict),
    ),
    returns: Type.Optional(Type.Enum(['top', 'spread'])),
    reversed: Type.Optional(Type.Boolean()),
  },
  strict,
)
export const maintenanceBody = Type.Object(
  {
    replace: Type.Optional(Type.Integer({ minimum: 0, maximum: standbyCount })),
    newKeys: Type.Optional(Type.Integer({ minimum: 0, maximum: producersDefault })),
  },
  strict,
)
export const skipBody = Type.Object({ seconds: Type.Integer({ minimum: 1, maximum: 31_536_000 }) }, strict)
export const nodeBody = Type.Object(
  {
    port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
    grpcPort: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
    faultSeed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 })),
  },
  strict,
)
