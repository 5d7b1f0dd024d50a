import type { MerchantId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import { webhookPurpose } from './sealed-secret.ts'
import { sealNew } from './sealing-store.ts'

/** A merchant's webhook secret as an operator sees it, without the secret itself. */
export interface ListedSecret {
  id: bigint
  createdAt: Date
  /** When it was or will be retired; null: it has no end. */
  retiredAt: Date | null
  /** By the database's clock. */
  live: boolean
}

/** Lists a merchant's webhook secrets, retired ones included, oldest first. */
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

/** Writes a webhook secret, sealed for its row. @returns its id. */
export async function insertWebhookSecret(
  tx: Tx,
  masterKey: Buffer,
  { merchantId, secret }: { merchantId: MerchantId; secret: string },
): Promise<bigint> {
  const row = { merchantId, purpose: webhookPurpose }
  const { id, sealed } = await sealNew(tx, masterKey, 'webhook_secret', row, secret)
  await run(
    tx,
    `insert into webhook_secret (id, merchant_id, sealed)
     overriding system value
     values ($1, $2, $3)`,
    [id, merchantId, sealed],
  )
  return id
}

/** Retires a secret of a locked merchant, now or later. @param at null or past: now. @returns when it is. */
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
