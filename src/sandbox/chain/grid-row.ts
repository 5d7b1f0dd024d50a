import type { TokenEvent } from './token-event.ts'

/** A token event as TronGrid lists it, at its place in the chain: height, transaction, log, and 0, or 1 for a second copy. */
export interface GridRow {
  place: readonly [height: number, txIndex: number, logIndex: number, copy: number]
  event: TokenEvent
  txid: string
  timeMs: number
  unconfirmed: boolean
}
