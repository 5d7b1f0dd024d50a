import { formatUsdt } from '../../base/money.ts'
import type { Merchant, MerchantKey } from '../../merchants/merchant.ts'
import { type SignedParameters, signParameters } from '../../merchants/signature.ts'
import type { CallbackFacts } from '../outbox/callback.ts'

export interface CallbackBody {
  contentType: string
  text: string
}

/**
 * Writes the body of one attempt: six fields, or all of them, signed as the merchant's promoted key says.
 * @param key the promoted key.
 * @param timestamp Unix seconds of this attempt: `t` and `sign` are fresh each time, the rest never changes.
 * @returns form-encoded (what PHP's $_POST reads) or JSON with text for every value.
 */
export function callbackBody(
  facts: CallbackFacts,
  merchant: Pick<Merchant, 'appid' | 'callbackFields' | 'callbackFormat'>,
  key: Pick<MerchantKey, 'scheme' | 'key'>,
  timestamp: number,
): CallbackBody {
  const six = {
    orderid: facts.orderid,
    localusermark: facts.localusermark,
    amount: `${facts.bodyAmount}`,
    appid: merchant.appid,
    t: `${timestamp}`,
  }
  const fields = merchant.callbackFields === 'full' ? { ...six, ...moreFields(facts) } : six
  return encodeBody(fields, merchant.callbackFormat, key)
}

/** Signs fields under the endpoint name `callback` and encodes them, the signature last. */
export function encodeBody(
  fields: SignedParameters,
  format: Merchant['callbackFormat'],
  key: Pick<MerchantKey, 'scheme' | 'key'>,
): CallbackBody {
  const signed = { ...fields, sign: signParameters(key.scheme, 'callback', fields, key.key) }
  return format === 'json'
    ? { contentType: 'application/json', text: JSON.stringify(signed) }
    : { contentType: 'application/x-www-form-urlencoded', text: new URLSearchParams(signed).toString() }
}

function moreFields(facts: CallbackFacts): SignedParameters {
  return {
    ordersn: facts.ordersn,
    callback_id: facts.key,
    txid: facts.txid,
    log_index: `${facts.logIndex}`,
    amount_usdt: formatUsdt(facts.transferAmount),
    received_usdt: formatUsdt(facts.received),
    expected_usdt: formatUsdt(facts.orderAmount),
    state: facts.orderState,
    late: facts.late ? '1' : '0',
  }
}
