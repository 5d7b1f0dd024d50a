import type { AddressCounterId, MerchantId } from '../base/ids.ts'
import { promptly, type Queryable, rows, type Tx } from '../db/pool.ts'
import type { MerchantSettings } from './merchant.ts'
import type { SignatureScheme } from './signature.ts'

/** A merchant's row as the directory needs it. */
export interface MerchantRow extends MerchantSettings {
  id: MerchantId
  appid: string
  name: string
  addressCounterId: AddressCounterId
  acknowledgementAnywhere: boolean
  disabledAt: Date | null
}

/** A live secret, still sealed. */
export interface SealedRow {
  id: bigint
  merchantId: MerchantId
  sealed: Buffer
}

/** A live key, still sealed. */
export interface SealedKeyRow extends SealedRow {
  scheme: SignatureScheme
  promoted: boolean
}

/** All that the directory needs, read in one snapshot. */
export interface MerchantRows {
  version: bigint
  merchants: MerchantRow[]
  keys: SealedKeyRow[]
  secrets: SealedRow[]
  /** When the next one of the live keys and secrets is retired; null: none is to be. */
  nextRetirementAt: Date | null
}

/**
 * Reads the version, which changes with every merchant, key and secret, and the database's time.
 * @returns `urlsDue`: a default URL has taken effect that is not in `merchant` yet.
 */
export async function readVersion(db: Queryable): Promise<{ version: bigint; at: Date; urlsDue: boolean }> {
  const query = {
    name: 'merchant-version',
    // A silent connection must not stop the polling.
    ...promptly,
    text: `select version, now() as at, exists (select from due_callback_url) as "urlsDue" from merchant_version`,
    values: [],
  }
  const [read] = await rows<{ version: bigint; at: Date; urlsDue: boolean }>(db, query)
  return read!
}

/** Reads every merchant with its live keys and secrets. @param tx repeatable read, or the parts may not match. */
export async function readMerchants(tx: Tx): Promise<MerchantRows> {
  const { version } = await readVersion(tx)
  const merchants = await rows<MerchantRow>(
    tx,
    `select m.id, appid, name, address_counter_id as "addressCounterId",
            case when d.id is null then m.callback_url else d.url end as "callbackUrl",
            callback_format as "callbackFormat", callback_fields as "callbackFields", acknowledgement,
            acknowledgement_anywhere as "acknowledgementAnywhere",
            always_200 as "always200", return_url as "returnUrl", events, deposits, require_nonce as "requireNonce",
            allowed_clients as "allowedClients",
            disabled_at as "disabledAt"
       from merchant m
       left join due_callback_url d on d.merchant_id = m.id`,
  )
  const keys = await rows<SealedKeyRow>(
    tx,
    `select id, merchant_id as "merchantId", scheme, sealed, promoted
       from merchant_key
      where retired_at is null or retired_at > now()
      order by id`,
  )
  const secrets = await rows<SealedRow>(
    tx,
    `select id, merchant_id as "merchantId", sealed
       from webhook_secret
      where retired_at is null or retired_at > now()
      order by id`,
  )
  const [ends] = await rows<Pick<MerchantRows, 'nextRetirementAt'>>(
    tx,
    `select min(retired_at) as "nextRetirementAt"
       from (select retired_at from merchant_key union all select retired_at from webhook_secret) as ends
      where retired_at > now()`,
  )
  return { version, merchants, keys, secrets, nextRetirementAt: ends!.nextRetirementAt }
}
