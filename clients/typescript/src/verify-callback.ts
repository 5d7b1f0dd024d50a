import type { Callback as SixFields } from './api-types.ts'
import { decimalUsdt } from './callback-fields.ts'
import type { CallbackHeaders } from './callback-headers.ts'
import { type CallbackKeys, type RawBody, verifyBody } from './verify-body.ts'

/** The body's fields as they came: six, or all of them where the merchant is set to `full`. */
export type CallbackFields = Readonly<Record<string, string> & Omit<SixFields, 'sign'>>

/** An order's money. */
export interface Callback {
  /** Credit each of these once, whatever comes twice: a unique key in the table where you credit. */
  idempotencyKey: string
  orderid: string
  localusermark: string
  /** What to credit, in 1/10000 USDT. */
  amount: bigint
  /** The same as decimal USDT: '3.0001'. */
  amountUsdt: string
  /** Unix seconds of this attempt. */
  sentAt: number
  /** A sample you asked for: amount 0, and an order that does not exist. */
  isTest: boolean
  fields: CallbackFields
}

/**
 * Verifies a callback. What is none, such as an event, is refused as bad_body: `kindOf` tells which it is.
 * @param nowS Unix seconds.
 * @throws CallbackError when it must not be believed; TypeError when the keys are none.
 */
export async function verifyCallback(
  rawBody: RawBody,
  headers: CallbackHeaders,
  keys: CallbackKeys,
  nowS: number = Math.floor(Date.now() / 1000),
): Promise<Callback> {
  const names = { idName: 'callback_id', required: ['orderid', 'localusermark'], whole: ['amount'] }
  const { idempotencyKey, fields } = await verifyBody(rawBody, headers, keys, nowS, names)
  const sixOrMore = fields as CallbackFields
  const amount = BigInt(sixOrMore.amount)
  return {
    idempotencyKey,
    orderid: sixOrMore.orderid,
    localusermark: sixOrMore.localusermark,
    amount,
    amountUsdt: decimalUsdt(amount),
    sentAt: Number(fields.t),
    isTest: amount === 0n,
    fields: sixOrMore,
  }
}
