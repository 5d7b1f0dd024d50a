import { UsageError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { lockMerchant } from './merchant-store.ts'

/** Live keys of one merchant at the most, and live secrets: each request is verified under every key. */
export const liveMax = 10

/** Sets down what is being done to the merchant, in the transaction that does it. */
export type RecordChange = (action: string, detail: Record<string, unknown>) => Promise<void>

/**
 * Changes something of a merchant in one transaction, under the merchant's lock: of two operators one waits.
 * @throws UsageError when nobody has the appid.
 */
export function changeMerchant<T>(
  pool: Pool,
  who: { appid: string; actor: string | undefined },
  change: (tx: Tx, merchantId: MerchantId, record: RecordChange) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, async tx => {
    const merchant = await lockMerchant(tx, who.appid)
    if (!merchant) throw new UsageError(`no merchant has the appid "${who.appid}"`)
    return change(tx, merchant.id, (action, detail) =>
      recordAudit(tx, {
        actor: who.actor ?? 'command line',
        action,
        subject: `merchant ${who.appid}`,
        detail,
      }),
    )
  })
}
