import type { CallbackHeaders } from './callback-headers.ts'
import { type CallbackKeys, type RawBody, verifyBody } from './verify-body.ts'

/** For display, if you have events on. It announces no money: never credit because of one. */
export interface GatewayEvent {
  /** The same event may come twice under it. */
  idempotencyKey: string
  /** `order.seen`, `order.expired`, `deposit.unclaimed`, or one that this client does not know yet. */
  event: string
  /** Unix seconds of this attempt. */
  sentAt: number
  /** What it says: `event_orderid`, `event_txid` and so on. `OrderSeenEvent` and its like name them. */
  fields: Readonly<Record<string, string>>
}

/**
 * Verifies an event, as `verifyCallback` a callback.
 * @param nowS Unix seconds.
 * @throws CallbackError when it must not be believed; TypeError when the keys are none.
 */
export async function verifyEvent(
  rawBody: RawBody,
  headers: CallbackHeaders,
  keys: CallbackKeys,
  nowS: number = Math.floor(Date.now() / 1000),
): Promise<GatewayEvent> {
  const names = { idName: 'event_id', required: ['event', 'event_id'], whole: [] }
  const { idempotencyKey, fields } = await verifyBody(rawBody, headers, keys, nowS, names)
  return { idempotencyKey, event: fields.event!, sentAt: Number(fields.t), fields }
}
