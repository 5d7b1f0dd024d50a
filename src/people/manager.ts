import { GatewayError } from '../base/errors.ts'
import type { MerchantId, UserId } from '../base/ids.ts'
import type { Author } from '../db/audit-store.ts'
import { rows, type Tx } from '../db/pool.ts'
import { lockUser, membershipsOf, type User, userById } from './user-store.ts'

/** A person who changes what others may. */
export interface Manager extends Author {
  userId: UserId
}

/**
 * Locks a person whom somebody is about to change, and whoever does it, if that is a person too and not a command. Who loses rights at
 * this moment does nothing by them afterwards: what takes them away locks the same row.
 * @param merchantId whose people the change is about; null: the gateway's, which is for its admins.
 * @returns the person as they are now; null: there is none.
 * @throws GatewayError not_found when the manager may not change it any more.
 */
export async function lockManaged(
  tx: Tx,
  by: Author | Manager,
  userId: UserId,
  merchantId: MerchantId | null,
): Promise<User | null> {
  if (!('userId' in by)) return lockUser(tx, userId)
  // In one order, so that two who change each other do not wait for each other.
  await rows(tx, `select from console_user where id = any($1::bigint[]) order by id for no key update`, [
    [by.userId, userId],
  ])
  if (!(await mayManage(tx, by.userId, merchantId)))
    throw new GatewayError('not_found', 'this person may not change it any more')
  return userById(tx, userId)
}

async function mayManage(tx: Tx, id: UserId, merchantId: MerchantId | null): Promise<boolean> {
  const manager = await userById(tx, id)
  if (!manager || manager.disabledAt) return false
  if (manager.admin) return true
  const memberships = merchantId === null ? [] : await membershipsOf(tx, id)
  return memberships.some(one => one.merchantId === merchantId && one.role === 'owner')
}
