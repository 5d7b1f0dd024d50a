import type { AddressCounterId, MerchantId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { Merchant, MerchantSettings } from './merchant.ts'

/** Writes a merchant. @returns its id. */
export async function insertMerchant(
  tx: Tx,
  merchant: {
    appid: string
    name: string
    addressCounterId: AddressCounterId
    callbackUrl: string | null
    always200: boolean
  },
): Promise<MerchantId> {
  const [inserted] = await rows<{ id: MerchantId }>(
    tx,
    `insert into merchant (appid, name, address_counter_id, callback_url, always_200)
     values ($1, $2, $3, $4, $5)
     returning id`,
    [merchant.appid, merchant.name, merchant.addressCounterId, merchant.callbackUrl, merchant.always200],
  )
  return inserted!.id
}

/** Finds a merchant's id. @returns null when no merchant has this appid. */
export async function findMerchantId(db: Queryable, appid: string): Promise<MerchantId | null> {
  const [found] = await rows<{ id: MerchantId }>(db, `select id from merchant where appid = $1`, [appid])
  return found?.id ?? null
}

/**
 * Finds the oldest merchant that has a name. Takes the lock that every change of merchants takes, so that of two operators who
 * give the same name at once, the second finds the first one's merchant.
 * @returns its appid, or null.
 */
export async function findNamesake(tx: Tx, name: string): Promise<string | null> {
  // A statement of its own: one that waited for the lock would not see what was committed meanwhile.
  await run(tx, `select version from merchant_version for no key update`)
  const [found] = await rows<{ appid: string }>(
    tx,
    `select appid
       from merchant
      where name = $1
      order by id
      limit 1`,
    [name],
  )
  return found?.appid ?? null
}

export type LockedMerchant = Pick<
  Merchant,
  'id' | 'name' | 'addressCounterId' | 'disabledAt' | 'callbackUrl' | 'deposits'
>

/** Finds a merchant and locks it until the transaction ends. @returns null when none has this appid. */
export async function lockMerchant(tx: Tx, appid: string): Promise<LockedMerchant | null> {
  const [locked] = await rows<LockedMerchant>(
    tx,
    `select id, name, address_counter_id as "addressCounterId", disabled_at as "disabledAt",
            callback_url as "callbackUrl", deposits
       from merchant
      where appid = $1
        for no key update`,
    [appid],
  )
  return locked ?? null
}

const settingColumns: Record<keyof MerchantSettings, string> = {
  callbackUrl: 'callback_url',
  callbackFormat: 'callback_format',
  callbackFields: 'callback_fields',
  acknowledgement: 'acknowledgement',
  always200: 'always_200',
  returnUrl: 'return_url',
  requireNonce: 'require_nonce',
  events: 'events',
  deposits: 'deposits',
  allowedClients: 'allowed_clients',
}

/** Writes the settings that are given, at least one; the others stay. */
export async function updateSettings(
  tx: Tx,
  id: MerchantId,
  settings: Partial<MerchantSettings>,
): Promise<void> {
  const named = (Object.keys(settingColumns) as (keyof MerchantSettings)[]).filter(
    name => settings[name] !== undefined,
  )
  const assignments = named.map((name, i) => `${settingColumns[name]} = $${i + 2}`)
  if (settings.acknowledgement !== undefined) assignments.push('acknowledgement_anywhere = false')
  await run(tx, `update merchant set ${assignments.join(', ')} where id = $1`, [
    id,
    ...named.map(name => settings[name]),
  ])
}

/** Disables or enables a locked merchant. */
export async function setDisabled(tx: Tx, id: MerchantId, disabled: boolean): Promise<void> {
  await run(
    tx,
    `update merchant
        set disabled_at = case when $2 then now() end
      where id = $1`,
    [id, disabled],
  )
}

/** Renames a locked merchant. */
export async function updateName(tx: Tx, id: MerchantId, name: string): Promise<void> {
  await run(tx, `update merchant set name = $2 where id = $1`, [id, name])
}
