import type { UserId } from '../base/ids.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { cancelInvitations, type Invitation, invited, takeUp } from './invitation-store.ts'
import { endSessionsOf } from './session-store.ts'
import { answerableFor, tellReset, tellRight } from './tell-of-person.ts'
import { joinMerchant, lockUser, setAdmin, setPassword } from './user-store.ts'

/** Checks whether a link is for an account that exists, so that only who has signed in to it can take the link up. */
export const needsAccount = ({ hasPassword, rights }: Pick<Invitation, 'hasPassword' | 'rights'>): boolean =>
  hasPassword && rights !== null

/**
 * Takes up a link that sets a password: of a person who had none, or who could not sign in any more.
 * @param chosen.hash of the new password.
 * @returns whose it is; null when the link does not count any more, or is for an account that has a password meanwhile.
 */
export async function takeWithPassword(
  pool: Pool,
  token: string,
  { name, hash, address }: { name: string; hash: string; address?: string | undefined },
): Promise<UserId | null> {
  return inTransaction(pool, async tx => {
    const found = await lockInvited(tx, token)
    if (!found || needsAccount(found) || !(await takeUp(tx, token))) return null
    await setPassword(tx, found.userId, { password: hash, name })
    await endSessionsOf(tx, found.userId)
    await recordAudit(tx, {
      actor: `${name} <${found.email}>`,
      action: found.hasPassword ? 'person.password_set' : 'person.joined',
      subject: `person ${found.email}`,
      address,
    })
    if (found.hasPassword) await tellReset(tx, (await lockUser(tx, found.userId))!)
    await give(tx, found, { name, address })
    return found.userId
  })
}

/** Takes up a link to more rights, as the person whose it is, who has signed in. @returns false when it does not count for them. */
export async function takeAsUser(
  pool: Pool,
  token: string,
  userId: UserId,
  address?: string,
): Promise<boolean> {
  return inTransaction(pool, async tx => {
    const found = await lockInvited(tx, token)
    if (!found || found.userId !== userId || !needsAccount(found) || !(await takeUp(tx, token))) return false
    await give(tx, found, { name: found.name, address })
    return true
  })
}

/** Reads a link while its person is locked: of two links for one person, the second sees what the first has done. */
async function lockInvited(tx: Tx, token: string): Promise<Invitation | null> {
  const found = await invited(tx, token)
  if (!found) return null
  await lockUser(tx, found.userId)
  return invited(tx, token)
}

async function give(
  tx: Tx,
  { userId, email, rights, appid }: Invitation,
  { name, address }: { name: string; address?: string | undefined },
): Promise<void> {
  if (!rights) return
  const right = 'admin' in rights ? rights : { ...rights, appid: appid! }
  if ('admin' in rights) await setAdmin(tx, userId, true)
  // Who is a member meanwhile keeps the role: a link that was kept raises nobody.
  else await joinMerchant(tx, userId, rights.merchantId, rights.role)
  // A link that another merchant's owner has made to set this password would open this merchant, too.
  await cancelInvitations(tx, userId, null)
  await recordAudit(tx, {
    actor: `${name} <${email}>`,
    action: 'admin' in rights ? 'admin.added' : 'person.role_set',
    subject: `person ${email}`,
    address,
    merchantId: 'admin' in rights ? null : rights.merchantId,
    detail: 'admin' in rights ? {} : { merchant: appid, role: rights.role },
  })
  const to = await answerableFor(tx, right)
  await tellRight(tx, { email, right, actor: `${name} <${email}>`, to })
}
