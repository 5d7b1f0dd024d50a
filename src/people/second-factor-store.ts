import { createHash, randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import type { UserId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import { openSecret, sealSecret } from '../merchants/sealed-secret.ts'

// One-time codes as authenticator apps make them: RFC 6238, SHA-1, 6 digits, 30 s.
const periodS = 30
/** A code of the step before or after counts too: clocks differ. */
const stepsAround = 1
const secretBytes = 20
const recoveryCodes = 10
const issuer = 'recharge-gateway'

const rowOf = (id: UserId) => ({
  ...{ table: 'console_user' as const, id, merchantId: null, purpose: 'totp' },
})

/**
 * Makes the secret of one-time codes for a user; it counts when `confirmTotp` has seen a code of it.
 * @returns null when the user has codes already: those go on until they are removed.
 */
export async function prepareTotp(
  tx: Tx,
  masterKey: Buffer,
  { id, email }: { id: UserId; email: string },
): Promise<{ secret: string; url: string } | null> {
  const secret = new Secret({ size: secretBytes })
  const prepared = await run(
    tx,
    `update console_user set totp_sealed = $2, totp_step = 0 where id = $1 and totp_since is null`,
    [id, sealSecret(masterKey, rowOf(id), secret.base32, 2)],
  )
  if (prepared === 0) return null
  return { secret: secret.base32, url: totpOf(secret.base32, email).toString() }
}

/** Turns one-time codes on, with the first code. @returns false when the code is wrong, or they are on. */
export async function confirmTotp(tx: Tx, masterKey: Buffer, id: UserId, code: string): Promise<boolean> {
  if (!(await useTotp(tx, masterKey, id, code, { prepared: true }))) return false
  return (
    (await run(tx, `update console_user set totp_since = now() where id = $1 and totp_since is null`, [
      id,
    ])) === 1
  )
}

/** Turns one-time codes off. */
export async function removeTotp(tx: Tx, id: UserId): Promise<void> {
  await run(tx, `update console_user set totp_sealed = null, totp_since = null where id = $1`, [id])
}

/**
 * Uses a one-time code. Each counts once: the step of the last one is kept, by compare-and-set.
 * @param code 6 digits; blanks in it are ignored.
 */
export async function useTotp(
  db: Queryable,
  masterKey: Buffer,
  id: UserId,
  code: string,
  { prepared = false } = {},
): Promise<boolean> {
  const token = code.replace(/\s/g, '')
  if (!/^\d{6}$/.test(token)) return false
  const [found] = await rows<{ sealed: Buffer | null; now: Date }>(
    db,
    `select totp_sealed as sealed, now() as now from console_user where id = $1 and (totp_since is null) = $2::boolean`,
    [id, prepared],
  )
  if (!found?.sealed) return false
  const timestamp = found.now.getTime()
  const secret = openSecret(masterKey, rowOf(id), found.sealed)
  const delta = totpOf(secret, '').validate({ token, timestamp, window: stepsAround })
  if (delta === null) return false
  const step = Math.floor(timestamp / 1_000 / periodS) + delta
  return (
    (await run(
      db,
      `update console_user set totp_step = $2 where id = $1 and totp_step < $2 and totp_sealed = $3`,
      [id, step, found.sealed],
    )) === 1
  )
}

function totpOf(base32: string, label: string): TOTP {
  return new TOTP({ issuer, label, secret: Secret.fromBase32(base32), period: periodS })
}

/** Makes new recovery codes; the old ones count no more. @returns them, `xxxxx-xxxxx-xxxxx-xxxxx`; they are kept nowhere. */
export async function newRecoveryCodes(tx: Tx, id: UserId): Promise<string[]> {
  const codes = Array.from({ length: recoveryCodes }, () =>
    randomBytes(10).toString('hex').match(/.{5}/g)!.join('-'),
  )
  await run(tx, `delete from recovery_code where user_id = $1`, [id])
  await run(tx, `insert into recovery_code (user_id, code_hash) select $1, unnest($2::bytea[])`, [
    id,
    codes.map(hashOf),
  ])
  return codes
}

/** Uses a recovery code up. */
export async function useRecoveryCode(db: Queryable, id: UserId, code: string): Promise<boolean> {
  return (
    (await run(
      db,
      `update recovery_code set used_at = now() where user_id = $1 and code_hash = $2 and used_at is null`,
      [id, hashOf(code)],
    )) === 1
  )
}

/** Counts the recovery codes that are left. */
export async function recoveryCodesLeft(db: Queryable, id: UserId): Promise<number> {
  const [counted] = await rows<{ left: number }>(
    db,
    `select count(*)::int as left from recovery_code where user_id = $1 and used_at is null`,
    [id],
  )
  return counted!.left
}

/** Removes the recovery codes of a user who has no second factor left that they could replace. */
export async function removeIdleRecoveryCodes(tx: Tx, id: UserId): Promise<void> {
  await run(
    tx,
    `delete from recovery_code r
      using console_user u
      where r.user_id = $1 and u.id = $1 and u.totp_since is null
        and not exists (select from passkey p where p.user_id = $1)`,
    [id],
  )
}

/** Removes every second factor of a user, so that a lost telephone is no lost account. */
export async function removeSecondFactors(tx: Tx, id: UserId): Promise<void> {
  await removeTotp(tx, id)
  await run(tx, `delete from passkey where user_id = $1`, [id])
  await run(tx, `delete from recovery_code where user_id = $1`, [id])
}

function hashOf(code: string): Buffer {
  return createHash('sha256')
    .update(code.toLowerCase().replace(/[^0-9a-f]/g, ''))
    .digest()
}
