import type { BlockList } from 'node:net'
import type { AddressCounterId, MerchantId } from '../base/ids.ts'
import type { CallbackFieldsSetting } from './chosen-fields.ts'
import type { EventName } from './event-names.ts'
import type { SignatureScheme } from './signature.ts'

// appid: the merchant's public id, which its requests name.
// key: signs requests and callbacks, each under its scheme.     webhook secret: signs callbacks by Standard Webhooks.
// live: not retired yet. Every live key verifies requests, every live webhook secret signs callbacks.
// promoted: the one live key that signs callbacks.
// retired: not live from a given time on, now or later.
// sealed: encrypted under the master key and bound to its row.     opened: decrypted, in memory only.
// disabled: requests are refused and callbacks held; payments are still credited.

/** One of a merchant's live keys. */
export interface MerchantKey {
  id: bigint
  scheme: SignatureScheme
  /** As the merchant has it. Its UTF-8 bytes are the key of the signature. */
  key: string
  promoted: boolean
}

/** The settings of a merchant that an operator may change. */
export interface MerchantSettings {
  /** The default URL, for callbacks of orders without a notify_url. */
  callbackUrl: string | null
  callbackFormat: 'form' | 'json'
  callbackFields: CallbackFieldsSetting
  /** When set, a 2xx acknowledges only if its body is this word, or a JSON object that says it. */
  acknowledgement: string | null
  /** Refusals after a verified signature have HTTP 200; 429 and 5xx stay what they are. */
  always200: boolean
  /** Its orders may have a return_url. */
  returnUrl: boolean
  /** `t` and `nonce` are required on every endpoint. */
  requireNonce: boolean
  /** What it is told of beside its credits. */
  events: readonly EventName[]
  /** Transfers without an order are announced as deposits. It has a default URL then. */
  deposits: boolean
  /** Addresses and CIDRs it may call from; empty: any client. */
  allowedClients: readonly string[]
}

/** A merchant as the API and the courier hold it in memory, secrets opened. */
export interface Merchant extends Omit<MerchantSettings, 'allowedClients'> {
  id: MerchantId
  appid: string
  name: string
  addressCounterId: AddressCounterId
  keys: readonly MerchantKey[]
  /** The live ones, `whsec_` + base64: each callback carries one signature per secret. */
  webhookSecrets: readonly string[]
  /** Client addresses it may call from; null: any. */
  allowedClients: BlockList | null
  disabledAt: Date | null
  /** The word was set when it could stand anywhere in the body, and has not been set since. */
  acknowledgementAnywhere: boolean
}
