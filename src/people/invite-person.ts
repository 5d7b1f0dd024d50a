import type { MerchantId } from '../base/ids.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { invite } from './invitation-store.ts'
import type { Role } from './permission.ts'
import { removeSecondFactors } from './second-factor-store.ts'
import { endSessionsOf } from './session-store.ts'
import { ensureUser, setAdmin, setDisabled, setRole, type User } from './user-store.ts'

/** What a person is invited to. */
export type Invited = { admin: true } | { merchantId: MerchantId; appid: string; role: Role }

/**
 * Makes a person an admin, or a member of a merchant with a role; who is one already changes to that role.
 * @returns the token of a link by which the person chooses a password; null: the person has one already.
 */
export async function invitePerson(
  pool: Pool,
  email: string,
  to: Invited,
  { actor }: { actor: string },
): Promise<{ user: User; token: string | null }> {
  return inTransaction(pool, async tx => {
    const user = await ensureUser(tx, email)
    if ('admin' in to) await setAdmin(tx, user.id, true)
    else await setRole(tx, user.id, to.merchantId, to.role)
    const token = user.hasPassword ? null : await invite(tx, user.id, actor)
    await recordAudit(tx, {
      actor,
      action: 'admin' in to ? 'admin.added' : 'person.role_set',
      subject: `person ${email}`,
      detail: 'admin' in to ? {} : { merchant: to.appid, role: to.role },
    })
    return { user, token }
  })
}

/**
 * Makes a new link for a person who cannot sign in any more. Sessions end; the second factors go only where `factors` says so.
 * @returns the token.
 */
export async function makeNewLink(
  pool: Pool,
  user: User,
  { actor, factors }: { actor: string; factors: boolean },
): Promise<string> {
  return inTransaction(pool, async tx => {
    const token = await invite(tx, user.id, actor)
    await endSessionsOf(tx, user.id)
    if (factors) await removeSecondFactors(tx, user.id)
    await recordAudit(tx, {
      ...{ actor, action: 'person.link_made', subject: `person ${user.email}` },
      detail: { factors_removed: factors },
    })
    return token
  })
}

/** Keeps a person from signing in, at once, or lets them again. */
export async function disablePerson(
  pool: Pool,
  user: User,
  disabled: boolean,
  { actor }: { actor: string },
): Promise<void> {
  await inTransaction(pool, async tx => {
    await setDisabled(tx, user.id, disabled)
    if (disabled) await endSessionsOf(tx, user.id)
    await recordAudit(tx, {
      actor,
      action: disabled ? 'person.disabled' : 'person.enabled',
      subject: `person ${user.email}`,
    })
  })
}
