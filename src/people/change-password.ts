import { inTransaction, type Pool } from '../db/pool.ts'
import { cancelInvitations } from './invitation-store.ts'
import { hashPassword } from './password.ts'
import { type Owner, recordOwn } from './second-factors.ts'
import { endSessionsOf } from './session-store.ts'
import { setPassword } from './user-store.ts'

/** Changes a person's own password. The other sessions end, and no link that was made to set it counts any more. */
export async function changePassword(pool: Pool, owner: Owner, password: string): Promise<void> {
  const hash = await hashPassword(password)
  await inTransaction(pool, async tx => {
    await setPassword(tx, owner.user.id, { password: hash })
    await endSessionsOf(tx, owner.user.id, owner.sessionId)
    await cancelInvitations(tx, owner.user.id, null)
    await recordOwn(tx, owner, 'person.password_changed')
  })
}
