import type { MerchantId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import { sealNew } from './sealing-store.ts'
import type { SignatureScheme } from './signature.ts'
import type { ListedSecret } from './webhook-secret-store.ts'

/** A merchant's key as an operator sees it, without the key itself. */
export interface ListedKey extends ListedSecret {
  scheme: SignatureScheme
  promoted: boolean
}

/** Lists a merchant's keys, retired ones included, oldest first. */
export async function listKeys(db: Queryable, merchantId: MerchantId): Promise<ListedKey[]> {
  return rows<ListedKey>(
    db,
    `select id, scheme, promoted, created_at as "createdAt", retired_at as "retiredAt",
            retired_at is null or retired_at > now() as live
       from merchant_key
      where merchant_id = $1
      order by id`,
    [merchantId],
  )
}

/** Writes a key, sealed for its row. @returns its id. */
export async function insertKey(
  tx: Tx,
  masterKey: Buffer,
  given: { merchantId: MerchantId; scheme: SignatureScheme; key: string; promoted: boolean },
): Promise<bigint> {
  const { merchantId, scheme, key, promoted } = given
  const { id, sealed } = await sealNew(tx, masterKey, 'merchant_key', { merchantId, purpose: scheme }, key)
  await run(
    tx,
    `insert into merchant_key (id, merchant_id, scheme, sealed, promoted)
     overriding system value
     values ($1, $2, $3, $4, $5)`,
    [id, merchantId, scheme, sealed, promoted],
  )
  return id
}

/** Promotes a key of a locked merchant in place of the one before. */
export async function setPromoted(tx: Tx, merchantId: MerchantId, keyId: bigint): Promise<void> {
  // Two statements: in a single one the unique index might meet the new key first.
  await run(tx, `update merchant_key set promoted = false where merchant_id = $1 and promoted`, [merchantId])
  await run(tx, `update merchant_key set promoted = true where merchant_id = $1 and id = $2`, [
    merchantId,
    keyId,
  ])
}

/**
 * Retires a key of a locked merchant, now or later. It stops signing callbacks now.
 * @param at null or past: now.
 * @returns when it is retired.
 */
export async function setKeyRetired(tx: Tx, keyId: bigint, at: Date | null): Promise<Date> {
  const [retired] = await rows<{ at: Date }>(
    tx,
    `update merchant_key
        set promoted = false, retired_at = greatest($2, now())
      where id = $1
     returning retired_at as at`,
    [keyId, at],
  )
  return retired!.at
}
