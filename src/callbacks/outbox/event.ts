import { createHash } from 'node:crypto'
import type { MerchantId } from '../../base/ids.ts'
import type { EventName } from '../../merchants/event-names.ts'
import type { SignedParameters } from '../../merchants/signature.ts'

// event: what a merchant is told for display, if it asks to be. It announces no money and is never a callback: it has rows,
// attempts and slots of its own, so it can neither delay a callback nor take its place.

/** An event to be written. Its merchant may not have asked for it; then it is not. */
export interface NewEvent {
  /** From `eventKey`. */
  key: string
  merchantId: MerchantId
  event: EventName
  /** Its order's own URL; null: the merchant's default at the time of sending. */
  notifyUrl: string | null
  /** What it says; each name gets `event_` before it. */
  says: SignedParameters
}

/** What a body says beside `appid`, `t` and `sign`, for everything that is not a credit's callback. */
export interface StatedFacts {
  /** The idempotency key. */
  key: string
  fields: SignedParameters
}

/**
 * Makes an event's key out of what it is about. So it is told once, whatever is read or written twice.
 * @param chain genesis id and contract. @param subject the transfer as txid:logIndex, or the order as appid:orderid.
 * @returns `ev_` and 32 hex digits.
 */
export function eventKey(
  chain: { genesisId: string; usdtContract: string },
  event: EventName,
  subject: string,
): string {
  const hash = createHash('sha256').update(`${chain.genesisId}:${chain.usdtContract}:${event}:${subject}`)
  return `ev_${hash.digest('hex').slice(0, 32)}`
}

/**
 * Writes what an event says as it is sent. Of a callback's six fields it has appid, t and sign alone: software that knows
 * callbacks only finds neither an order nor an amount in it.
 */
export function eventFields({
  key,
  event,
  says,
}: Pick<NewEvent, 'key' | 'event' | 'says'>): SignedParameters {
  const said = Object.entries(says).map(([name, value]) => [`event_${name}`, value])
  return { event, event_id: key, ...Object.fromEntries(said) }
}
