import type { MerchantId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { SignatureScheme } from './signature.ts'
import type { ListedSecret } from './webhook-secret-store.ts'

/** A merchant's key as an operator sees it: never the key. Live, it verifies requests. */
export interface ListedKey extends ListedSecret {
  scheme: SignatureScheme
  /** It signs callbacks. */
  promoted: boolean
}

/** A merchant's keys, the retired ones too, oldest first. */
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

/** Writes a key, sealed. @returns its id. */
export async function insertKey(
  tx: Tx,
  key: { merchantId: MerchantId; scheme: SignatureScheme; sealed: Buffer; promoted: boolean },
): Promise<bigint> {
  const [inserted] = await rows<{ id: bigint }>(
    tx,
    `insert into merchant_key (merchant_id, scheme, sealed, promoted)
     values ($1, $2, $3, $4)
     returning id`,
    [key.merchantId, key.scheme, key.sealed, key.promoted],
  )
  return inserted!.id
}

/** Has one key of a locked merchant sign callbacks, and no other. */
export async function setPromoted(tx: Tx, merchantId: MerchantId, keyId: bigint): Promise<void> {
  // One after the other: of the two at once, the unique index might see the new one first.
  await run(tx, `update merchant_key set promoted = false where merchant_id = $1 and promoted`, [merchantId])
  await run(tx, `update merchant_key set promoted = true where merchant_id = $1 and id = $2`, [
    merchantId,
    keyId,
  ])
}

/** Ends a key of a locked merchant, now or later; it signs nothing from now on. @param at null or past: now. @returns when it ends. */
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
