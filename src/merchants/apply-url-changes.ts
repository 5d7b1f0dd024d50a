import { failpoint } from '../base/failpoint.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { type LockedMerchant, updateSettings } from './merchant-store.ts'
import { type DueUrlChange, endUrlChange, lockDueUrl, lockDueUrls } from './url-change-store.ts'

const atOnce = 100
const by = 'gateway'

/**
 * Writes the default URLs that have taken effect into their merchants: each once, whichever processes try. What waits for the old
 * URL is then moved to the lane of the new one, as after `gateway merchant set`. It waits for no lock of a merchant.
 */
export async function applyUrlChanges(pool: Pool): Promise<void> {
  const applied = await inTransaction(pool, async tx => {
    const due = await lockDueUrls(tx, atOnce)
    for (const change of due) await apply(tx, change)
    if (due.length > 0) failpoint('url:before-commit')
    return due.length
  })
  if (applied > 0) failpoint('url:after-commit')
}

/** Does that for a locked merchant, before its URL is changed again. @returns its URL. */
export async function settleUrl(tx: Tx, merchant: LockedMerchant): Promise<string | null> {
  const due = await lockDueUrl(tx, merchant.id)
  if (!due) return merchant.callbackUrl
  await apply(tx, due)
  return due.url
}

async function apply(tx: Tx, { id, merchantId, appid, url, askedBy }: DueUrlChange): Promise<void> {
  await updateSettings(tx, merchantId, { callbackUrl: url })
  await endUrlChange(tx, merchantId, { outcome: 'applied', by })
  await recordAudit(tx, {
    actor: by,
    action: 'merchant.callback_url_applied',
    subject: `merchant ${appid}`,
    merchantId,
    detail: { changeId: `${id}`, askedBy, callbackUrl: url },
  })
}
