import { UsageError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import type { Pool, Tx } from '../db/pool.ts'
import { type ChangedBy, changeMerchant, liveMax } from './change-merchant.ts'
import { keyNotice, keyRetiredNotice } from './change-notices.ts'
import { insertKey, type ListedKey, listKeys, setKeyRetired, setPromoted } from './key-store.ts'
import { newKey } from './new-secret.ts'
import type { SignatureScheme } from './signature.ts'

// A key is replaced with an overlap: add one, let the merchant's code sign requests and verify callbacks with it, promote
// it, and retire the old one when no request uses it any more.

/** A new key. It cannot be shown again. */
export interface AddedKey {
  id: bigint
  scheme: SignatureScheme
  key: string
}

/**
 * Adds a key to a merchant. It verifies requests at once, and signs callbacks once it is promoted.
 * @param options.check looks at the keys that there are, with the merchant locked; throws to add none.
 * @throws UsageError when no merchant has the appid, or the merchant has the maximum of live keys.
 */
export function addKey(
  pool: Pool,
  masterKey: Buffer,
  appid: string,
  options: ChangedBy & { scheme: SignatureScheme; check?: (keys: readonly ListedKey[]) => void },
): Promise<AddedKey> {
  const { scheme, check } = options
  const key = newKey()
  return changeMerchant(pool, { ...options, appid }, async (tx, { id: merchantId }, record) => {
    const keys = await listKeys(tx, merchantId)
    check?.(keys)
    const live = keys.filter(one => one.live)
    if (live.length >= liveMax) throw new UsageError(`${live.length} keys are live: retire one first`)
    const id = await insertKey(tx, masterKey, { merchantId, scheme, key, promoted: false })
    await record('merchant.key_added', { keyId: `${id}`, scheme }, keyNotice('key_created', { id, scheme }))
    return { id, scheme, key }
  })
}

/**
 * Promotes a key: it signs the merchant's callbacks from now on. The one before still verifies requests.
 * @returns false when it was promoted already.
 * @throws UsageError when the merchant has no such key, or it is retired or will be.
 */
export function promoteKey(
  pool: Pool,
  appid: string,
  keyId: bigint,
  options: ChangedBy = {},
): Promise<boolean> {
  return changeMerchant(pool, { ...options, appid }, async (tx, { id: merchantId }, record) => {
    const { key, keys } = await findKey(tx, merchantId, keyId)
    if (key.promoted) return false
    if (key.retiredAt)
      throw new UsageError(
        `key ${keyId} ${key.live ? 'ends' : 'ended'} at ${key.retiredAt.toISOString()}: only a key without an end can sign callbacks`,
      )
    await setPromoted(tx, merchantId, keyId)
    const before = keys.find(one => one.promoted)
    await record(
      'merchant.key_promoted',
      { keyId: `${keyId}`, scheme: key.scheme, instead: before ? `${before.id}` : null },
      keyNotice('key_promoted', key),
    )
    return true
  })
}

/**
 * Retires a key, now or later; until then it verifies requests. A key that is retired already does not change.
 * @param evenIfPromoted retires the promoted key: no callback can be sent until another one is promoted.
 * @returns when it was or will be retired.
 * @throws UsageError when the merchant has no such key, or it is promoted.
 */
export function retireKey(
  pool: Pool,
  appid: string,
  keyId: bigint,
  options: ChangedBy & { at?: Date | undefined; evenIfPromoted?: boolean | undefined } = {},
): Promise<Date> {
  const { at, evenIfPromoted } = options
  return changeMerchant(pool, { ...options, appid }, async (tx, { id: merchantId }, record) => {
    const { key } = await findKey(tx, merchantId, keyId)
    if (key.retiredAt && !key.live) return key.retiredAt
    if (key.promoted && (!evenIfPromoted || at))
      throw new UsageError(
        `key ${keyId} signs callbacks: promote another one first${at ? '' : ', or use --even-if-promoted: no callback is sent until another one is promoted'}`,
      )
    const endsAt = await setKeyRetired(tx, keyId, at ?? null)
    await record(
      'merchant.key_retired',
      { keyId: `${keyId}`, scheme: key.scheme, promoted: key.promoted, at: endsAt.toISOString() },
      keyRetiredNotice(keyId, endsAt),
    )
    return endsAt
  })
}

async function findKey(
  tx: Tx,
  merchantId: MerchantId,
  keyId: bigint,
): Promise<{ key: ListedKey; keys: ListedKey[] }> {
  const keys = await listKeys(tx, merchantId)
  const key = keys.find(one => one.id === keyId)
  if (!key) throw new UsageError(`this merchant has no key ${keyId}`)
  return { key, keys }
}
