import { bytesOf, checkFields, type FieldNames, readFields } from './callback-fields.ts'
import { type CallbackHeaders, checkTime, verifyHeaders } from './callback-headers.ts'
import { CallbackError } from './errors.ts'
import { type Scheme, sameText, sign } from './signature.ts'

/**
 * What a merchant verifies with. Each of the two that is given must fit; while one is being changed, give the old and
 * the new.
 */
export interface CallbackKeys {
  appid: string
  /** `whsec_...`: verifies webhook-signature, which covers the key to deduplicate by and the exact bytes. */
  webhookSecret?: string | readonly string[]
  /** The merchant key: verifies the body's `sign`. By itself it is enough only if your callbacks carry all fields (`full`). */
  key?: string | readonly string[]
  /** Of the merchant key. Default hmac-sha256. A sha1 key needs the webhook secret beside it. */
  scheme?: Scheme
}

/** Exactly as received, before anything parsed it. What a parser made of it is refused as bad_body. */
export type RawBody = ArrayBufferView | ArrayBuffer | string

/** What was verified, with the key to deduplicate by. */
export interface VerifiedBody {
  idempotencyKey: string
  fields: Record<string, string>
}

/**
 * Verifies a body of any kind.
 * @param names the fields of that kind. @param idName the field that says its key.
 * @throws CallbackError when it must not be believed; TypeError when the keys are none.
 */
export async function verifyBody(
  rawBody: RawBody,
  headers: CallbackHeaders,
  keys: CallbackKeys,
  nowS: number,
  { idName, ...names }: FieldNames & { idName: string },
): Promise<VerifiedBody> {
  const secrets = [keys.webhookSecret ?? []].flat()
  const merchantKeys = [keys.key ?? []].flat()
  checkKeys(secrets, merchantKeys, keys.scheme)
  const body = bytesOf(rawBody)
  const signedId = secrets.length > 0 ? await verifyHeaders(body, headers, secrets, nowS) : null
  const fields = readFields(body)
  checkFields(fields, names)
  if (merchantKeys.length > 0) await verifySign(fields, merchantKeys, keys.scheme)
  if (fields.appid !== keys.appid) throw new CallbackError('wrong_appid', 'it is for another appid')
  if (signedId === null) checkTime(fields.t!, nowS)
  const idempotencyKey = signedId ?? fields[idName] ?? ''
  if (idempotencyKey === '') {
    throw new CallbackError(
      'no_signed_key',
      'give the webhook secret, or have your callbacks set to all fields',
    )
  }
  if (fields[idName] !== undefined && fields[idName] !== idempotencyKey) {
    throw new CallbackError('bad_body', `${idName} and webhook-id differ`)
  }
  return { idempotencyKey, fields }
}

function checkKeys(secrets: readonly string[], merchantKeys: readonly string[], scheme?: Scheme): void {
  if ([...secrets, ...merchantKeys].includes('')) throw new TypeError('a key is empty')
  if (secrets.length > 0) return
  if (merchantKeys.length === 0) throw new TypeError('give webhookSecret, key, or both')
  // A sha1 sign does not say what it is for: a request of yours could be sent to you as a callback.
  if (scheme === 'sha1') throw new TypeError('a sha1 key verifies no callback by itself: give webhookSecret')
}

async function verifySign(
  fields: Readonly<Record<string, string>>,
  keys: readonly string[],
  scheme?: Scheme,
): Promise<void> {
  const given = (fields.sign ?? '').toUpperCase()
  let fits = false
  for (const key of keys) fits = sameText(given, await sign('callback', fields, key, scheme)) || fits
  if (!fits) throw new CallbackError('bad_sign', "the body's sign does not fit")
}
