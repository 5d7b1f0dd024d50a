import { UsageError } from '../base/errors.ts'
import type { Pool } from '../db/pool.ts'
import { changeMerchant, liveMax } from './change-merchant.ts'
import { newWebhookSecret } from './new-secret.ts'
import { sealSecret } from './sealed-secret.ts'
import { insertWebhookSecret, listWebhookSecrets, setWebhookSecretRetired } from './webhook-secret-store.ts'

/** A secret that was just made: shown here and never again. */
export interface AddedSecret {
  id: bigint
  webhookSecret: string
}

/**
 * Gives a merchant another webhook secret. From now on its callbacks carry one signature more, so that either secret
 * verifies them while the merchant changes over.
 * @throws UsageError when nobody has the appid, or the merchant has as many live secrets as it may.
 */
export function addWebhookSecret(
  pool: Pool,
  masterKey: Buffer,
  appid: string,
  options: { actor?: string | undefined } = {},
): Promise<AddedSecret> {
  const webhookSecret = newWebhookSecret()
  return changeMerchant(pool, { appid, actor: options.actor }, async (tx, merchantId, record) => {
    const live = (await listWebhookSecrets(tx, merchantId)).filter(one => one.live)
    if (live.length >= liveMax) throw new UsageError(`${live.length} secrets are live: retire one first`)
    const row = { table: 'webhook_secret', merchantId, purpose: 'standard-webhooks' } as const
    const id = await insertWebhookSecret(tx, {
      merchantId,
      sealed: sealSecret(masterKey, row, webhookSecret),
    })
    await record('merchant.secret_added', { secretId: `${id}` })
    return { id, webhookSecret }
  })
}

/**
 * Ends a webhook secret, now or at a time to come. Ended already, it stays as it was.
 * @param evenIfLast ends the last one that is to go on: callbacks then go out without `webhook-signature`.
 * @returns when it ends, or ended.
 * @throws UsageError when the merchant has no such secret, or no other that is to go on.
 */
export function retireWebhookSecret(
  pool: Pool,
  appid: string,
  secretId: bigint,
  options: { at?: Date | undefined; evenIfLast?: boolean | undefined; actor?: string | undefined } = {},
): Promise<Date> {
  const { at, evenIfLast, actor } = options
  return changeMerchant(pool, { appid, actor }, async (tx, merchantId, record) => {
    const secrets = await listWebhookSecrets(tx, merchantId)
    const secret = secrets.find(one => one.id === secretId)
    if (!secret) throw new UsageError(`this merchant has no webhook secret ${secretId}`)
    if (secret.retiredAt && !secret.live) return secret.retiredAt
    const last = !secrets.some(one => one.id !== secretId && one.retiredAt === null)
    if (last && !evenIfLast)
      throw new UsageError(
        `webhook secret ${secretId} is the last one: add another first, or say --even-if-last: callbacks then go without webhook-signature`,
      )
    const endsAt = await setWebhookSecretRetired(tx, secretId, at ?? null)
    await record('merchant.secret_retired', { secretId: `${secretId}`, last, at: endsAt.toISOString() })
    return endsAt
  })
}
