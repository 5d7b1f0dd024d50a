import { UsageError } from '../../base/errors.ts'
import { type Author, authorOf, recordAudit } from '../../db/audit-store.ts'
import { withJob } from '../../db/job-store.ts'
import { inTransaction, type Pool } from '../../db/pool.ts'
import { type CallbacksWanted, listCallbackIds } from './list-callbacks.ts'
import { type Resent, resendCallbacks } from './resend-callbacks.ts'

/** The most callbacks in one run: one statement selects them, and memory holds their ids. */
const bulkMax = 1_000_000

export interface BulkResend extends Resent {
  /** How many matched at the start. */
  matching: number
}

/**
 * Sends many callbacks again, in batches, so that no lock is held for long and couriers and the watcher keep working. The
 * callbacks are selected once, at the start. Those that have left their state when their batch comes are skipped, so an
 * interrupted run can be started again. Its start and its result are recorded in the audit log.
 * @param wanted names a state other than in_flight.
 * @param options.appid of the merchant, for the audit log. null: every merchant.
 * @throws UsageError when more than a million match.
 */
export async function resendInBulk(
  pool: Pool,
  wanted: CallbacksWanted & { state: NonNullable<CallbacksWanted['state']> },
  options: {
    appid: string | null
    onBatch?: (moved: Resent, matching: number) => unknown
  } & Partial<Author>,
): Promise<BulkResend> {
  const ids = await listCallbackIds(pool, wanted, bulkMax + 1)
  const matching = ids.length
  if (matching > bulkMax) throw new UsageError(`more than ${bulkMax} match: name a shorter time`)
  if (matching === 0) return { matching, resent: 0, skipped: 0 }
  const { merchantId, ...filter } = wanted
  const { onBatch } = options
  const author = authorOf(options)
  const subject = options.appid === null ? 'every merchant' : `merchant ${options.appid}`
  const record = (action: string, detail: Record<string, unknown>) =>
    inTransaction(pool, tx => recordAudit(tx, { ...author, action, subject, merchantId, detail }))
  await record('callbacks.resend_begun', { ...filter, matching })
  const resent = await withJob(pool, { kind: 'resend', subject, by: author.actor }, report =>
    resendCallbacks(pool, ids, {
      onlyIn: wanted.state,
      onBatch: moved => {
        report(moved.resent + moved.skipped, matching)
        return onBatch?.(moved, matching)
      },
    }),
  )
  await record('callbacks.resent', { ...filter, matching, ...resent })
  return { matching, ...resent }
}
