import { UsageError } from '../base/errors.ts'
import { authorOf } from '../db/audit-store.ts'
import type { Pool } from '../db/pool.ts'
import { settleUrl } from './apply-url-changes.ts'
import { type ChangedBy, changeMerchant } from './change-merchant.ts'
import { urlCancelledNotice } from './change-notices.ts'
import { endUrlChange, findWaitingUrl } from './url-change-store.ts'

/**
 * Cancels the change of a merchant's default callback URL that waits.
 * @param changeId as it was shown: another one may wait by now.
 * @throws UsageError when this one does not wait any more, or no merchant has the appid.
 */
export function cancelUrlChange(pool: Pool, appid: string, changeId: bigint, by: ChangedBy): Promise<void> {
  return changeMerchant(pool, { ...by, appid }, async (tx, merchant, record) => {
    await settleUrl(tx, merchant)
    const waiting = await findWaitingUrl(tx, merchant.id)
    if (waiting?.id !== changeId)
      throw new UsageError(
        'this change of the callback URL waits no more: it has taken effect, or was cancelled',
      )
    await endUrlChange(tx, merchant.id, { outcome: 'cancelled', by: authorOf(by).actor })
    await record(
      'merchant.callback_url_cancelled',
      { changeId: `${changeId}`, callbackUrl: waiting.url },
      urlCancelledNotice(waiting.url),
    )
  })
}
