import { inTransaction, type Pool } from '../db/pool.ts'
import { cancelInvitations } from './invitation-store.ts'
import { lockOwner, type Owner, recordOwn } from './second-factors.ts'
import { endSessionsOf } from './session-store.ts'
import { setPassword } from './user-store.ts'

/**
 * Changes a person's own password. The other sessions end, and no link that was made to set it counts any more.
 * @param hash of the new one. @returns false when the session has ended meanwhile, since checking and hashing take a while: somebody was locked out by it.
 */
export async function changePassword(pool: Pool, owner: Owner, hash: string): Promise<boolean> {
  return inTransaction(pool, async tx => {
    if (!(await lockOwner(tx, owner))) return false
    await setPassword(tx, owner.user.id, { password: hash })
    await endSessionsOf(tx, owner.user.id, owner.sessionId)
    await cancelInvitations(tx, owner.user.id, null)
    await recordOwn(tx, owner, 'person.password_changed')
    return true
  })
}
