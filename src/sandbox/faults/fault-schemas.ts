import Type, { type Static, type TProperties } from 'typebox'
import { addressText, amountText, txidText } from '../chain/text-schemas.ts'
import { callResults } from '../chain/transaction-facts.ts'

// fault: a way in which a node misbehaves, by its `kind`.      scope: which calls a fault strikes.
// strike: the fault changes one call; each is counted as a hit.      effect: what that change is (fault-effect.ts).
// lie: a fault in a block that only its root, its signature or another node shows.
// view, surface: the head (/wallet, /v1, /jsonrpc) or the solidified chain (/walletsolidity).

const strict = { additionalProperties: false }
const blocks = Type.Integer({ minimum: 1, maximum: 100_000 })
const seconds = Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600 }))
const height = Type.Integer({ minimum: 0 })
const to = Type.Optional(addressText)
const txid = Type.Optional(txidText)
/**
 * Whose signature a changed block has. `kept` (default): header, id and signature stay those of the true block, where the lie
 * does not need others. Otherwise the header fits what is shown, and the signature is missing (`unsigned`), by somebody who
 * is no producer (`stranger`), by the same in the name of the true producer (`impostor`), or by one true producer, always the
 * same (`producer`).
 */
const signed = Type.Optional(Type.Enum(['kept', 'unsigned', 'stranger', 'impostor', 'producer']))
/** Of a block that has no true one: there is nothing to keep. */
const madeUpSigned = Type.Enum(['unsigned', 'stranger', 'impostor', 'producer'])
/** Whether the call's own data are changed too, so that the transaction has another id. Only calls of `transfer` are. */
const call = Type.Optional(Type.Boolean())

/** Which calls a fault strikes. Without any of these: all calls, until it is cleared. */
const scope = {
  /** Whole paths, or beginnings of paths with a `*` at the end. */
  paths: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 50 }),
  ),
  /** Only one of the two views. */
  view: Type.Optional(Type.Enum(['head', 'solid'])),
  /** Only calls for these blocks, both ends included. */
  heights: Type.Optional(Type.Object({ from: height, to: height }, strict)),
  /** Only so many calls. */
  times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  /** Only this share of the calls, chosen by the node's seed. */
  probability: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
}

function fault<K extends string, P extends TProperties>(kind: K, fields: P) {
  return Type.Object({ kind: Type.Literal(kind), ...fields, ...scope }, strict)
}

export const faultSchemas = [
  // What the node shows of the chain.
  fault('lag', { blocks }),
  fault('stall', {}),
  fault('backwards', { blocks }),
  fault('other-branch', {
    depth: blocks,
    without: Type.Optional(Type.Array(txidText, { maxItems: 10_000 })),
    signed: Type.Optional(madeUpSigned),
  }),
  fault('other-hash', { signed }),
  fault('wrong-parent', { signed }),
  fault('forged-transfer', { to: addressText, amount: amountText, signed }),
  fault('forged-log', { to: addressText, amount: amountText, txid }),
  fault('forged-amount', { amount: amountText, txid, call, signed }),
  fault('forged-recipient', { to: addressText, txid, call, signed }),
  fault('hidden-transaction', { txid, to, signed }),
  fault('hidden-log', { txid, to }),
  fault('false-result', {
    result: Type.Enum([...callResults]),
    txid,
    where: Type.Optional(Type.Enum(['block', 'info'])),
    signed,
  }),
  fault('header-only', {}),
  fault('withheld-block', { to }),
  fault('replayed-block', { blocks, signed }),
  fault('made-up-block', { signed: madeUpSigned, to, amount: Type.Optional(amountText) }),
  fault('false-producers', {}),
  fault('false-head', { blocks, signed: madeUpSigned }),
  // The node refuses, or does not answer.
  fault('too-many-requests', { rps: Type.Optional(Type.Integer({ minimum: 1 })), seconds }),
  fault('key-suspended', { limit: Type.Optional(Type.Integer({ minimum: 1 })), seconds }),
  fault('rate-limit', {
    rps: Type.Integer({ minimum: 1, maximum: 100_000 }),
    seconds,
    status: Type.Optional(Type.Enum([429, 403])),
  }),
  fault('unavailable', { seconds }),
  fault('no-resources', {}),
  fault('disabled', {}),
  fault('not-offered', {}),
  fault('lite-node', {}),
  fault('unprintable', {
    parts: Type.Optional(Type.Array(Type.Enum(['block', 'header', 'infos']), { minItems: 1, maxItems: 3 })),
  }),
  fault('html', { status: Type.Optional(Type.Enum([200, 403, 502])) }),
  fault('hang', {}),
  fault('reset', {}),
  // Its answer is wrong or late.
  fault('empty', {}),
  fault('info-missing', {}),
  fault('infos-late', { calls: Type.Integer({ minimum: 1, maximum: 1_000 }) }),
  fault('wrong-number', { offset: Type.Optional(Type.Integer({ minimum: -1_000, maximum: 1_000 })) }),
  fault('truncated', {}),
  fault('delay', { ms: Type.Integer({ minimum: 1, maximum: 600_000 }) }),
  fault('drip', { everyMs: Type.Integer({ minimum: 1, maximum: 60_000 }) }),
  fault('oversized', { megabytes: Type.Integer({ minimum: 1, maximum: 1_000 }) }),
  // JSON-RPC, balances, and TronGrid's pages.
  fault('logs-empty', {}),
  fault('balance-off', { amount: amountText, address: Type.Optional(addressText) }),
  fault('rows-twice', {}),
  fault('rows-missing', { every: Type.Integer({ minimum: 1, maximum: 1_000 }) }),
  fault('rows-late', { blocks }),
  fault('page-empty', {}),
  fault('page-last', {}),
] as const

/** A fault as it is set: `kind`, the fields of that kind, and its scope. */
export type Fault = Static<(typeof faultSchemas)[number]>
export type FaultKind = Fault['kind']
export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>

export const faultBody = Type.Unsafe<Fault>({
  type: 'object',
  discriminator: { propertyName: 'kind' },
  oneOf: faultSchemas,
})

export const faultKinds: readonly FaultKind[] = faultSchemas.map(({ properties }) => properties.kind.const)
