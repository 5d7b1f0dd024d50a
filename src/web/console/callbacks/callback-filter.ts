import type { MerchantId } from '../../../base/ids.ts'
import type { CallbackState } from '../../../callbacks/outbox/callback.ts'

// list: what a page of callbacks shows. Besides the states there are `all`, and `failing`: due again after an attempt that failed.
export const callbackLists = ['all', 'due', 'failing', 'in_flight', 'held', 'delivered', 'exhausted'] as const

export type CallbackList = (typeof callbackLists)[number]

/** Which callbacks a page shows. */
export interface CallbackFilter {
  /** Of this merchant alone; null: of all. */
  merchantId: MerchantId | null
  list: CallbackList
  /** Of the lane: `https://shop.example:443`. Null: any. */
  origin: string | null
  /** Announced at or after, and before. Only of the lists `all` and `delivered`; null: any time. */
  from: Date | null
  to: Date | null
}

/** The state of all callbacks in a list; null: they may be in any. */
export function stateOf(list: CallbackList): CallbackState | null {
  if (list === 'all') return null
  return list === 'failing' ? 'due' : list
}

/**
 * A place in a list: the time by which it is ordered, in microseconds since 1970, and the callback's id. What waits is ordered by
 * when it is due, the earliest first; what was given up by when, and all else by when it was announced, the latest first.
 */
export interface CallbackPlace {
  micros: bigint
  id: bigint
}

/** Writes a place for a URL. */
export function formatPlace({ micros, id }: CallbackPlace): string {
  return `${micros}.${id}`
}

/** @returns null when the text is no place as we write it. */
export function readPlace(text: string): CallbackPlace | null {
  const [, micros, id] = /^(\d{1,18})\.(\d{1,18})$/.exec(text) ?? []
  return micros === undefined || id === undefined ? null : { micros: BigInt(micros), id: BigInt(id) }
}
