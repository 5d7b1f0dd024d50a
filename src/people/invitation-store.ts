import { createHash, randomBytes } from 'node:crypto'
import type { UserId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'

/** How long a link counts. */
export const invitationHours = 24
const tokenBytes = 32

/** The page of a link. */
export const invitationPath = (token: string): string => `/console/invitation/${token}`

/** Makes a link for a user; earlier ones count no more. @returns the token, which is kept nowhere. */
export async function invite(tx: Tx, userId: UserId, by: string): Promise<string> {
  const token = randomBytes(tokenBytes).toString('base64url')
  await cancelInvitations(tx, userId)
  await run(
    tx,
    `insert into invitation (token_hash, user_id, created_by, expires_at)
     values ($1, $2, $3, now() + make_interval(hours => $4))`,
    [hashOf(token), userId, by, invitationHours],
  )
  return token
}

/** Reads whom a link is for. @returns null when it does not count: unknown, used, too old, or its user is disabled. */
export async function invited(
  db: Queryable,
  token: string,
): Promise<{ userId: UserId; email: string; name: string; hasPassword: boolean } | null> {
  const [found] = await rows<{ userId: UserId; email: string; name: string; hasPassword: boolean }>(
    db,
    `select u.id as "userId", u.email, u.name, u.password is not null as "hasPassword"
       from invitation i
       join console_user u on u.id = i.user_id
      where i.token_hash = $1 and i.used_at is null and i.expires_at > now() and u.disabled_at is null`,
    [hashOf(token)],
  )
  return found ?? null
}

/** Uses a link up. @returns false when it does not count any more. */
export async function takeUp(tx: Tx, token: string): Promise<boolean> {
  return (
    (await run(
      tx,
      `update invitation set used_at = now() where token_hash = $1 and used_at is null and expires_at > now()`,
      [hashOf(token)],
    )) === 1
  )
}

/** Ends the links of a user that were not used. */
export async function cancelInvitations(tx: Tx, userId: UserId): Promise<void> {
  await run(tx, `delete from invitation where user_id = $1 and used_at is null`, [userId])
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
