import { createHash, randomBytes } from 'node:crypto'
import type { MerchantId, UserId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { Role } from './permission.ts'

/** What somebody is invited to: the gateway as its admin, or a merchant. */
export type Rights = { admin: true } | { merchantId: MerchantId; role: Role }

/** A link that counts. */
export interface Invitation {
  userId: UserId
  email: string
  name: string
  hasPassword: boolean
  /** What it gives; null: it only sets a password. */
  rights: Rights | null
  /** Of the merchant. */
  appid: string | null
  merchantName: string | null
}

/** A link that somebody has, and has not used. */
export interface OpenInvitation {
  /** Hex digits that name the link and do not open it. */
  id: string
  email: string
  /** null: an admin. */
  role: Role | null
  createdBy: string
  expiresAt: Date
}

/** How long a link counts. */
export const invitationHours = 24
const tokenBytes = 32

/** The page of a link. */
export const invitationPath = (token: string): string => `/console/invitation/${token}`

/**
 * Makes a link for a user; earlier ones to the same count no more.
 * @param link.by who made it, for people. `rights`: null when it only sets a password.
 * @returns the token, which is kept nowhere.
 */
export async function invite(
  tx: Tx,
  userId: UserId,
  { by, rights }: { by: string; rights: Rights | null },
): Promise<string> {
  const token = randomBytes(tokenBytes).toString('base64url')
  await cancelInvitations(tx, userId, rights)
  const { admin, merchantId, role } = columnsOf(rights)
  await run(
    tx,
    `insert into invitation (token_hash, user_id, created_by, expires_at, admin, merchant_id, role)
     values ($1, $2, $3, now() + make_interval(hours => $4), $5, $6, $7)`,
    [hashOf(token), userId, by, invitationHours, admin, merchantId, role],
  )
  return token
}

/** Ends the links of a user that were not used: those to the same merchant, to the gateway, or (null) those that set a password. */
export async function cancelInvitations(
  tx: Tx,
  userId: UserId,
  rights: { admin: true } | { merchantId: MerchantId } | null,
): Promise<void> {
  const { admin, merchantId } = columnsOf(rights)
  await run(
    tx,
    `delete from invitation
      where user_id = $1 and used_at is null and admin = $2 and merchant_id is not distinct from $3`,
    [userId, admin, merchantId],
  )
}

/** Ends the links that a person made and nobody has used: who loses rights has no link left that leads back. */
export async function cancelInvitationsBy(tx: Tx, email: string): Promise<void> {
  await run(
    tx,
    `delete from invitation where used_at is null and right(created_by, length($1) + 2) = '<' || $1 || '>'`,
    [email],
  )
}

/** Reads a link. @returns null when it does not count: unknown, used, too old, or its user is disabled. */
export async function invited(db: Queryable, token: string): Promise<Invitation | null> {
  const [found] = await rows<
    Omit<Invitation, 'rights'> & { admin: boolean; merchantId: MerchantId | null; role: Role | null }
  >(
    db,
    `select u.id as "userId", u.email, u.name, u.password is not null as "hasPassword", i.admin,
            i.merchant_id as "merchantId", i.role, m.appid, m.name as "merchantName"
       from invitation i
       join console_user u on u.id = i.user_id
       left join merchant m on m.id = i.merchant_id
      where i.token_hash = $1 and i.used_at is null and i.expires_at > now() and u.disabled_at is null`,
    [hashOf(token)],
  )
  if (!found) return null
  const { admin, merchantId, role, ...shown } = found
  return { ...shown, rights: admin ? { admin } : merchantId ? { merchantId, role: role! } : null }
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

/** Lists the links to a merchant, or (null) to the gateway, that were not used; those that were too late for a week. */
export async function openInvitations(
  db: Queryable,
  merchantId: MerchantId | null,
): Promise<OpenInvitation[]> {
  return rows<OpenInvitation>(
    db,
    `select encode(i.token_hash, 'hex') as id, u.email, i.role, i.created_by as "createdBy", i.expires_at as "expiresAt"
       from invitation i
       join console_user u on u.id = i.user_id
      where i.used_at is null and i.expires_at > now() - interval '7 days'
        and ${merchantId === null ? 'i.admin and $1::bigint is null' : 'i.merchant_id = $1'}
      order by i.expires_at desc
      limit 200`,
    [merchantId],
  )
}

/** Ends one of these links. @returns whose it was; null when there is no such one. */
export async function withdrawInvitation(
  tx: Tx,
  merchantId: MerchantId | null,
  id: string,
): Promise<string | null> {
  if (!/^[0-9a-f]{64}$/.test(id)) return null
  const [found] = await rows<{ email: string }>(
    tx,
    `delete from invitation i
      using console_user u
      where u.id = i.user_id and i.token_hash = $1 and i.used_at is null and i.admin = ($2::bigint is null)
        and i.merchant_id is not distinct from $2
     returning u.email`,
    [Buffer.from(id, 'hex'), merchantId],
  )
  return found?.email ?? null
}

/** Removes links that have not counted for a month. Who made them, and who took them up, is in the audit. */
export async function purgeInvitations(db: Queryable): Promise<void> {
  await run(db, `delete from invitation where expires_at < now() - interval '31 days'`)
}

function columnsOf(rights: { admin: true } | { merchantId: MerchantId; role?: Role } | null) {
  if (rights === null) return { admin: false, merchantId: null, role: null }
  if ('admin' in rights) return { admin: true, merchantId: null, role: null }
  return { admin: false, merchantId: rights.merchantId, role: rights.role ?? null }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
