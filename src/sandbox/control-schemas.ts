import Type from 'typebox'
import { failures } from './sandbox-transactions.ts'
import { callResults } from './transaction-facts.ts'

// Bodies of the control API. Addresses' checksums and amounts are read after these, by the same code as everywhere.
const strict = { additionalProperties: false }
const address = Type.String({
  pattern: '^T[1-9A-HJ-NP-Za-km-z]{33}$',
  description: 'a TRON address, T... of 34 characters',
})
const amount = Type.String({
  pattern: '^(0|[1-9][0-9]{0,11})([.][0-9]{1,6})?$',
  description: 'USDT as decimal text, at most 6 digits behind the point',
})
const id = Type.String({ pattern: '^[0-9a-f]{64}$', description: '64 hex digits, small' })
const hexText = Type.String({
  pattern: '^([0-9a-f]{2})*$',
  maxLength: 200_000,
  description: 'bytes as hex, small',
})
const fail = Type.Enum([...failures])

export const sendBody = Type.Object(
  {
    to: address,
    amount,
    from: Type.Optional(address),
    token: Type.Optional(address),
    through: Type.Optional(address),
    fail: Type.Optional(fail),
    // That many transactions, each of the whole amount.
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  },
  strict,
)
export const sendManyBody = Type.Object(
  {
    payments: Type.Array(Type.Object({ to: address, amount }, strict), { minItems: 1, maxItems: 500 }),
    from: Type.Optional(address),
    token: Type.Optional(address),
    through: Type.Optional(address),
    fail: Type.Optional(fail),
  },
  strict,
)
const log = Type.Object(
  {
    address: Type.String({
      pattern: '^[0-9a-f]{40}$',
      description: '40 hex digits, small, without 41 in front',
    }),
    topics: Type.Optional(Type.Array(hexText, { maxItems: 5 })),
    data: Type.Optional(hexText),
  },
  strict,
)
export const factsSchema = Type.Object(
  {
    id,
    contract: Type.Optional(address),
    result: Type.Optional(Type.Enum([...callResults])),
    logs: Type.Array(log, { maxItems: 1_000 }),
  },
  strict,
)
export const includeBody = Type.Object(
  { transactions: Type.Array(factsSchema, { minItems: 1, maxItems: 10_000 }) },
  strict,
)
export const mineBody = Type.Object({ blocks: Type.Integer({ minimum: 1, maximum: 10_000 }) }, strict)
export const forkBody = Type.Object(
  {
    depth: Type.Integer({ minimum: 1, maximum: 1_000 }),
    drop: Type.Optional(Type.Array(id, { maxItems: 10_000 })),
  },
  strict,
)
