import type { TokenEvent } from './token-event.ts'

/** A token event as TronGrid lists it. */
export interface GridRow {
  /** Its position in the chain. `copy` is 0, or 1 for the second copy of a row. */
  place: readonly [height: number, txIndex: number, logIndex: number, copy: number]
  event: TokenEvent
  txid: string
  timeMs: number
  unconfirmed: boolean
}
