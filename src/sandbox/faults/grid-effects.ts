import type { Effect } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'

// What TronGrid's lists are known to get wrong.

/** Every confirmed row stands there a second time, as unconfirmed. */
export function rowsTwice(): Effect {
  return {
    rows: rows =>
      rows.flatMap(row => {
        const [height, txIndex, logIndex] = row.place
        const twin = { ...row, place: [height, txIndex, logIndex, 1] as const, unconfirmed: true }
        return row.unconfirmed ? [row] : [row, twin]
      }),
  }
}

/** Every so many-th row is missing. */
export function rowsMissing({ every }: FaultOf<'rows-missing'>): Effect {
  return { rows: rows => rows.filter((_, i) => (i + 1) % every !== 0) }
}

/** The rows of the newest blocks are not there yet. */
export function rowsLate({ blocks }: FaultOf<'rows-late'>): Effect {
  return { rows: (rows, headHeight) => rows.filter(({ place: [height] }) => height <= headHeight - blocks) }
}
