import { GatewayError } from '../base/errors.ts'
import type { Merchant, MerchantKey } from '../merchants/merchant.ts'
import type { MerchantDirectory } from '../merchants/merchant-directory.ts'
import {
  type SignatureScheme,
  type SignedParameters,
  shownText,
  signaturesEqual,
  signParameters,
} from '../merchants/signature.ts'

const schemes: readonly SignatureScheme[] = ['hmac-sha256', 'sha1']
/** Signs when the merchant has no key of a scheme, so that the work is the same. */
const nobodysKey = '00000000000000000000000000000000'

/** Who signed a request: the merchant, its key and the key's scheme, and the sign in upper-case hex. */
export interface Signer {
  merchant: Merchant
  keyId: bigint
  scheme: SignatureScheme
  sign: string
}

/** How much of each signed text a refusal shows. */
const shownMax = 2_000

/**
 * Finds the merchant whose live key signed a request. Before it refuses one, it has the directory look for changes, so that a
 * key which another process added is live at once.
 * @param endpoint the last segment of the path; hmac-sha256 signs it too.
 * @param showText whether the refusal shows what is signed here. It is made of the request alone, and the same whatever the
 *   merchant's keys are.
 * @throws GatewayError bad_sign, with the same message for a missing sign, a wrong sign and an unknown appid.
 */
export async function verifyRequest(
  merchants: MerchantDirectory,
  endpoint: string,
  parameters: SignedParameters,
  { showText }: { showText: boolean },
): Promise<Signer> {
  const known = merchants.byAppid(parameters.appid ?? '')
  let signer = findSigner(known, endpoint, parameters)
  if (signer) return signer
  await merchants.lookForChanges()
  const changed = merchants.byAppid(parameters.appid ?? '')
  if (changed !== known) signer = findSigner(changed, endpoint, parameters)
  if (signer) return signer
  const texts = schemes.map(scheme => `${scheme}: ${cut(shownText(scheme, endpoint, parameters))}`)
  const shown = showText ? `; what is signed here, by ${texts.join('; by ')}` : ''
  throw new GatewayError('bad_sign', `sign: missing or wrong, or appid: unknown${shown}`)
}

/** The end stays: a sha1 text has its key there. */
function cut(text: string): string {
  if (text.length <= shownMax) return text
  return `${text.slice(0, shownMax / 2)}...${text.slice(-shownMax / 2)}`
}

/** Tries a merchant's live keys. @returns null when none fits, for the work of both schemes. */
function findSigner(
  merchant: Merchant | undefined,
  endpoint: string,
  parameters: SignedParameters,
): Signer | null {
  const keys = merchant?.keys ?? []
  const sign = (parameters.sign ?? '').toUpperCase()
  let signing: MerchantKey | undefined
  // Every key is tried, even after one has matched: the time it takes must not show which one it was.
  for (const key of keys) {
    if (signaturesEqual(sign, signParameters(key.scheme, endpoint, parameters, key.key))) signing = key
  }
  if (merchant && signing) return { merchant, keyId: signing.id, scheme: signing.scheme, sign }
  // A long text takes six times as long under one scheme as under the other. So every refusal takes the time of both,
  // whether the appid is unknown, the merchant has no live key, or its keys have only one scheme.
  for (const other of schemes) {
    if (!keys.some(key => key.scheme === other)) signParameters(other, endpoint, parameters, nobodysKey)
  }
  return null
}
