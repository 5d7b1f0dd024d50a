/** The fields that a callback may have beside the six, in the order in which they are sent. */
export const moreCallbackFields = [
  'ordersn',
  'callback_id',
  'txid',
  'log_index',
  'amount_usdt',
  'received_usdt',
  'expected_usdt',
  'state',
  'late',
] as const

export type MoreCallbackField = (typeof moreCallbackFields)[number]

/** Which fields a merchant's callbacks have: `six`, `full`, or names beside the six, joined by commas. */
export type CallbackFieldsSetting = string

const six = ['orderid', 'localusermark', 'amount', 'appid', 't', 'sign']

/**
 * Reads the setting as an operator writes it. The six are always sent, so naming them changes nothing.
 * @returns `six`, `full`, or names in the order in which they are sent; and the names that no field has.
 */
export function readFieldsSetting(text: string): { setting: CallbackFieldsSetting; unknown: string[] } {
  if (text === 'six' || text === 'full') return { setting: text, unknown: [] }
  const names = text.split(',').map(name => name.trim())
  const chosen = moreCallbackFields.filter(field => names.includes(field))
  const unknown = names.filter(name => !six.includes(name) && !chosen.some(field => field === name))
  if (chosen.length === moreCallbackFields.length) return { setting: 'full', unknown }
  return { setting: chosen.length === 0 ? 'six' : chosen.join(), unknown }
}

/** Lists the fields beside the six that a setting asks for. Names that are not known are left out: a newer version may have written them. */
export function fieldsBesideSix(setting: CallbackFieldsSetting): readonly MoreCallbackField[] {
  if (setting === 'full') return moreCallbackFields
  if (setting === 'six') return []
  const names = setting.split(',')
  return moreCallbackFields.filter(field => names.includes(field))
}
