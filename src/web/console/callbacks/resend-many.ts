import type { CallbackId, MerchantId } from '../../../base/ids.ts'
import { type Resent, resendCallbacks } from '../../../callbacks/outbox/resend-callbacks.ts'
import { type BulkResend, resendRecorded } from '../../../callbacks/outbox/resend-in-bulk.ts'
import { type Author, recordAudit } from '../../../db/audit-store.ts'
import { inTransaction, type Pool } from '../../../db/pool.ts'
import { type CallbackFilter, stateOf } from './callback-filter.ts'
import { findCallbackIds } from './callback-list-store.ts'

/** Whether the callbacks of a list may be sent again together: not those in flight, nor callbacks in any state. */
export function canResend({ list, from }: CallbackFilter): boolean {
  // All that were ever delivered: nobody wants that. What is sent once more has a beginning.
  return list === 'delivered' ? from !== null : list !== 'in_flight' && list !== 'all'
}

/**
 * Sends the callbacks of a list again, `countedMax` of them at most. What is left is sent by the next call, since what was sent
 * again is no longer in the list. Where that is not so, of those delivered, nothing is sent when there are more.
 * @param merchant of the filter; null: all merchants.
 * @returns how many were found, sent again and skipped; more: there are others.
 */
export async function resendMany(
  pool: Pool,
  reads: Pool,
  filter: CallbackFilter,
  by: Author & { appid: string | null },
): Promise<BulkResend & { more: boolean }> {
  const state = stateOf(filter.list)
  if (state === null || !canResend(filter)) return { matching: 0, resent: 0, skipped: 0, more: false }
  const { ids, more } = await findCallbackIds(reads, filter)
  // They stay in the list, so a second call would send the same ones.
  if (more && state === 'delivered') return { matching: ids.length, resent: 0, skipped: 0, more }
  const { merchantId, ...shown } = filter
  return { ...(await resendRecorded(pool, ids, { ...by, state, filter: shown, merchantId })), more }
}

/** Sends one callback again, whatever its state. It is skipped while it is in flight. */
export async function resendOne(
  pool: Pool,
  callback: { id: CallbackId; key: string; merchantId: MerchantId },
  author: Author,
): Promise<Resent> {
  const resent = await resendCallbacks(pool, [callback.id])
  await inTransaction(pool, tx =>
    recordAudit(tx, {
      ...author,
      action: 'callback.resent',
      subject: `callback ${callback.key}`,
      merchantId: callback.merchantId,
      detail: { ...resent },
    }),
  )
  return resent
}
