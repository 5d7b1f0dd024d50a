import { randomInt } from 'node:crypto'
import { UsageError } from '../base/errors.ts'
import { type Author, authorOf, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { deriveAddress, parseAccountKey } from '../tron/account-key.ts'
import type { TronAddress } from '../tron/address.ts'
import { firstIndexDefault, openCounter } from './address-counter-store.ts'
import { callbackUrlProblems, depositsNeedUrl, type UrlCheck } from './callback-url.ts'
import { insertKey } from './key-store.ts'
import { nameProblems, refuseNamesake } from './merchant-name.ts'
import { insertMerchant, updateSettings } from './merchant-store.ts'
import { newKey, newWebhookSecret } from './new-secret.ts'
import type { SignatureScheme } from './signature.ts'
import { insertWebhookSecret } from './webhook-secret-store.ts'

export interface NewMerchant extends Partial<Author> {
  name: string
  /** Whether a name that another merchant has is accepted; default: true. */
  again?: boolean
  /** Account-level extended public key; merchants may share one. */
  xpub: string
  /** Where a new account's addresses begin; default: at 1. One that is in use already stays where it is. */
  firstIndex?: number | undefined
  callbackUrl?: string
  /** Whether transfers without an order become deposits; default: not. Then it needs a callback URL. */
  deposits?: boolean
  scheme: SignatureScheme
  /** Checks the callback URL: `checkCallbackUrl` under CALLBACK_ALLOWED_NETWORKS. */
  checkUrl: UrlCheck
  /** Default: random ones. The demo makes its own from a seed. */
  credentials?: Pick<AddedMerchant, 'appid' | 'key' | 'webhookSecret'>
}

/** What the operator gives to the merchant. The key and the secret cannot be shown again. */
export interface AddedMerchant {
  appid: string
  key: string
  /** Standard Webhooks: whsec_ and 32 bytes in base64. */
  webhookSecret: string
  /** The address at 0/0 of the account, to compare with the wallet. No user gets it, unless `nextIndex` is 0. */
  firstAddress: TronAddress
  /** The index of the account's next address. */
  nextIndex: number
  /** Whether no merchant had the account before. */
  newAccount: boolean
}

/**
 * Adds a merchant with a key and a webhook secret, sealed under the master key.
 * The sha1 scheme is for integrations that exist already; these often ignore the body of an error status, so the merchant
 * gets `always_200`.
 * @throws UsageError naming every problem at once; for a first index of an account key that is in use; for a name that another
 * merchant has, unless `again`.
 */
export async function addMerchant(
  pool: Pool,
  masterKey: Buffer,
  merchant: NewMerchant,
): Promise<AddedMerchant> {
  const account = readMerchant(merchant)
  const made = {
    ...(merchant.credentials ?? {
      appid: randomText(16),
      key: newKey(),
      webhookSecret: newWebhookSecret(),
    }),
    firstAddress: deriveAddress(account, 0),
  }
  return inTransaction(pool, async tx => {
    const { firstIndex } = merchant
    const counter = await openCounter(tx, account, firstIndex ?? firstIndexDefault)
    if (firstIndex !== undefined && !counter.created) {
      throw new UsageError(
        `the account key is in use already, and its next address has index ${counter.nextIndex}: ` +
          'a first index is only for a new account key',
      )
    }
    if (merchant.again === false) await refuseNamesake(tx, merchant.name)
    const merchantId = await insertMerchant(tx, {
      appid: made.appid,
      name: merchant.name,
      addressCounterId: counter.id,
      callbackUrl: merchant.callbackUrl ?? null,
      always200: merchant.scheme === 'sha1',
    })
    if (merchant.deposits) await updateSettings(tx, merchantId, { deposits: true })
    const { scheme } = merchant
    await insertKey(tx, masterKey, { merchantId, scheme, key: made.key, promoted: true })
    await insertWebhookSecret(tx, masterKey, { merchantId, secret: made.webhookSecret })
    await recordAudit(tx, {
      ...authorOf(merchant),
      action: 'merchant.added',
      subject: `merchant ${made.appid}`,
      merchantId,
      detail: {
        ...{ name: merchant.name, scheme, xpub: account.xpub, callbackUrl: merchant.callbackUrl ?? null },
        ...(merchant.deposits && { deposits: true }),
      },
    })
    return { ...made, nextIndex: counter.nextIndex, newAccount: counter.created }
  })
}

function readMerchant(merchant: NewMerchant) {
  const problems = nameProblems(merchant.name)
  const { firstIndex = firstIndexDefault } = merchant
  if (!Number.isInteger(firstIndex) || firstIndex < 1 || firstIndex > indexMax) {
    problems.push(`first index: a whole number from 1 to ${indexMax}; index 0 stays yours`)
  }
  if (merchant.callbackUrl !== undefined) {
    problems.push(...callbackUrlProblems(merchant.callbackUrl, merchant.checkUrl))
  }
  if (merchant.deposits && merchant.callbackUrl === undefined) problems.push(depositsNeedUrl)
  try {
    const account = parseAccountKey(merchant.xpub)
    if (problems.length === 0) return account
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    problems.push(...error.problems)
  }
  throw new UsageError(problems)
}

/** The last index an address can be derived at. */
const indexMax = 0x7fffffff

const alphanumerics = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function randomText(length: number): string {
  return Array.from({ length }, () => alphanumerics[randomInt(alphanumerics.length)]).join('')
}
