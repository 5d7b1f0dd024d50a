import { GatewayError } from '../base/errors.ts'
import type { Merchant } from '../merchants/merchant.ts'
import type { MerchantDirectory } from '../merchants/merchant-directory.ts'
import {
  type SignatureScheme,
  type SignedParameters,
  signaturesEqual,
  signParameters,
} from '../merchants/signature.ts'

const schemes: readonly SignatureScheme[] = ['hmac-sha256', 'sha1']
/** Signs when the merchant has no key of a scheme, so that the work is the same. */
const nobodysKey = '00000000000000000000000000000000'

/**
 * Finds the merchant whose live key signed a request.
 * @param endpoint the last segment of the path; hmac-sha256 signs it too.
 * @returns the merchant, the scheme of the key, and the sign in upper-case hex.
 * @throws GatewayError bad_sign, with the same message for a missing sign, a wrong sign and an unknown appid.
 */
export function verifyRequest(
  merchants: MerchantDirectory,
  endpoint: string,
  parameters: SignedParameters,
): { merchant: Merchant; scheme: SignatureScheme; sign: string } {
  const merchant = merchants.byAppid(parameters.appid ?? '')
  const keys = merchant?.keys ?? []
  const sign = (parameters.sign ?? '').toUpperCase()
  let scheme: SignatureScheme | undefined
  // Every key is tried, even after one has matched: the time it takes must not show which one it was.
  for (const key of keys) {
    if (signaturesEqual(sign, signParameters(key.scheme, endpoint, parameters, key.key))) scheme = key.scheme
  }
  if (merchant && scheme) return { merchant, scheme, sign }
  // A long text takes six times as long under one scheme as under the other. So every refusal takes the time of both,
  // whether the appid is unknown, the merchant has no live key, or its keys have only one scheme.
  for (const other of schemes) {
    if (!keys.some(key => key.scheme === other)) signParameters(other, endpoint, parameters, nobodysKey)
  }
  throw new GatewayError('bad_sign', 'sign: missing or wrong, or appid: unknown')
}
