import { UsageError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import type { Pool, Tx } from '../db/pool.ts'
import { changeMerchant, liveMax } from './change-merchant.ts'
import { insertKey, type ListedKey, listKeys, setKeyRetired, setPromoted } from './key-store.ts'
import { newKey } from './new-secret.ts'
import { sealSecret } from './sealed-secret.ts'
import type { SignatureScheme } from './signature.ts'

// A key is changed with an overlap: add one, let the merchant's code sign with it and know it for callbacks, promote it, and
// retire the old one when nothing comes in under it any more.

/** A key that was just made: shown here and never again. */
export interface AddedKey {
  id: bigint
  scheme: SignatureScheme
  key: string
}

/**
 * Gives a merchant another key. It verifies requests at once, and signs callbacks once it is promoted.
 * @throws UsageError when nobody has the appid, or the merchant has as many live keys as it may.
 */
export function addKey(
  pool: Pool,
  masterKey: Buffer,
  appid: string,
  options: { scheme: SignatureScheme; actor?: string | undefined },
): Promise<AddedKey> {
  const { scheme } = options
  const key = newKey()
  return changeMerchant(pool, { appid, actor: options.actor }, async (tx, merchantId, record) => {
    const live = (await listKeys(tx, merchantId)).filter(one => one.live)
    if (live.length >= liveMax) throw new UsageError(`${live.length} keys are live: retire one first`)
    const sealed = sealSecret(masterKey, { table: 'merchant_key', merchantId, purpose: scheme }, key)
    const id = await insertKey(tx, { merchantId, scheme, sealed, promoted: false })
    await record('merchant.key_added', { keyId: `${id}`, scheme })
    return { id, scheme, key }
  })
}

/**
 * Has a key sign the merchant's callbacks from now on; the one before goes on verifying requests.
 * @returns false when it signed them already.
 * @throws UsageError when the merchant has no such key, or it has ended or is set to.
 */
export function promoteKey(
  pool: Pool,
  appid: string,
  keyId: bigint,
  options: { actor?: string | undefined } = {},
): Promise<boolean> {
  return changeMerchant(pool, { appid, actor: options.actor }, async (tx, merchantId, record) => {
    const { key, keys } = await findKey(tx, merchantId, keyId)
    if (key.promoted) return false
    if (key.retiredAt)
      throw new UsageError(
        `key ${keyId} ${key.live ? 'ends' : 'ended'} at ${key.retiredAt.toISOString()}: one that signs callbacks has to go on`,
      )
    await setPromoted(tx, merchantId, keyId)
    const before = keys.find(one => one.promoted)
    await record('merchant.key_promoted', {
      keyId: `${keyId}`,
      scheme: key.scheme,
      instead: before ? `${before.id}` : null,
    })
    return true
  })
}

/**
 * Ends a key, now or at a time to come: until then it verifies requests. Ended already, it stays as it was.
 * @param evenIfPromoted ends the key that signs callbacks, which then cannot be sent until another one is promoted.
 * @returns when it ends, or ended.
 * @throws UsageError when the merchant has no such key, or it signs callbacks.
 */
export function retireKey(
  pool: Pool,
  appid: string,
  keyId: bigint,
  options: { at?: Date | undefined; evenIfPromoted?: boolean | undefined; actor?: string | undefined } = {},
): Promise<Date> {
  const { at, evenIfPromoted, actor } = options
  return changeMerchant(pool, { appid, actor }, async (tx, merchantId, record) => {
    const { key } = await findKey(tx, merchantId, keyId)
    if (key.retiredAt && !key.live) return key.retiredAt
    if (key.promoted && (!evenIfPromoted || at))
      throw new UsageError(
        `key ${keyId} signs callbacks: promote another one first${at ? '' : ', or say --even-if-promoted: no callback is sent until one is'}`,
      )
    const endsAt = await setKeyRetired(tx, keyId, at ?? null)
    await record('merchant.key_retired', {
      keyId: `${keyId}`,
      scheme: key.scheme,
      promoted: key.promoted,
      at: endsAt.toISOString(),
    })
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
