import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { acceptHistory, lockHistory, readHistory, removeSilentWitnesses } from './history-store.ts'

/** Finds out why no address is assigned. @returns null when addresses are assigned, or none ever was. */
export async function findStop(pool: Pool): Promise<string | null> {
  const state = await readHistory(pool)
  if (!state) return null
  if (state.stoppedBecause !== null) return state.stoppedBecause
  if (state.current === state.accepted) return null
  return `the database is another one, or was promoted or restored: ${state.accepted} before, ${state.current} now`
}

/** Lets addresses be assigned again, once those that may be lost are skipped. Processes notice it within a second. */
export async function resumeAssigning(pool: Pool, actor: string): Promise<void> {
  await inTransaction(pool, async tx => {
    const { current, accepted, stoppedBecause } = await lockHistory(tx)
    await acceptHistory(tx, current)
    await removeSilentWitnesses(tx, current)
    if (current === accepted && stoppedBecause === null) return
    await recordAudit(tx, {
      actor,
      action: 'addresses.resumed',
      subject: 'addresses',
      detail: { history: current, before: accepted, ...(stoppedBecause !== null && { stoppedBecause }) },
    })
  })
}
