import type { MerchantId, UserId } from '../base/ids.ts'
import { authorOf, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, rows, type Tx } from '../db/pool.ts'
import { cancelInvitations, cancelInvitationsBy } from './invitation-store.ts'
import { lockManaged, type Manager } from './manager.ts'
import type { Role } from './permission.ts'
import { answerableFor, tellRight } from './tell-of-person.ts'
import { membershipsOf, removeMember, setAdmin, setRole } from './user-store.ts'

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
    const owners = await lockOwners(tx, merchant.id)
    const user = await lockManaged(tx, by, userId, merchant.id)
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
    const user = await lockManaged(tx, by, userId, null)
    if (!user?.admin) return 'unknown'
    const to = await answerableFor(tx, { admin: true })
    await setAdmin(tx, userId, false)
    await cancelInvitations(tx, userId, { admin: true })
    await cancelInvitationsBy(tx, user.email)
    await recordAudit(tx, { ...authorOf(by), action: 'admin.removed', subject: `person ${user.email}` })
    await tellRight(tx, { email: user.email, right: { admin: false }, actor: by.actor, to })
    return 'done'
  })
}

/** Locks who the owners of a merchant are, so that one remains: of two who remove each other, the second sees what the first did. */
function lockOwners(tx: Tx, merchantId: MerchantId): Promise<{ userId: UserId; canSignIn: boolean }[]> {
  return rows(
    tx,
    `select s.user_id as "userId", u.password is not null and u.disabled_at is null as "canSignIn"
       from membership s
       join console_user u on u.id = s.user_id
      where s.merchant_id = $1 and s.role = 'owner'
      order by s.user_id
        for update of s`,
    [merchantId],
  )
}
