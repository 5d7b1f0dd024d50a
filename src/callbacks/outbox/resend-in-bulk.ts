import { UsageError } from '../../base/errors.ts'
import { recordAudit } from '../../db/audit-store.ts'
import { inTransaction, type Pool } from '../../db/pool.ts'
import { type CallbacksWanted, listCallbackIds } from './list-callbacks.ts'
import { type Resent, resendCallbacks } from './resend-callbacks.ts'

/** More than this is several runs: their ids are held in memory, and chosen in one statement. */
const bulkMax = 1_000_000

export interface BulkResend extends Resent {
  /** How many there were when it began. */
  matching: number
}

/**
 * Sends many callbacks again, batch by batch, so that nothing is locked for long: couriers and the watcher work on beside
 * it. Chosen once, at the beginning; what has left its state when its turn comes is skipped, so a run that was broken off
 * is simply begun again. That it began and how it ended are set down.
 * @param wanted names the state, which is not in_flight.
 * @param named the merchant and the rest, as they were named: for the audit.
 * @throws UsageError when more than a million match.
 */
export async function resendInBulk(
  pool: Pool,
  wanted: CallbacksWanted & { state: NonNullable<CallbacksWanted['state']> },
  options: {
    appid: string | null
    actor?: string
    onBatch?: (moved: Resent, matching: number) => unknown
  },
): Promise<BulkResend> {
  const ids = await listCallbackIds(pool, wanted, bulkMax + 1)
  if (ids.length > bulkMax) throw new UsageError(`more than ${bulkMax} match: name a shorter time`)
  const matching = ids.length
  if (matching === 0) return { matching, resent: 0, skipped: 0 }
  const record = (action: string, detail: Record<string, unknown>) =>
    inTransaction(pool, tx =>
      recordAudit(tx, {
        actor: options.actor ?? 'command line',
        action,
        subject: options.appid === null ? 'every merchant' : `merchant ${options.appid}`,
        detail,
      }),
    )
  const { state, from, to, origin } = wanted
  await record('callbacks.resend_begun', { state, from, to, origin, matching })
  const { onBatch } = options
  const resent = await resendCallbacks(pool, ids, {
    onlyIn: state,
    ...(onBatch && { onBatch: moved => onBatch(moved, matching) }),
  })
  await record('callbacks.resent', { state, from, to, origin, matching, ...resent })
  return { matching, ...resent }
}
