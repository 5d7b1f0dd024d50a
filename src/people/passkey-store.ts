import type { UserId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'

/** A passkey as it is kept: its public half. */
export interface Passkey {
  credentialId: Buffer
  publicKey: Buffer
  /** How often it has signed, as it says itself; 0 for ever where it does not count. */
  counter: bigint
  transports: string[]
}

export interface ListedPasskey {
  /** Hex digits that name it in addresses. */
  id: string
  name: string
  createdAt: Date
  lastUsedAt: Date | null
}

/** As many as one person may have. */
export const passkeysMax = 20

const nameOf = `encode(sha256(credential_id), 'hex')`

/** Reads what checks a user's passkeys. */
export async function passkeysOf(db: Queryable, userId: UserId): Promise<Passkey[]> {
  return rows<Passkey>(
    db,
    `select credential_id as "credentialId", public_key as "publicKey", counter, transports
       from passkey
      where user_id = $1
      order by created_at
      limit ${passkeysMax}`,
    [userId],
  )
}

export async function listPasskeys(db: Queryable, userId: UserId): Promise<ListedPasskey[]> {
  return rows<ListedPasskey>(
    db,
    `select ${nameOf} as id, name, created_at as "createdAt", last_used_at as "lastUsedAt"
       from passkey
      where user_id = $1
      order by created_at
      limit ${passkeysMax}`,
    [userId],
  )
}

/** Writes a passkey. The user's row must be locked. @returns false when it is known already, or the user has too many. */
export async function insertPasskey(
  tx: Tx,
  userId: UserId,
  { name, ...key }: Passkey & { name: string },
): Promise<boolean> {
  return (
    (await run(
      tx,
      `insert into passkey (credential_id, user_id, public_key, counter, transports, name)
       select $1, $2, $3, $4, $5, $6
        where (select count(*) from passkey where user_id = $2) < ${passkeysMax}
       on conflict (credential_id) do nothing`,
      [key.credentialId, userId, key.publicKey, key.counter, key.transports, name],
    )) === 1
  )
}

/** Notes that a passkey has signed. @returns false when its counter did not go on: somebody else has used a copy of it. */
export async function countPasskey(
  db: Queryable,
  userId: UserId,
  { credentialId, counter }: Pick<Passkey, 'credentialId' | 'counter'>,
): Promise<boolean> {
  return (
    (await run(
      db,
      `update passkey set counter = $3, last_used_at = now()
        where credential_id = $1 and user_id = $2 and (counter < $3 or (counter = 0 and $3 = 0))`,
      [credentialId, userId, counter],
    )) === 1
  )
}

/** @param id of a listed passkey. @returns false when the user has no such one. */
export async function renamePasskey(
  db: Queryable,
  userId: UserId,
  id: string,
  name: string,
): Promise<boolean> {
  return (
    (await run(db, `update passkey set name = $3 where user_id = $1 and ${nameOf} = $2`, [
      userId,
      id,
      name,
    ])) === 1
  )
}

/** @param id of a listed passkey. @returns its name; null when the user has no such one. */
export async function deletePasskey(tx: Tx, userId: UserId, id: string): Promise<string | null> {
  const [deleted] = await rows<{ name: string }>(
    tx,
    `delete from passkey where user_id = $1 and ${nameOf} = $2 returning name`,
    [userId, id],
  )
  return deleted?.name ?? null
}
