import { GatewayError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import { type Author, authorOf, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { cancelInvitationsBy, invite, withdrawInvitation } from './invitation-store.ts'
import { lockManaged, type Manager } from './manager.ts'
import type { Role } from './permission.ts'
import { removeSecondFactors } from './second-factor-store.ts'
import { endSessionsOf } from './session-store.ts'
import { tellInvited } from './tell-of-person.ts'
import { ensureUser, membershipsOf, setDisabled, type User } from './user-store.ts'

/** What a person is invited to. */
export type Invited = { admin: true } | { merchantId: MerchantId; appid: string; role: Role }

/**
 * Makes a link by which a person becomes an admin, or a member of a merchant with a role.
 *
 * Nobody has rights before they take it up. Whose mail address it is was never checked: a merchant's owner may have made an account
 * in somebody else's name. So rights go to whoever was handed the link *and* has the account, and an account that exists is not
 * simply added.
 * @returns the token of the link; null: the person is one already.
 */
export async function invitePerson(
  pool: Pool,
  email: string,
  to: Invited,
  by: Author | Manager,
): Promise<{ user: User; token: string | null }> {
  return inTransaction(pool, async tx => {
    const merchantId = 'admin' in to ? null : to.merchantId
    const user = (await lockManaged(tx, by, (await ensureUser(tx, email)).id, merchantId))!
    const isOneAlready =
      'admin' in to
        ? user.admin
        : (await membershipsOf(tx, user.id)).some(({ merchantId }) => merchantId === to.merchantId)
    if (isOneAlready) return { user, token: null }
    const token = await invite(tx, user.id, { by: by.actor, rights: to })
    await recordAudit(tx, {
      ...{ ...authorOf(by), action: 'person.invited', subject: `person ${email}`, merchantId },
      detail: 'admin' in to ? { admin: true } : { merchant: to.appid, role: to.role },
    })
    await tellInvited(tx, email, to, by.actor)
    return { user, token }
  })
}

/** Ends a link that was not used. @param merchantId null: to the gateway. @returns false when there is no such one. */
export async function withdraw(
  pool: Pool,
  merchantId: MerchantId | null,
  id: string,
  author: Author,
): Promise<boolean> {
  return inTransaction(pool, async tx => {
    const email = await withdrawInvitation(tx, merchantId, id)
    if (email === null) return false
    const event = { action: 'person.invitation_withdrawn', subject: `person ${email}`, merchantId }
    await recordAudit(tx, { ...author, ...event })
    return true
  })
}

/**
 * Makes a new link for a person who cannot sign in any more. Sessions end; the second factors go only where `factors` says so.
 *
 * Whoever holds the link can become that person. So an owner makes one only for who is nowhere else: `onlyOf` is checked while the
 * person's row is locked, and a person who joins another merchant takes such links away.
 * @param onlyOf the owner's merchant; undefined: an admin makes it.
 * @returns the token.
 * @throws GatewayError not_found when the person is an admin, or a member of another merchant.
 */
export async function makeNewLink(
  pool: Pool,
  { id, email }: Pick<User, 'id' | 'email'>,
  { factors, onlyOf, ...by }: (Author | Manager) & { factors: boolean; onlyOf?: MerchantId },
): Promise<string> {
  return inTransaction(pool, async tx => {
    const user = await lockManaged(tx, by, id, onlyOf ?? null)
    if (!user || (onlyOf !== undefined && !isOnlyOf(user, await membershipsOf(tx, id), onlyOf)))
      throw new GatewayError('not_found', 'only an admin may make a link for this person')
    const token = await invite(tx, id, { by: by.actor, rights: null })
    await endSessionsOf(tx, id)
    if (factors) await removeSecondFactors(tx, id)
    await recordAudit(tx, {
      ...{ ...authorOf(by), action: 'person.link_made', subject: `person ${email}` },
      merchantId: onlyOf ?? null,
      detail: { factors_removed: factors },
    })
    return token
  })
}

/** Checks whether a person is a member of this merchant and nothing else. */
export function isOnlyOf(
  user: Pick<User, 'admin'>,
  memberships: readonly { merchantId: MerchantId }[],
  merchantId: MerchantId,
): boolean {
  return !user.admin && memberships.length === 1 && memberships[0]!.merchantId === merchantId
}

/** Keeps a person from signing in, at once, or lets them again. Of two admins who disable each other, one does. */
export async function disablePerson(
  pool: Pool,
  user: Pick<User, 'id' | 'email'>,
  disabled: boolean,
  by: Author | Manager,
): Promise<void> {
  await inTransaction(pool, async tx => {
    await lockManaged(tx, by, user.id, null)
    await setDisabled(tx, user.id, disabled)
    if (disabled) {
      await endSessionsOf(tx, user.id)
      await cancelInvitationsBy(tx, user.email)
    }
    await recordAudit(tx, {
      ...authorOf(by),
      action: disabled ? 'person.disabled' : 'person.enabled',
      subject: `person ${user.email}`,
    })
  })
}
