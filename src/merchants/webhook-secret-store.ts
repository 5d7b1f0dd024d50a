import type { MerchantId } from '../base/ids.ts'
import { type Queryable, rows, type Tx } from '../db/pool.ts'

/** A merchant's webhook secret as an operator sees it: never the secret. Live, it signs callbacks. */
export interface ListedSecret {
  id: bigint
  createdAt: Date
  /** When it ended, or will; null: it is to go on. */
  retiredAt: Date | null
  /** By the database's clock. */
  live: boolean
}

/** A merchant's webhook secrets, the retired ones too, oldest first. */
export async function listWebhookSecrets(db: Queryable, merchantId: MerchantId): Promise<ListedSecret[]> {
  return rows<ListedSecret>(
    db,
    `select id, created_at as "createdAt", retired_at as "retiredAt",
            retired_at is null or retired_at > now() as live
       from webhook_secret
      where merchant_id = $1
      order by id`,
    [merchantId],
  )
}

/** Writes a merchant's webhook secret, sealed; every live one signs callbacks. @returns its id. */
export async function insertWebhookSecret(
  tx: Tx,
  secret: { merchantId: MerchantId; sealed: Buffer },
): Promise<bigint> {
  const [inserted] = await rows<{ id: bigint }>(
    tx,
    `insert into webhook_secret (merchant_id, sealed)
     values ($1, $2)
     returning id`,
    [secret.merchantId, secret.sealed],
  )
  return inserted!.id
}

/** Ends a secret of a locked merchant, now or later. @param at null or past: now. @returns when it ends. */
export async function setWebhookSecretRetired(tx: Tx, secretId: bigint, at: Date | null): Promise<Date> {
  const [retired] = await rows<{ at: Date }>(
    tx,
    `update webhook_secret
        set retired_at = greatest($2, now())
      where id = $1
     returning retired_at as at`,
    [secretId, at],
  )
  return retired!.at
}
