import { addressFromBytes } from '../../tron/address.ts'

/** Fields that hold an address, as 41 and 40 hex digits, or in a log without the 41. */
const addressFields = new Set([
  'address',
  'owner_address',
  'contract_address',
  'witness_address',
  'to_address',
])

/** An answer as java-tron gives it with `visible=true`: the same, with its addresses in base58. */
export function visibleJson(value: unknown, field = ''): unknown {
  if (Array.isArray(value)) return value.map(item => visibleJson(item))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visibleJson(item, key)]))
  }
  const hex = addressFields.has(field) ? /^(?:41)?([0-9a-f]{40})$/.exec(`${value}`)?.[1] : undefined
  return hex === undefined ? value : addressFromBytes(Buffer.from(hex, 'hex'))
}
