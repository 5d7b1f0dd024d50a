import { type SignatureScheme, shownText } from '../../merchants/signature.ts'
import type { SentCallback } from './attempt-callback.ts'
import { headersOf } from './send-callback.ts'

/** A callback as it was sent, for people who check signatures. It has no key and no secret. */
export interface ShownRequest {
  method: 'POST'
  url: string
  /** In the order in which they were sent. */
  headers: [name: string, value: string][]
  body: string
  /** The body's fields before they were encoded, `sign` last. */
  fields: [name: string, value: string][]
  /** What `sign` is made of. */
  signed: {
    scheme: SignatureScheme
    /** The id of the key. */
    keyId: bigint
    /** Where sha1 has the key, `<key>` stands. hmac-sha256 has it outside of the text. */
    text: string
    sign: string
  }
  /** What each signature of `webhook-signature` is made of; null: the merchant has no webhook secret. */
  webhookText: string | null
}

export function showRequest({ outgoing, body, key }: SentCallback): ShownRequest {
  const headers = headersOf(outgoing)
  const { host } = new URL(outgoing.url)
  const http = { host, connection: 'keep-alive' }
  const length = { 'content-length': `${Buffer.byteLength(body.text)}` }
  const id = headers['webhook-id']
  return {
    method: 'POST',
    url: outgoing.url,
    headers: Object.entries({ ...http, ...headers, ...length }),
    body: body.text,
    fields: Object.entries(body.fields),
    signed: {
      scheme: key.scheme,
      keyId: key.id,
      text: shownText(key.scheme, 'callback', body.fields),
      sign: body.fields.sign,
    },
    webhookText: headers['webhook-signature'] ? `${id}.${headers['webhook-timestamp']}.${body.text}` : null,
  }
}
