import { type Author, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { deletePasskey, insertPasskey, type Passkey, renamePasskey } from './passkey-store.ts'
import {
  confirmTotp,
  newRecoveryCodes,
  prepareTotp,
  removeIdleRecoveryCodes,
  removeTotp,
} from './second-factor-store.ts'
import { endSessionsOf, sessionOf } from './session-store.ts'
import { lockUser, type User } from './user-store.ts'

/** Who changes their own second factors, and in which session. */
export interface Owner extends Author {
  user: User
  sessionId: string
}

export const hasFactor = (user: Pick<User, 'hasTotp' | 'passkeys'>): boolean =>
  user.hasTotp || user.passkeys > 0

/** Makes the secret of one-time codes. @returns null when there are codes already. */
export async function prepareCodes(
  pool: Pool,
  masterKey: Buffer,
  user: User,
): Promise<{ secret: string; url: string } | null> {
  return inTransaction(pool, tx => prepareTotp(tx, masterKey, user))
}

/**
 * Turns one-time codes on with the first code of them.
 * @returns recovery codes, where it is the first second factor; [] where there were others; null: the code is wrong.
 */
export async function turnCodesOn(
  pool: Pool,
  masterKey: Buffer,
  owner: Owner,
  code: string,
): Promise<string[] | null> {
  return inTransaction(pool, async tx => {
    const before = await lockOwner(tx, owner)
    if (!before || !(await confirmTotp(tx, masterKey, before.id, code))) return null
    await recordOwn(tx, owner, 'person.codes_turned_on')
    if (hasFactor(before)) return []
    // A session of somebody who knows the password alone is worth nothing from now on.
    await endSessionsOf(tx, before.id, owner.sessionId)
    return newRecoveryCodes(tx, before.id)
  })
}

/** Turns one-time codes off. @returns whether they were on. */
export async function turnCodesOff(pool: Pool, owner: Owner): Promise<boolean> {
  return inTransaction(pool, async tx => {
    const before = await lockOwner(tx, owner)
    if (!before?.hasTotp) return false
    await removeTotp(tx, before.id)
    await removeIdleRecoveryCodes(tx, before.id)
    await recordOwn(tx, owner, 'person.codes_turned_off')
    return true
  })
}

/** Makes new recovery codes in place of the old ones. @returns null: without a second factor there is nothing to recover. */
export async function renewRecoveryCodes(pool: Pool, owner: Owner): Promise<string[] | null> {
  return inTransaction(pool, async tx => {
    const before = await lockOwner(tx, owner)
    if (!before || !hasFactor(before)) return null
    await recordOwn(tx, owner, 'person.recovery_codes_made')
    return newRecoveryCodes(tx, before.id)
  })
}

/** Adds a passkey that was read. @returns false when it is known already, or there are too many. */
export async function addPasskey(
  pool: Pool,
  owner: Owner,
  passkey: Passkey & { name: string },
): Promise<boolean> {
  return inTransaction(pool, async tx => {
    const before = await lockOwner(tx, owner)
    if (!before || !(await insertPasskey(tx, before.id, passkey))) return false
    if (!hasFactor(before)) await endSessionsOf(tx, before.id, owner.sessionId)
    await recordOwn(tx, owner, 'person.passkey_added', { name: passkey.name })
    return true
  })
}

/** Gives a passkey another name. @param id of a listed one. @returns false when there is no such one. */
export async function nameAnew(pool: Pool, owner: Owner, id: string, name: string): Promise<boolean> {
  return inTransaction(pool, async tx => {
    const before = await lockOwner(tx, owner)
    if (!before || !(await renamePasskey(tx, before.id, id, name))) return false
    await recordOwn(tx, owner, 'person.passkey_renamed', { name })
    return true
  })
}

/** Removes a passkey. @param id of a listed one. @returns false when there is no such one. */
export async function removePasskey(pool: Pool, owner: Owner, id: string): Promise<boolean> {
  return inTransaction(pool, async tx => {
    const before = await lockOwner(tx, owner)
    const name = before && (await deletePasskey(tx, before.id, id))
    if (name === null) return false
    await removeIdleRecoveryCodes(tx, owner.user.id)
    await recordOwn(tx, owner, 'person.passkey_removed', { name })
    return true
  })
}

/**
 * Locks the person's row until the transaction ends.
 * @returns the person as they are now; null when the session has ended meanwhile: what it asked for is not done any more.
 */
export async function lockOwner(tx: Tx, { user, sessionId }: Owner): Promise<User | null> {
  const locked = await lockUser(tx, user.id)
  return (await sessionOf(tx, sessionId)) && locked
}

/** Records what a person did to their own account. */
export async function recordOwn(
  tx: Tx,
  { user, sessionId: _, ...author }: Owner,
  action: string,
  detail: Record<string, unknown> = {},
): Promise<void> {
  await recordAudit(tx, { ...author, action, subject: `person ${user.email}`, detail })
}
