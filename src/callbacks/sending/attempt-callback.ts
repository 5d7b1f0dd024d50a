import type { Agent } from 'undici'
import { checkCallbackUrl } from '../../egress/egress-guard.ts'
import type { Merchant } from '../../merchants/merchant.ts'
import type { CallbackFacts, FailureKind } from '../outbox/callback.ts'
import type { StatedFacts } from '../outbox/event.ts'
import { callbackBody } from './callback-body.ts'
import { type SendOutcome, sendCallback } from './send-callback.ts'
import { webhookHeaders } from './webhook-signature.ts'

/**
 * Writes, signs and sends a callback or an event, with the merchant's current settings, keys and secrets. A missing URL or key is a failed
 * attempt like any other.
 * @param merchant undefined when the merchant is not in memory.
 * @returns the outcome, and the URL it was for: empty when there is none.
 */
export async function attemptCallback(
  callback: { notifyUrl: string | null; facts: CallbackFacts | StatedFacts; now: Date },
  merchant: Merchant | undefined,
  sending: { agent: Agent; allowedNetworks: readonly string[]; deadlineMs: number },
): Promise<{ url: string; outcome: SendOutcome }> {
  const url = callback.notifyUrl ?? merchant?.callbackUrl ?? ''
  const key = merchant?.keys.find(key => key.promoted)
  if (!merchant || !key) return { url, outcome: unsent('no_key', 'the merchant has no promoted key') }
  if (!url) return { url, outcome: unsent('no_url', 'neither the order nor the merchant has a URL') }
  // The rules may have changed since the order was made.
  const refused = checkCallbackUrl(url, sending.allowedNetworks)
  if (refused) return { url, outcome: unsent('blocked', refused) }
  const timestamp = Math.floor(callback.now.getTime() / 1000)
  const body = callbackBody(callback.facts, merchant, key, timestamp)
  const outgoing = {
    url,
    contentType: body.contentType,
    body: body.text,
    key: callback.facts.key,
    webhookHeaders: webhookHeaders(merchant.webhookSecrets, callback.facts.key, timestamp, body.text),
    wanted: merchant,
  }
  return { url, outcome: await sendCallback(sending.agent, outgoing, sending.deadlineMs) }
}

function unsent(failure: FailureKind, reason: string): SendOutcome {
  return { kind: 'failed', failure, reason, durationMs: 0 }
}
