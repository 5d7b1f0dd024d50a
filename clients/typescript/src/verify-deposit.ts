import { decimalUsdt } from './callback-fields.ts'
import type { CallbackHeaders } from './callback-headers.ts'
import { type CallbackKeys, type RawBody, verifyBody } from './verify-body.ts'

/** A user's money without an order, for merchants who have deposits on. */
export interface Deposit {
  /** Credit each of these once, whatever comes twice: a unique key in the table where you credit. */
  idempotencyKey: string
  localusermark: string
  address: string
  txid: string
  /** The transfer's place in the transaction's logs. */
  logIndex: number
  /** What to credit, in 1/10000 USDT. */
  amount: bigint
  /** The same as decimal USDT: '3.0001'. */
  amountUsdt: string
  /** Unix seconds of this attempt. */
  sentAt: number
  fields: Readonly<Record<string, string>>
}

const text = ['deposit_id', 'deposit_localusermark', 'deposit_address', 'deposit_txid']

/**
 * Verifies a deposit, as `verifyCallback` a callback.
 * @param nowS Unix seconds.
 * @throws CallbackError when it must not be believed; TypeError when the keys are none.
 */
export async function verifyDeposit(
  rawBody: RawBody,
  headers: CallbackHeaders,
  keys: CallbackKeys,
  nowS: number = Math.floor(Date.now() / 1000),
): Promise<Deposit> {
  const names = { idName: 'deposit_id', required: text, whole: ['deposit_amount', 'deposit_log_index'] }
  const { idempotencyKey, fields } = await verifyBody(rawBody, headers, keys, nowS, names)
  const amount = BigInt(fields.deposit_amount!)
  return {
    idempotencyKey,
    localusermark: fields.deposit_localusermark!,
    address: fields.deposit_address!,
    txid: fields.deposit_txid!,
    logIndex: Number(fields.deposit_log_index),
    amount,
    amountUsdt: decimalUsdt(amount),
    sentAt: Number(fields.t),
    fields,
  }
}
