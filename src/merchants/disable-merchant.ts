import { UsageError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { lockMerchant, setDisabled } from './merchant-store.ts'

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
  actor?: string,
): Promise<boolean> {
  return switchMerchant(pool, { appid, disabled: true, moveCallbacks: holdCallbacks, actor })
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
  actor?: string,
): Promise<boolean> {
  return switchMerchant(pool, { appid, disabled: false, moveCallbacks: releaseCallbacks, actor })
}

function switchMerchant(
  pool: Pool,
  act: { appid: string; disabled: boolean; moveCallbacks: MoveCallbacks; actor: string | undefined },
): Promise<boolean> {
  return inTransaction(pool, async tx => {
    const merchant = await lockMerchant(tx, act.appid)
    if (!merchant) throw new UsageError(`no merchant has the appid "${act.appid}"`)
    if ((merchant.disabledAt !== null) === act.disabled) return false
    await setDisabled(tx, merchant.id, act.disabled)
    await act.moveCallbacks(tx, merchant.id)
    await recordAudit(tx, {
      actor: act.actor ?? 'command line',
      action: act.disabled ? 'merchant.disabled' : 'merchant.enabled',
      subject: `merchant ${act.appid}`,
    })
    return true
  })
}
