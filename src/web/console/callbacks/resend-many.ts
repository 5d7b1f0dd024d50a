import { type Resent, resendCallbacks } from '../../../callbacks/outbox/resend-callbacks.ts'
import { orderResend } from '../../../callbacks/outbox/resend-jobs.ts'
import { type Author, recordAudit } from '../../../db/audit-store.ts'
import { inTransaction, type Pool } from '../../../db/pool.ts'
import type { PageMerchant } from '../parts/page.ts'
import { type CallbackFilter, stateOf } from './callback-filter.ts'
import { type ConsoleCallback, findCallbackIds } from './callback-list-store.ts'

/** Whether the callbacks of a list may be sent again together: not those in flight, nor callbacks in any state. */
export function canResend({ list, from }: CallbackFilter): boolean {
  // All that were ever delivered: nobody wants that. What is sent once more has a beginning.
  return list === 'delivered' ? from !== null : list !== 'in_flight' && list !== 'all'
}

/** What somebody was shown before they asked: how many, and the highest id among them. */
export interface ShownCount {
  count: number
  upTo: bigint
}

/**
 * Has couriers send the callbacks of a list again: no more than were shown, and none that was announced since. What is left is sent
 * by the next job, since what was sent again is no longer in the list. Where that is not so, of those delivered, nothing is sent
 * when there are more than can be counted.
 * @param merchant of the filter; null: all merchants.
 * @returns none: there is nothing to send, or too much; busy: another job of the merchant runs.
 */
export async function resendMany(
  pool: Pool,
  reads: Pool,
  filter: CallbackFilter,
  shown: ShownCount,
  by: Author & { merchant: PageMerchant | null },
): Promise<'begun' | 'none' | 'busy'> {
  const { merchant, ...author } = by
  const state = stateOf(filter.list)
  if (state === null || !canResend(filter)) return 'none'
  const found = await findCallbackIds(reads, filter)
  // They stay in the list, so a second job would send the same ones.
  if (found.more && state === 'delivered') return 'none'
  const ids = found.ids.filter(id => id <= shown.upTo).slice(0, shown.count)
  if (ids.length === 0) return 'none'
  const { merchantId: _, ...selected } = filter
  const jobId = await orderResend(pool, { merchant, ids, state, filter: selected }, author)
  return jobId === null ? 'busy' : 'begun'
}

/** Sends one callback again, whatever its state. It is skipped while it is in flight. */
export async function resendOne(
  pool: Pool,
  callback: Pick<ConsoleCallback, 'id' | 'key' | 'merchantId'>,
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
