import { randomBytes } from 'node:crypto'
import type { AddressCounterId, MerchantId } from '../../src/base/ids.ts'
import { type Queryable, rows, run } from '../../src/db/pool.ts'
import type { Merchant } from '../../src/merchants/merchant.ts'
import type { MerchantDirectory } from '../../src/merchants/merchant-directory.ts'

/** The merchant of tests that need one and do not care which. */
export const anyShop = { appid: 'VunTq7Zk2Lm9h1l8', name: 'shop', callbackUrl: 'https://shop.example/cb' }

/** A merchant as the directory holds it, with a key and a webhook secret of its own. It is in no database. */
export function merchantWith(settings: Partial<Merchant> = {}): Merchant {
  const appid = settings.appid ?? randomBytes(8).toString('hex')
  return {
    id: 1n as MerchantId,
    appid,
    name: `merchant ${appid}`,
    addressCounterId: 1n as AddressCounterId,
    keys: [{ id: 1n, scheme: 'hmac-sha256', key: randomBytes(16).toString('hex'), promoted: true }],
    webhookSecrets: [`whsec_${randomBytes(32).toString('base64')}`],
    callbackUrl: null,
    callbackFormat: 'form',
    callbackFields: 'six',
    acknowledgement: null,
    acknowledgementAnywhere: false,
    always200: false,
    returnUrl: false,
    requireNonce: false,
    events: [],
    deposits: false,
    allowedClients: null,
    disabledAt: null,
    ...settings,
  }
}

/**
 * Adds a merchant, with an address counter of its own unless `addressCounterId` names one.
 * @returns it as the directory would hold it. Its keys and secrets are in no table: `addMerchant` of src seals some.
 */
export async function seedMerchant(db: Queryable, settings: Partial<Merchant> = {}): Promise<Merchant> {
  const [merchant] = await seedMerchants(db, [settings])
  return merchant!
}

/** Adds any number of them, in two statements. */
export async function seedMerchants(
  db: Queryable,
  settings: readonly Partial<Merchant>[],
): Promise<Merchant[]> {
  const ownCounters = await seedCounters(
    db,
    settings.filter(one => one.addressCounterId === undefined).length,
  )
  const merchants = settings.map(one =>
    merchantWith({ ...one, addressCounterId: one.addressCounterId ?? ownCounters.pop()! }),
  )
  const added = await rows<{ id: MerchantId }>(
    db,
    `insert into merchant
       (appid, name, address_counter_id, callback_url, callback_format, callback_fields, acknowledgement, always_200,
        require_nonce, disabled_at)
     select *
       from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[],
                   $9::boolean[], $10::timestamptz[])
     returning id`,
    [
      merchants.map(merchant => merchant.appid),
      merchants.map(merchant => merchant.name),
      merchants.map(merchant => merchant.addressCounterId),
      merchants.map(merchant => merchant.callbackUrl),
      merchants.map(merchant => merchant.callbackFormat),
      merchants.map(merchant => merchant.callbackFields),
      merchants.map(merchant => merchant.acknowledgement),
      merchants.map(merchant => merchant.always200),
      merchants.map(merchant => merchant.requireNonce),
      merchants.map(merchant => merchant.disabledAt),
    ],
  )
  // By itself: databases of before have merchants, too.
  for (const [i, { id }] of added.entries()) {
    const { events, deposits } = merchants[i]!
    if (events.length > 0) await run(db, `update merchant set events = $2 where id = $1`, [id, events])
    if (deposits) await run(db, `update merchant set deposits = true where id = $1`, [id])
  }
  return merchants.map((merchant, i) => ({ ...merchant, id: added[i]!.id }))
}

/** A directory of these merchants and no others. */
export function directoryOf(...merchants: Merchant[]): MerchantDirectory {
  return {
    byAppid: appid => merchants.find(merchant => merchant.appid === appid),
    byId: id => merchants.find(merchant => merchant.id === id),
    all: () => merchants,
    refresh: async () => undefined,
    lookForChanges: async () => undefined,
    close: async () => undefined,
  }
}

/** Counters of account keys that nobody has: no address can be derived from them. */
async function seedCounters(db: Queryable, count: number): Promise<AddressCounterId[]> {
  const keys = Array.from({ length: count }, () => [randomBytes(33), randomBytes(32)])
  const added = await rows<{ id: AddressCounterId }>(
    db,
    `insert into address_counter (public_key, chain_code, xpub)
     select public_key, chain_code, 'xpub' from unnest($1::bytea[], $2::bytea[]) as k (public_key, chain_code)
     returning id`,
    [keys.map(([publicKey]) => publicKey), keys.map(([, chainCode]) => chainCode)],
  )
  return added.map(({ id }) => id)
}
