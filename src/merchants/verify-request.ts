import { GatewayError } from '../base/errors.ts'
import type { Merchant, MerchantKey } from './merchant.ts'
import type { MerchantDirectory } from './merchant-directory.ts'
import { type SignatureScheme, type SignedParameters, signaturesEqual, signParameters } from './signature.ts'

/** Stands in where there is no key, of an appid nobody has or a merchant whose last key has ended: it costs what a wrong sign costs. */
const nobodysKeys: readonly Pick<MerchantKey, 'scheme' | 'key'>[] = [
  { scheme: 'hmac-sha256', key: '00000000000000000000000000000000' },
]

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
  const sign = (parameters.sign ?? '').toUpperCase()
  let scheme: SignatureScheme | undefined
  // Every key is tried, whichever fits: how long it takes tells nothing.
  for (const key of merchant?.keys.length ? merchant.keys : nobodysKeys) {
    if (signaturesEqual(sign, signParameters(key.scheme, endpoint, parameters, key.key))) scheme = key.scheme
  }
  if (!merchant?.keys.length || !scheme) {
    throw new GatewayError('bad_sign', 'sign: missing or wrong, or appid: unknown')
  }
  return { merchant, scheme, sign }
}
