import type { Agent } from 'undici'
import { checkCallbackUrl } from '../../egress/egress-guard.ts'
import type { Merchant, MerchantKey } from '../../merchants/merchant.ts'
import type { CallbackFacts, FailureKind } from '../outbox/callback.ts'
import type { StatedFacts } from '../outbox/event.ts'
import { type CallbackBody, callbackBody } from './callback-body.ts'
import { type OutgoingCallback, type SendOutcome, sendCallback } from './send-callback.ts'
import { webhookHeaders } from './webhook-signature.ts'

/** What an attempt sent, and with which of the merchant's keys it was signed. */
export interface SentCallback {
  outgoing: OutgoingCallback
  body: CallbackBody
  key: MerchantKey
}

/**
 * Writes, signs and sends a callback or an event, with the merchant's current settings, keys and secrets. A missing URL or key is a failed
 * attempt like any other.
 * @param merchant undefined when the merchant is not in memory.
 * @returns the outcome, the URL it was for (empty when there is none), and what was sent (null: nothing was).
 */
export async function attemptCallback(
  callback: { notifyUrl: string | null; facts: CallbackFacts | StatedFacts; now: Date },
  merchant: Merchant | undefined,
  sending: { agent: Agent; allowedNetworks: readonly string[]; deadlineMs: number },
): Promise<{ url: string; outcome: SendOutcome; sent: SentCallback | null }> {
  const url = callback.notifyUrl ?? merchant?.callbackUrl ?? ''
  const key = merchant?.keys.find(key => key.promoted)
  if (!merchant || !key)
    return { url, sent: null, outcome: unsent('no_key', 'the merchant has no promoted key') }
  if (!url)
    return { url, sent: null, outcome: unsent('no_url', 'neither the order nor the merchant has a URL') }
  // The rules may have changed since the order was made.
  const refused = checkCallbackUrl(url, sending.allowedNetworks)
  if (refused) return { url, sent: null, outcome: unsent('blocked', refused) }
  const timestamp = Math.floor(callback.now.getTime() / 1000)
  const body = callbackBody(callback.facts, merchant, key, timestamp)
  const signatures = webhookHeaders(merchant.webhookSecrets, callback.facts.key, timestamp, body.text)
  const outgoing = {
    url,
    contentType: body.contentType,
    body: body.text,
    key: callback.facts.key,
    webhookHeaders: signatures,
    wanted: merchant,
    secrets: secretsOf(merchant, body.fields.sign, signatures),
  }
  const outcome = await sendCallback(sending.agent, outgoing, sending.deadlineMs)
  return { url, outcome, sent: { outgoing, body, key } }
}

/** What the endpoint was sent that proves who sent it, and what the merchant alone may know beside us. */
function secretsOf(merchant: Merchant, sign: string, headers: Record<string, string>): string[] {
  const signatures = headers['webhook-signature']?.split(' ').map(text => text.replace(/^v1,/, '')) ?? []
  return [
    sign,
    ...signatures,
    ...merchant.keys.map(({ key }) => key),
    ...merchant.webhookSecrets.map(secret => secret.replace(/^whsec_/, '')),
  ]
}

function unsent(failure: FailureKind, reason: string): SendOutcome {
  return { kind: 'failed', failure, reason, durationMs: 0 }
}
