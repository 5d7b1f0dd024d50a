import { encodeElement, encodeProtobuf, type ProtobufField } from '../protobuf.ts'
import { contractRets } from './sent-block.ts'

type Encoder = (number: number, value: unknown) => Buffer | null
type ResultField = readonly [name: string, number: number, encode: Encoder]

/** In the order of their numbers. @see java-tron, protocol.MarketOrderDetail */
const orderFields: readonly ResultField[] = [
  ['makerOrderId', 1, bytes],
  ['takerOrderId', 2, bytes],
  ['fillSellQuantity', 3, amount],
  ['fillBuyQuantity', 4, amount],
]

/** In the order of their numbers, in which java-tron writes them. @see java-tron, protocol.Transaction.Result */
const resultFields: readonly ResultField[] = [
  ['fee', 1, amount],
  ['ret', 2, oneOf(['SUCESS', 'FAILED'])],
  ['contractRet', 3, oneOf(contractRets)],
  ['assetIssueID', 14, text],
  ['withdraw_amount', 15, amount],
  ['unfreeze_amount', 16, amount],
  ['exchange_received_amount', 18, amount],
  ['exchange_inject_another_amount', 19, amount],
  ['exchange_withdraw_another_amount', 20, amount],
  ['exchange_id', 21, amount],
  ['shielded_transaction_fee', 22, amount],
  ['orderId', 25, bytes],
  ['orderDetails', 26, eachOf(order => encode(order, orderFields))],
  ['withdraw_expire_amount', 27, amount],
  ['cancel_unfreezeV2_amount', 28, eachOf(mapEntry)],
]

/**
 * Encodes an element of a transaction's `ret` from its JSON. In real blocks it is the `contractRet` alone; but the sender
 * may have put in anything, since results are not signed.
 * @returns null when there is a field we do not know, or a value that JSON does not carry exactly: above 2^53, or negative.
 */
export function encodeResult(result: Record<string, unknown>): Buffer | null {
  return encode(result, resultFields)
}

function encode(object: Record<string, unknown>, fields: readonly ResultField[]): Buffer | null {
  const parts: Buffer[] = []
  let read = 0
  for (const [name, number, encodeField] of fields) {
    const value = object[name]
    if (value === undefined) continue
    const part = encodeField(number, value)
    if (part === null) return null
    parts.push(part)
    read++
  }
  return read === Object.keys(object).length ? Buffer.concat(parts) : null
}

function amount(number: number, value: unknown): Buffer | null {
  return isAmount(value) ? encodeProtobuf([[number, value]]) : null
}

function text(number: number, value: unknown): Buffer | null {
  return typeof value === 'string' ? encodeProtobuf([[number, value]]) : null
}

function bytes(number: number, value: unknown): Buffer | null {
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})*$/.test(value)) return null
  return encodeProtobuf([[number, Buffer.from(value, 'hex')]])
}

function oneOf(names: readonly string[]): Encoder {
  return (number, value) => {
    const index = names.indexOf(value as string)
    return index < 0 ? null : encodeProtobuf([[number, index]])
  }
}

function eachOf(encodeOne: (element: Record<string, unknown>) => Buffer | null): Encoder {
  return (number, value) => {
    if (!Array.isArray(value)) return null
    const parts: Buffer[] = []
    for (const element of value) {
      const encoded = typeof element === 'object' && element !== null ? encodeOne(element) : null
      if (!encoded) return null
      parts.push(encodeElement(number, encoded))
    }
    return Buffer.concat(parts)
  }
}

/** An entry of a map is a message whose two fields are both written, zeros too. JSON has it as an object. */
function mapEntry(entry: Record<string, unknown>): Buffer | null {
  const { key = '', value = 0, ...others } = entry
  if (typeof key !== 'string' || !isAmount(value) || Object.keys(others).length > 0) return null
  const written: ProtobufField[] = [[2, value]]
  const zero = Buffer.from([2 * 8, 0])
  return Buffer.concat([encodeElement(1, Buffer.from(key)), value === 0 ? zero : encodeProtobuf(written)])
}

function isAmount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
