import type { MerchantId, UserId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { Role } from './permission.ts'

/** A person who may use the console. */
export interface User {
  id: UserId
  email: string
  /** Empty until the invitation is taken up. */
  name: string
  admin: boolean
  locale: string | null
  hasPassword: boolean
  hasTotp: boolean
  passkeys: number
  disabledAt: Date | null
  createdAt: Date
}

export interface Membership {
  merchantId: MerchantId
  appid: string
  merchantName: string
  role: Role
}

const columns = `u.id, u.email, u.name, u.admin, u.locale, u.password is not null as "hasPassword",
  u.totp_since is not null as "hasTotp", (select count(*)::int from passkey p where p.user_id = u.id) as passkeys,
  u.disabled_at as "disabledAt", u.created_at as "createdAt"`

/** Of the sessions that are kept, which is for a month. */
const lastSeen = `(select max(c.last_seen_at) from console_session c
  where c.user_id = u.id and c.signed_in_at is not null) as "lastSeenAt"`

const emailKept = /^[^@<>"',;:\\()[\]\p{C}\p{Z}]{1,64}@[^@<>"',;:\\()[\]\p{C}\p{Z}]+$/u

/**
 * Reads a mail address as it is kept: in lower case.
 * @returns null when it is none, or has characters that cannot be seen: it would look like another's.
 */
export function readEmail(text: string): string | null {
  const email = text.trim().toLowerCase()
  return email.length <= 254 && emailKept.test(email) ? email : null
}

/**
 * Reads a name as a person typed it. It stands before the mail address in the audit, `Ada <ada@example.com>`, and must not pretend to
 * be another's.
 * @returns null when it is empty, longer than 100 characters or not one line, or contains < or >, or turns the text's direction.
 */
export function readName(text: string): string | null {
  const name = text.trim()
  return name !== '' && name.length <= 100 && !/[\p{Cc}<>\u202a-\u202e\u2066-\u2069]/u.test(name)
    ? name
    : null
}

/** Reads the user with this mail address. */
export async function userByEmail(db: Queryable, email: string): Promise<User | null> {
  const [user] = await rows<User>(db, `select ${columns} from console_user u where u.email = $1`, [email])
  return user ?? null
}

export async function userById(db: Queryable, id: UserId): Promise<User | null> {
  const [user] = await rows<User>(db, `select ${columns} from console_user u where u.id = $1`, [id])
  return user ?? null
}

/** Reads what is needed to check a password. */
export async function passwordOf(
  db: Queryable,
  email: string,
): Promise<{ id: UserId; password: string | null; disabled: boolean } | null> {
  const [found] = await rows<{ id: UserId; password: string | null; disabled: boolean }>(
    db,
    `select id, password, disabled_at is not null as disabled from console_user where email = $1`,
    [email],
  )
  return found ?? null
}

export async function hasAdmin(db: Queryable): Promise<boolean> {
  const found = await rows(db, `select from console_user where admin and password is not null limit 1`)
  return found.length > 0
}

/** Makes the user of a mail address where there is none yet. */
export async function ensureUser(tx: Tx, email: string): Promise<User> {
  await run(tx, `insert into console_user (email) values ($1) on conflict (email) do nothing`, [email])
  return (await userByEmail(tx, email))!
}

/** Removes those who were invited, never came, and have no link any more. */
export async function purgeInvited(db: Queryable): Promise<void> {
  await run(
    db,
    `delete from console_user u
      where u.password is null and u.created_at < now() - interval '31 days'
        and not exists (select from invitation i where i.user_id = u.id)
        and not exists (select from membership s where s.user_id = u.id)`,
  )
}

/** Locks a user's row until the transaction ends, so that two changes of one person come one after the other. */
export async function lockUser(tx: Tx, id: UserId): Promise<User | null> {
  const [user] = await rows<User>(
    tx,
    `select ${columns} from console_user u where u.id = $1 for no key update`,
    [id],
  )
  return user ?? null
}

export async function setAdmin(tx: Tx, id: UserId, admin: boolean): Promise<void> {
  await run(tx, `update console_user set admin = $2 where id = $1`, [id, admin])
}

/** Sets a password, and the name where one is given. */
export async function setPassword(
  tx: Tx,
  id: UserId,
  { password, name }: { password: string; name?: string },
): Promise<void> {
  await run(tx, `update console_user set password = $2, name = coalesce($3, name) where id = $1`, [
    id,
    password,
    name ?? null,
  ])
}

export async function setLocale(db: Queryable, id: UserId, locale: string): Promise<void> {
  await run(db, `update console_user set locale = $2 where id = $1`, [id, locale])
}

export async function setDisabled(tx: Tx, id: UserId, disabled: boolean): Promise<void> {
  await run(tx, `update console_user set disabled_at = case when $2 then now() end where id = $1`, [
    id,
    disabled,
  ])
}

/** Reads what a person is a member of, by the merchant's name. */
export async function membershipsOf(db: Queryable, id: UserId): Promise<Membership[]> {
  return rows<Membership>(
    db,
    `select s.merchant_id as "merchantId", m.appid, m.name as "merchantName", s.role
       from membership s
       join merchant m on m.id = s.merchant_id
      where s.user_id = $1
      order by m.name, m.id`,
    [id],
  )
}

/** Makes a person a member. Who is one already stays as they are. */
export async function joinMerchant(tx: Tx, id: UserId, merchantId: MerchantId, role: Role): Promise<void> {
  await run(
    tx,
    `insert into membership (user_id, merchant_id, role) values ($1, $2, $3)
     on conflict (user_id, merchant_id) do nothing`,
    [id, merchantId, role],
  )
}

/** Makes a person a member, or changes what the member may. */
export async function setRole(tx: Tx, id: UserId, merchantId: MerchantId, role: Role): Promise<void> {
  await run(
    tx,
    `insert into membership (user_id, merchant_id, role) values ($1, $2, $3)
     on conflict (user_id, merchant_id) do update set role = excluded.role`,
    [id, merchantId, role],
  )
}

/** Ends a membership. @returns false when there was none. */
export async function removeMember(tx: Tx, id: UserId, merchantId: MerchantId): Promise<boolean> {
  return (
    (await run(tx, `delete from membership where user_id = $1 and merchant_id = $2`, [id, merchantId])) === 1
  )
}

/** Reads a merchant's people, owners first. */
export async function membersOf(
  db: Queryable,
  merchantId: MerchantId,
): Promise<(User & { role: Role; lastSeenAt: Date | null })[]> {
  return rows(
    db,
    `select ${columns}, s.role, ${lastSeen}
       from membership s
       join console_user u on u.id = s.user_id
      where s.merchant_id = $1
      order by array_position(array['owner', 'developer', 'finance', 'support'], s.role), u.email
      limit 500`,
    [merchantId],
  )
}

/** Reads the admins of the gateway. */
export async function listAdmins(db: Queryable): Promise<(User & { lastSeenAt: Date | null })[]> {
  return rows(
    db,
    `select ${columns}, ${lastSeen} from console_user u where u.admin order by u.email limit 500`,
  )
}

/** Mail addresses of the people who answer for a merchant: at least of those who have for longest, whoever is added after them. */
export async function ownersOf(db: Queryable, merchantId: MerchantId): Promise<string[]> {
  const found = await rows<{ email: string }>(
    db,
    `select u.email
       from membership s
       join console_user u on u.id = s.user_id
      where s.merchant_id = $1 and s.role = 'owner' and u.disabled_at is null
      order by s.created_at, u.id
      limit 50`,
    [merchantId],
  )
  return found.map(({ email }) => email)
}
