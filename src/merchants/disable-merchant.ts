import type { MerchantId } from '../base/ids.ts'
import type { Author } from '../db/audit-store.ts'
import type { Pool, Tx } from '../db/pool.ts'
import { changeMerchant } from './change-merchant.ts'
import { setDisabled } from './merchant-store.ts'

/** Holds or releases the merchant's callbacks in the same transaction. */
export type MoveCallbacks = (tx: Tx, merchantId: MerchantId) => Promise<unknown>

/**
 * Disables a merchant: its requests are refused and its callbacks held; payments to it are still credited.
 * @param holdCallbacks turns due callbacks into held ones.
 * @returns false when it was disabled already.
 * @throws UsageError when no merchant has the appid.
 */
export function disableMerchant(
  pool: Pool,
  appid: string,
  holdCallbacks: MoveCallbacks,
  author: Partial<Author> = {},
): Promise<boolean> {
  return switchMerchant(pool, { appid, disabled: true, moveCallbacks: holdCallbacks, ...author })
}

/**
 * Enables a disabled merchant and releases its callbacks.
 * @param releaseCallbacks turns held callbacks into due ones.
 * @returns false when it was not disabled.
 * @throws UsageError when no merchant has the appid.
 */
export function enableMerchant(
  pool: Pool,
  appid: string,
  releaseCallbacks: MoveCallbacks,
  author: Partial<Author> = {},
): Promise<boolean> {
  return switchMerchant(pool, { appid, disabled: false, moveCallbacks: releaseCallbacks, ...author })
}

function switchMerchant(
  pool: Pool,
  act: { appid: string; disabled: boolean; moveCallbacks: MoveCallbacks } & Partial<Author>,
): Promise<boolean> {
  return changeMerchant(pool, act, async (tx, { id, disabledAt }, record) => {
    if ((disabledAt !== null) === act.disabled) return false
    await setDisabled(tx, id, act.disabled)
    await act.moveCallbacks(tx, id)
    await record(act.disabled ? 'merchant.disabled' : 'merchant.enabled')
    return true
  })
}
