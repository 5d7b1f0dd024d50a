import { formatUsdt } from '../../base/money.ts'
import { fieldsBesideSix, type MoreCallbackField } from '../../merchants/chosen-fields.ts'
import type { Merchant, MerchantKey } from '../../merchants/merchant.ts'
import { type SignedParameters, signParameters } from '../../merchants/signature.ts'
import type { CallbackFacts } from '../outbox/callback.ts'
import type { StatedFacts } from '../outbox/event.ts'

export interface CallbackBody {
  contentType: string
  text: string
  /** What is in it, `sign` included, before it was encoded. */
  fields: SignedParameters & { sign: string }
}

/**
 * Writes the body of one attempt: the six fields and those beside them that the merchant is set to.
 * @param facts a credit's, or what a deposit or an event states: that is sent as it is, with `appid` and `t`.
 * @param key the promoted key, which signs it.
 * @param timestamp Unix seconds of this attempt. `t` and `sign` are new with each attempt, the other fields never change.
 * @returns a form (what PHP's $_POST reads), or JSON in which every value is text.
 */
export function callbackBody(
  facts: CallbackFacts | StatedFacts,
  merchant: Pick<Merchant, 'appid' | 'callbackFields' | 'callbackFormat'>,
  key: Pick<MerchantKey, 'scheme' | 'key'>,
  timestamp: number,
): CallbackBody {
  if ('fields' in facts) {
    const stated = { ...facts.fields, appid: merchant.appid, t: `${timestamp}` }
    return encodeBody(stated, merchant.callbackFormat, key)
  }
  const fields = {
    orderid: facts.orderid,
    localusermark: facts.localusermark,
    amount: `${facts.bodyAmount}`,
    appid: merchant.appid,
    t: `${timestamp}`,
    ...moreFields(facts, merchant.callbackFields),
  }
  return encodeBody(fields, merchant.callbackFormat, key)
}

/** Signs fields under the endpoint name `callback` and encodes them, with the signature as the last field. */
export function encodeBody(
  fields: SignedParameters,
  format: Merchant['callbackFormat'],
  key: Pick<MerchantKey, 'scheme' | 'key'>,
): CallbackBody {
  const signed = { ...fields, sign: signParameters(key.scheme, 'callback', fields, key.key) }
  return format === 'json'
    ? { contentType: 'application/json', text: JSON.stringify(signed), fields: signed }
    : {
        contentType: 'application/x-www-form-urlencoded',
        text: new URLSearchParams(signed).toString(),
        fields: signed,
      }
}

function moreFields(facts: CallbackFacts, setting: Merchant['callbackFields']): SignedParameters {
  const beside = fieldsBesideSix(setting)
  if (beside.length === 0) return {}
  const all: Record<MoreCallbackField, string> = {
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
  return Object.fromEntries(beside.map(field => [field, all[field]]))
}
