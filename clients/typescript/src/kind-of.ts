import { bytesOf, readFields } from './callback-fields.ts'
import type { RawBody } from './verify-body.ts'

/** What the gateway posts: money for an order, money without one, or something to display. */
export type Kind = 'callback' | 'deposit' | 'event'

/**
 * Tells which kind a body says it is. Nothing is verified yet: verify it by the function of that kind.
 * @throws CallbackError bad_body.
 */
export function kindOf(rawBody: RawBody): Kind {
  const fields = readFields(bytesOf(rawBody))
  if (fields.event !== undefined) return 'event'
  return fields.deposit_id === undefined ? 'callback' : 'deposit'
}
