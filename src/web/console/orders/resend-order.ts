import { type Resent, resendCallbacks } from '../../../callbacks/outbox/resend-callbacks.ts'
import { resendLimits } from '../../../callbacks/outbox/resend-limits.ts'
import { readOrderCallbacks } from '../../../callbacks/outbox/resend-store.ts'
import { type Author, recordAudit } from '../../../db/audit-store.ts'
import { inTransaction } from '../../../db/pool.ts'
import type { ConsoleContext } from '../parts/page.ts'
import type { ConsoleOrder } from './timeline-store.ts'

/**
 * Sends an order's callbacks again, those first that are not acknowledged.
 * @returns skipped: those in flight, and those beyond `resendLimits.perCall`.
 * @throws GatewayError rate_limited
 */
export async function resendOrder(
  { pool, countResent }: Pick<ConsoleContext, 'pool' | 'countResent'>,
  { merchantId, ordersn }: Pick<ConsoleOrder, 'merchantId' | 'ordersn'>,
  author: Author,
): Promise<Resent> {
  const order = { merchantId, orderid: null, ordersn }
  const { ids, more } = (await readOrderCallbacks(pool, order, resendLimits.perCall)) ?? { ids: [], more: 0 }
  countResent(merchantId, ids.length)
  const { resent, skipped } = await resendCallbacks(pool, ids)
  const detail = { resent, skipped: skipped + more }
  await inTransaction(pool, tx =>
    recordAudit(tx, {
      ...{ ...author, action: 'order.callbacks_resent', subject: `order ${ordersn}` },
      ...{ detail, merchantId },
    }),
  )
  return detail
}
