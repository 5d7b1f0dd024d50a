import type { Effect } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'

// Faults that TronGrid's lists are known to have.

/** Lists every confirmed row a second time, as unconfirmed. */
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

/** Leaves out every n-th row. */
export function rowsMissing({ every }: FaultOf<'rows-missing'>): Effect {
  return { rows: rows => rows.filter((_, i) => (i + 1) % every !== 0) }
}

/** Leaves out the rows of the newest blocks. */
export function rowsLate({ blocks }: FaultOf<'rows-late'>): Effect {
  return { rows: (rows, headHeight) => rows.filter(({ place: [height] }) => height <= headHeight - blocks) }
}
