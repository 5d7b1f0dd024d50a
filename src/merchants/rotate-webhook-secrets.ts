import { UsageError } from '../base/errors.ts'
import type { Pool } from '../db/pool.ts'
import { type ChangedBy, changeMerchant, liveMax } from './change-merchant.ts'
import { secretCreatedNotice, secretRetiredNotice } from './change-notices.ts'
import { newWebhookSecret } from './new-secret.ts'
import {
  insertWebhookSecret,
  type ListedSecret,
  listWebhookSecrets,
  setWebhookSecretRetired,
} from './webhook-secret-store.ts'

/** A new secret. It cannot be shown again. */
export interface AddedSecret {
  id: bigint
  webhookSecret: string
}

/**
 * Adds a webhook secret to a merchant. From now on its callbacks carry one more signature, so that either secret verifies
 * them while the merchant switches.
 * @param options.check as of `addKey`.
 * @throws UsageError when no merchant has the appid, or the merchant has the maximum of live secrets.
 */
export function addWebhookSecret(
  pool: Pool,
  masterKey: Buffer,
  appid: string,
  options: ChangedBy & { check?: (secrets: readonly ListedSecret[]) => void } = {},
): Promise<AddedSecret> {
  const webhookSecret = newWebhookSecret()
  return changeMerchant(pool, { ...options, appid }, async (tx, { id: merchantId }, record) => {
    const secrets = await listWebhookSecrets(tx, merchantId)
    options.check?.(secrets)
    const live = secrets.filter(one => one.live)
    if (live.length >= liveMax) throw new UsageError(`${live.length} secrets are live: retire one first`)
    const id = await insertWebhookSecret(tx, masterKey, { merchantId, secret: webhookSecret })
    await record('merchant.secret_added', { secretId: `${id}` }, secretCreatedNotice(id))
    return { id, webhookSecret }
  })
}

/**
 * Retires a webhook secret, now or later. A secret that is retired already does not change.
 * @param evenIfLast retires the last one without an end: callbacks are then sent without `webhook-signature`.
 * @returns when it was or will be retired.
 * @throws UsageError when the merchant has no such secret, or no other one without an end.
 */
export function retireWebhookSecret(
  pool: Pool,
  appid: string,
  secretId: bigint,
  options: ChangedBy & { at?: Date | undefined; evenIfLast?: boolean | undefined } = {},
): Promise<Date> {
  const { at, evenIfLast } = options
  return changeMerchant(pool, { ...options, appid }, async (tx, { id: merchantId }, record) => {
    const secrets = await listWebhookSecrets(tx, merchantId)
    const secret = secrets.find(one => one.id === secretId)
    if (!secret) throw new UsageError(`this merchant has no webhook secret ${secretId}`)
    if (secret.retiredAt && !secret.live) return secret.retiredAt
    const last = !secrets.some(one => one.id !== secretId && one.retiredAt === null)
    if (last && !evenIfLast)
      throw new UsageError(
        `webhook secret ${secretId} is the last one: add another first, or use --even-if-last: callbacks are then sent without webhook-signature`,
      )
    const endsAt = await setWebhookSecretRetired(tx, secretId, at ?? null)
    await record(
      'merchant.secret_retired',
      { secretId: `${secretId}`, last, at: endsAt.toISOString() },
      secretRetiredNotice(secretId, endsAt),
    )
    return endsAt
  })
}
