import { GatewayError } from '../base/errors.ts'
import type { MerchantId, UserId } from '../base/ids.ts'
import { type Author, authorOf, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, rows, type Tx } from '../db/pool.ts'
import { cancelInvitations, cancelInvitationsBy } from './invitation-store.ts'
import type { Role } from './permission.ts'
import { answerableFor, tellRight } from './tell-of-person.ts'
import { lockUser, membershipsOf, removeMember, setAdmin, setRole, userById } from './user-store.ts'

/** Who changes what others may. */
export interface Manager extends Author {
  userId: UserId
}

/** `last`: nobody would answer for the merchant any more. `own`: of oneself. `unknown`: there is no such member. */
export type MemberChange = 'done' | 'last' | 'own' | 'unknown'

/** Gives a member of a merchant another role, or (null) ends the membership. */
export async function changeMember(
  pool: Pool,
  by: Manager,
  {
    userId,
    merchant,
    role,
  }: { userId: UserId; merchant: { id: MerchantId; appid: string }; role: Role | null },
): Promise<MemberChange> {
  if (userId === by.userId) return 'own'
  return inTransaction(pool, async tx => {
    const owners = await lockOwners(tx, by, merchant.id)
    const user = await lockUser(tx, userId)
    const membership = (await membershipsOf(tx, userId)).find(({ merchantId }) => merchantId === merchant.id)
    if (!user || !membership) return 'unknown'
    if (role === membership.role) return 'done'
    const right = { merchantId: merchant.id, appid: merchant.appid, role }
    const to = await answerableFor(tx, right)
    const isOwner = membership.role === 'owner'
    if (isOwner && !owners.some(one => one.canSignIn && one.userId !== userId)) return 'last'
    if (role) await setRole(tx, userId, merchant.id, role)
    else await removeMember(tx, userId, merchant.id)
    await cancelInvitations(tx, userId, { merchantId: merchant.id })
    if (isOwner) await cancelInvitationsBy(tx, user.email)
    await recordAudit(tx, {
      ...{ ...authorOf(by), subject: `person ${user.email}`, merchantId: merchant.id },
      action: role ? 'person.role_set' : 'person.removed',
      detail: { merchant: merchant.appid, ...(role && { role }) },
    })
    await tellRight(tx, { email: user.email, right, actor: by.actor, to })
    return 'done'
  })
}

/** Takes from somebody that they are an admin of the gateway. One always remains: nobody does it to themselves. */
export async function removeAdmin(pool: Pool, by: Manager, userId: UserId): Promise<MemberChange> {
  if (userId === by.userId) return 'own'
  return inTransaction(pool, async tx => {
    const admins = await rows<{ id: UserId; email: string }>(
      tx,
      `select id, email from console_user where admin and disabled_at is null order by id for no key update`,
    )
    if (!admins.some(({ id }) => id === by.userId)) throw notTheirs()
    const user = await lockUser(tx, userId)
    if (!user?.admin) return 'unknown'
    await setAdmin(tx, userId, false)
    await cancelInvitations(tx, userId, { admin: true })
    await cancelInvitationsBy(tx, user.email)
    await recordAudit(tx, { ...authorOf(by), action: 'admin.removed', subject: `person ${user.email}` })
    const to = admins.map(({ email }) => email)
    await tellRight(tx, { email: user.email, right: { admin: false }, actor: by.actor, to })
    return 'done'
  })
}

/**
 * Locks a merchant's owners, so that two who remove each other do so one after the other.
 * @throws GatewayError not_found when the manager is neither one of them nor an admin any more.
 */
async function lockOwners(
  tx: Tx,
  by: Manager,
  merchantId: MerchantId,
): Promise<{ userId: UserId; canSignIn: boolean }[]> {
  const owners = await rows<{ userId: UserId; canSignIn: boolean }>(
    tx,
    `select s.user_id as "userId", u.password is not null and u.disabled_at is null as "canSignIn"
       from membership s
       join console_user u on u.id = s.user_id
      where s.merchant_id = $1 and s.role = 'owner'
      order by s.user_id
        for update of s`,
    [merchantId],
  )
  if (owners.some(({ userId }) => userId === by.userId)) return owners
  if (!(await userById(tx, by.userId))?.admin) throw notTheirs()
  return owners
}

const notTheirs = () => new GatewayError('not_found', 'this person may not change it any more')
