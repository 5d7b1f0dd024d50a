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
/** Signs in the place of keys that are not there. */
const nobodysKey = '00000000000000000000000000000000'

/**
 * Finds out who sent a request: the merchant one of whose live keys signed it.
 * @param endpoint the last segment of the path, which hmac-sha256 signs too.
 * @returns the merchant, the scheme of the key, and the sign in upper-case hex.
 * @throws GatewayError bad_sign, the same for a sign that is missing or wrong and an appid that is unknown.
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
  // Every key is tried, whichever fits: how long it takes tells nothing.
  for (const key of keys) {
    if (signaturesEqual(sign, signParameters(key.scheme, endpoint, parameters, key.key))) scheme = key.scheme
  }
  if (merchant && scheme) return { merchant, scheme, sign }
  // A long text costs six times as much under one scheme as under the other: a refusal has cost both, whether the appid is
  // unknown, its last key has ended, or whichever scheme its keys have.
  for (const other of schemes) {
    if (!keys.some(key => key.scheme === other)) signParameters(other, endpoint, parameters, nobodysKey)
  }
  throw new GatewayError('bad_sign', 'sign: missing or wrong, or appid: unknown')
}
