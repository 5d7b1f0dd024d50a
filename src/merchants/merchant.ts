import type { BlockList } from 'node:net'
import type { AddressCounterId, MerchantId } from '../base/ids.ts'
import type { SignatureScheme } from './signature.ts'

/** One of a merchant's keys. Every key held in memory is live: it verifies requests; the promoted one signs callbacks. */
export interface MerchantKey {
  id: bigint
  scheme: SignatureScheme
  /** The key as the merchant has it; its UTF-8 bytes are what signs. */
  key: string
  promoted: boolean
}

/** What an operator may change of a merchant. */
export interface MerchantSettings {
  /** Where callbacks go whose order names no notify_url. */
  callbackUrl: string | null
  callbackFormat: 'form' | 'json'
  callbackFields: 'six' | 'full'
  /** When set, a 2xx acknowledges only if its body contains this word. */
  acknowledgement: string | null
  /** Refusals after a verified signature come with HTTP 200 (429 and 5xx stay what they are). */
  always200: boolean
  /** `t` and `nonce` are required on every endpoint. */
  requireNonce: boolean
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
  /** Live Standard Webhooks secrets, `whsec_` + base64: each callback carries one signature per secret. */
  webhookSecrets: readonly string[]
  /** Client addresses it may call from; null: any. */
  allowedClients: BlockList | null
  disabledAt: Date | null
}
