import { UsageError } from '../base/errors.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { type LockedMerchant, lockMerchant } from './merchant-store.ts'

/** The maximum of a merchant's live keys, and of its live secrets: a request is checked against every live key. */
export const liveMax = 10

/** Records the change in the audit log, in its own transaction. */
export type RecordChange = (action: string, detail?: Record<string, unknown>) => Promise<void>

/**
 * Changes a merchant in one transaction, with the merchant locked: of two operators one waits.
 * @throws UsageError when no merchant has the appid.
 */
export function changeMerchant<T>(
  pool: Pool,
  who: { appid: string; actor: string | undefined },
  change: (tx: Tx, merchant: LockedMerchant, record: RecordChange) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, async tx => {
    const merchant = await lockMerchant(tx, who.appid)
    if (!merchant) throw new UsageError(`no merchant has the appid "${who.appid}"`)
    return change(tx, merchant, (action, detail) =>
      recordAudit(tx, {
        actor: who.actor ?? 'command line',
        action,
        subject: `merchant ${who.appid}`,
        ...(detail && { detail }),
      }),
    )
  })
}
