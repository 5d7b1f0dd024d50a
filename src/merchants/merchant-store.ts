import type { Queryable, Tx } from '../db/pool.ts'
import type { MerchantId } from './merchant.ts'
import type { SignatureScheme } from './signature.ts'

/** A merchant's row as the directory needs it. */
export interface MerchantRow {
  id: MerchantId
  appid: string
  name: string
  addressCounterId: bigint
  callbackUrl: string | null
  callbackFormat: 'form' | 'json'
  callbackFields: 'six' | 'full'
  acknowledgement: string | null
  always200: boolean
  requireNonce: boolean
  disabledAt: Date | null
}

/** A live key or secret, still sealed. */
export interface SealedRow {
  id: bigint
  merchantId: MerchantId
  sealed: Buffer
  /** Of keys only. */
  scheme: SignatureScheme
  promoted: boolean
}

/** Everything the directory holds, read in one snapshot. */
export interface MerchantRows {
  version: bigint
  merchants: MerchantRow[]
  keys: SealedRow[]
  secrets: SealedRow[]
  /** When the next key or secret ends that is set to end later. */
  nextEndAt: Date | null
}

/** The number that changes with every merchant, key and secret, and the database's time. */
export async function readVersion(db: Queryable): Promise<{ version: bigint; at: Date }> {
  const { rows } = await db.query({
    name: 'merchant-version',
    text: `select version, now() as at from merchant_version`,
  })
  return rows[0]
}

/** Reads every merchant with what is live of its keys and secrets. @param tx repeatable read, or the parts may not fit. */
export async function readMerchants(tx: Tx): Promise<MerchantRows> {
  const { version } = await readVersion(tx)
  const merchants = await tx.query(
    `select id, appid, name, address_counter_id as "addressCounterId", callback_url as "callbackUrl",
            callback_format as "callbackFormat", callback_fields as "callbackFields", acknowledgement,
            always_200 as "always200", require_nonce as "requireNonce", disabled_at as "disabledAt"
       from merchant`,
  )
  const keys = await tx.query(
    `select id, merchant_id as "merchantId", scheme, sealed, promoted
       from merchant_key
      where retired_at is null or retired_at > now()
      order by id`,
  )
  const secrets = await tx.query(
    `select id, merchant_id as "merchantId", sealed
       from webhook_secret
      where retired_at is null or retired_at > now()
      order by id`,
  )
  const ends = await tx.query(
    `select min(retired_at) as "nextEndAt"
       from (select retired_at from merchant_key union all select retired_at from webhook_secret) as ends
      where retired_at > now()`,
  )
  return {
    version,
    merchants: merchants.rows,
    keys: keys.rows,
    secrets: secrets.rows,
    nextEndAt: ends.rows[0].nextEndAt,
  }
}

export async function insertMerchant(
  tx: Tx,
  merchant: {
    appid: string
    name: string
    addressCounterId: bigint
    callbackUrl: string | null
    always200: boolean
  },
): Promise<MerchantId> {
  const { rows } = await tx.query(
    `insert into merchant (appid, name, address_counter_id, callback_url, always_200)
     values ($1, $2, $3, $4, $5)
     returning id`,
    [merchant.appid, merchant.name, merchant.addressCounterId, merchant.callbackUrl, merchant.always200],
  )
  return rows[0].id
}

/** Writes a merchant's key as the promoted one. */
export async function insertPromotedKey(
  tx: Tx,
  key: { merchantId: MerchantId; scheme: SignatureScheme; sealed: Buffer },
): Promise<void> {
  await tx.query(
    `insert into merchant_key (merchant_id, scheme, sealed, promoted)
     values ($1, $2, $3, true)`,
    [key.merchantId, key.scheme, key.sealed],
  )
}

export async function insertWebhookSecret(
  tx: Tx,
  secret: { merchantId: MerchantId; sealed: Buffer },
): Promise<void> {
  await tx.query(
    `insert into webhook_secret (merchant_id, sealed)
     values ($1, $2)`,
    [secret.merchantId, secret.sealed],
  )
}

/** Finds a merchant and locks it until the transaction ends. @returns null when there is none of this appid. */
export async function lockMerchant(
  tx: Tx,
  appid: string,
): Promise<{ id: MerchantId; addressCounterId: bigint; disabledAt: Date | null } | null> {
  const { rows } = await tx.query(
    `select id, address_counter_id as "addressCounterId", disabled_at as "disabledAt"
       from merchant
      where appid = $1
        for no key update`,
    [appid],
  )
  return rows[0] ?? null
}

/** What an operator may change of a merchant. */
export interface MerchantSettings {
  callbackUrl: string | null
  callbackFormat: 'form' | 'json'
  callbackFields: 'six' | 'full'
  acknowledgement: string | null
  always200: boolean
  requireNonce: boolean
}

const settingColumns: Record<keyof MerchantSettings, string> = {
  callbackUrl: 'callback_url',
  callbackFormat: 'callback_format',
  callbackFields: 'callback_fields',
  acknowledgement: 'acknowledgement',
  always200: 'always_200',
  requireNonce: 'require_nonce',
}

/** Sets what is named, at least one thing; the rest stays. */
export async function updateSettings(
  tx: Tx,
  id: MerchantId,
  settings: Partial<MerchantSettings>,
): Promise<void> {
  const named = (Object.keys(settingColumns) as (keyof MerchantSettings)[]).filter(
    name => settings[name] !== undefined,
  )
  const assignments = named.map((name, i) => `${settingColumns[name]} = $${i + 2}`)
  await tx.query(`update merchant set ${assignments.join(', ')} where id = $1`, [
    id,
    ...named.map(name => settings[name]),
  ])
}

/** Disables or enables a merchant that is locked. */
export async function setDisabled(tx: Tx, id: MerchantId, disabled: boolean): Promise<void> {
  await tx.query(
    `update merchant
        set disabled_at = case when $2 then now() end
      where id = $1`,
    [id, disabled],
  )
}
