import { randomInt } from 'node:crypto'
import { UsageError } from '../base/errors.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { deriveAddress, parseAccountKey } from '../tron/account-key.ts'
import type { TronAddress } from '../tron/address.ts'
import { openCounter } from './address-counter-store.ts'
import { callbackUrlProblems, type UrlCheck } from './callback-url.ts'
import { insertKey } from './key-store.ts'
import { insertMerchant } from './merchant-store.ts'
import { newKey, newWebhookSecret } from './new-secret.ts'
import { sealSecret } from './sealed-secret.ts'
import type { SignatureScheme } from './signature.ts'
import { insertWebhookSecret } from './webhook-secret-store.ts'

export interface NewMerchant {
  name: string
  /** Account-level extended public key; merchants may share one. */
  xpub: string
  callbackUrl?: string
  scheme: SignatureScheme
  /** Checks the callback URL: `checkCallbackUrl` under CALLBACK_ALLOWED_NETWORKS. */
  checkUrl: UrlCheck
  actor?: string
}

/** What the operator gives to the merchant. The key and the secret cannot be shown again. */
export interface AddedMerchant {
  appid: string
  key: string
  /** Standard Webhooks: whsec_ and 32 bytes in base64. */
  webhookSecret: string
  /** The address at 0/0 of the account, to compare with the operator's wallet. */
  firstAddress: TronAddress
}

/**
 * Adds a merchant with a key and a webhook secret, sealed under the master key.
 * The sha1 scheme is for integrations that exist already; these often ignore the body of an error status, so the merchant
 * gets `always_200`.
 * @throws UsageError naming every problem at once.
 */
export async function addMerchant(
  pool: Pool,
  masterKey: Buffer,
  merchant: NewMerchant,
): Promise<AddedMerchant> {
  const account = readMerchant(merchant)
  const added: AddedMerchant = {
    appid: randomText(16),
    key: newKey(),
    webhookSecret: newWebhookSecret(),
    firstAddress: deriveAddress(account, 0),
  }
  await inTransaction(pool, async tx => {
    const merchantId = await insertMerchant(tx, {
      appid: added.appid,
      name: merchant.name,
      addressCounterId: await openCounter(tx, account),
      callbackUrl: merchant.callbackUrl ?? null,
      always200: merchant.scheme === 'sha1',
    })
    const { scheme } = merchant
    const key = sealSecret(masterKey, { table: 'merchant_key', merchantId, purpose: scheme }, added.key)
    await insertKey(tx, { merchantId, scheme, sealed: key, promoted: true })
    const row = { table: 'webhook_secret', merchantId, purpose: 'standard-webhooks' } as const
    await insertWebhookSecret(tx, { merchantId, sealed: sealSecret(masterKey, row, added.webhookSecret) })
    await recordAudit(tx, {
      actor: merchant.actor ?? 'command line',
      action: 'merchant.added',
      subject: `merchant ${added.appid}`,
      detail: { name: merchant.name, scheme, xpub: account.xpub, callbackUrl: merchant.callbackUrl ?? null },
    })
  })
  return added
}

function readMerchant(merchant: NewMerchant) {
  const problems: string[] = []
  const nameLength = [...merchant.name].length
  if (nameLength < 1 || nameLength > 100 || /\p{Cc}/u.test(merchant.name)) {
    problems.push('name: 1 to 100 characters, no control characters')
  }
  if (merchant.callbackUrl !== undefined) {
    problems.push(...callbackUrlProblems(merchant.callbackUrl, merchant.checkUrl))
  }
  try {
    const account = parseAccountKey(merchant.xpub)
    if (problems.length === 0) return account
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    problems.push(...error.problems)
  }
  throw new UsageError(problems)
}

const alphanumerics = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function randomText(length: number): string {
  return Array.from({ length }, () => alphanumerics[randomInt(alphanumerics.length)]).join('')
}
