import { UsageError } from '../base/errors.ts'
import { type Author, authorOf, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, type Queryable } from '../db/pool.ts'
import { type AddressCounter, readNextIndexes } from '../merchants/address-counter-store.ts'
import { acceptHistory, lockHistory, readHistory, removeSilentWitnesses } from './history-store.ts'

/** Finds out why no address is assigned. @returns null when addresses are assigned, or none ever was. */
export async function findStop(db: Queryable): Promise<string | null> {
  const state = await readHistory(db)
  if (!state) return null
  if (state.stoppedBecause !== null) return state.stoppedBecause
  if (state.current === state.accepted) return null
  return `the database is another one, or was promoted or restored: ${state.accepted} before, ${state.current} now`
}

/**
 * Checks that skipping so many indexes of each counter goes past all that is known to be lost.
 * @throws UsageError naming how many are needed.
 */
export function requireEnough(
  lost: Record<string, number>,
  counters: readonly Pick<AddressCounter, 'id' | 'nextIndex'>[],
  count: number,
): void {
  const short = counters.filter(({ id, nextIndex }) => nextIndex + count < (lost[String(id)] ?? 0))
  if (short.length === 0) return
  throw new UsageError(
    short.map(({ id, nextIndex }) => {
      const needed = lost[String(id)]! - nextIndex
      return `counter ${id} was at index ${lost[String(id)]} and is at ${nextIndex}: skip at least ${needed}, and more to be safe`
    }),
  )
}

/** Lets addresses be assigned again, once those that may be lost are skipped. Processes notice it within a second. */
export async function resumeAssigning(pool: Pool, author: Partial<Author> = {}): Promise<void> {
  await inTransaction(pool, async tx => {
    const { current, accepted, stoppedBecause, lost } = await lockHistory(tx)
    // Once more under the lock: a process may have said meanwhile that more is lost.
    const counters = [...(await readNextIndexes(tx))].map(([id, nextIndex]) => ({ id, nextIndex }))
    requireEnough(lost, counters, 0)
    await acceptHistory(tx, current)
    await removeSilentWitnesses(tx, current)
    if (current === accepted && stoppedBecause === null) return
    await recordAudit(tx, {
      ...authorOf(author),
      action: 'addresses.resumed',
      subject: 'addresses',
      detail: { history: current, before: accepted, ...(stoppedBecause !== null && { stoppedBecause }) },
    })
  })
}
