import assert from 'node:assert/strict'
import { failpoint } from '../../base/failpoint.ts'
import type { MerchantId } from '../../base/ids.ts'
import { type Author, recordAudit } from '../../db/audit-store.ts'
import { beginJob, endJob, writeProgress } from '../../db/job-store.ts'
import { inTransaction, type Pool, type Tx } from '../../db/pool.ts'
import { resendBatch, resendTogether } from './resend-callbacks.ts'
import {
  countSlice,
  dropResendJob,
  insertResendJob,
  type OrderedResend,
  putOffResendJob,
  type ResendSlice,
  takeResendSlice,
} from './resend-job-store.ts'
import { resendLimits } from './resend-limits.ts'

// Couriers carry out what people resend in bulk in the console. A slice is one transaction: it sends its callbacks again and moves
// the job on, so a courier that dies takes nothing along, and no callback is sent again twice by one job. The jobs take turns, each
// merchant has one at a time, and each goes no faster than the API lets a merchant resend: so none holds up another's.

interface Pace {
  /** Callbacks of a slice. */
  size: number
  /** Between two slices of a job. */
  everyMs: number
}

const usualPace: Pace = { size: resendBatch, everyMs: (60_000 * resendBatch) / resendLimits.perMinute }

/** Until a job whose slice has failed is tried again. */
const failedForMs = 30_000

/**
 * Records what is to be sent again, who wants it, and the job.
 * @returns its number; null when the merchant has one that runs: then nothing is recorded.
 */
export async function orderResend(
  pool: Pool,
  ordered: OrderedResend,
  author: Author,
): Promise<bigint | null> {
  const { merchant, ids, filter } = ordered
  assert(ids.length > 0, 'a resend job has something to send')
  const subject = subjectOf(merchant?.appid ?? null)
  try {
    return await inTransaction(pool, async tx => {
      const jobId = await beginJob(tx, { kind: 'resend', subject, by: author.actor, isRecorded: true })
      await writeProgress(tx, jobId, { done: 0, total: ids.length })
      if (!(await insertResendJob(tx, jobId, ordered, author))) throw new OneRuns()
      const detail = { ...filter, matching: ids.length }
      const merchantId = merchant?.id ?? null
      await recordAudit(tx, { ...author, action: 'callbacks.resend_begun', subject, merchantId, detail })
      return jobId
    })
  } catch (error) {
    if (error instanceof OneRuns) return null
    throw error
  }
}

/** Rolls back what was written so far. */
class OneRuns extends Error {}

/** Sends the next slice of each job that is due, the one that has waited longest first. */
export async function runResendJobs(
  pool: Pool,
  { signal, ...pace }: { signal?: AbortSignal } & Partial<Pace> = {},
): Promise<void> {
  while (!signal?.aborted && (await sendSlice(pool, { ...usualPace, ...pace })))
    failpoint('resend-job:after-commit')
}

/** @returns false when no job is due. */
async function sendSlice(pool: Pool, { size, everyMs }: Pace): Promise<boolean> {
  let jobId: bigint | undefined
  try {
    return await inTransaction(pool, async tx => {
      const slice = await takeResendSlice(tx, size)
      if (!slice) return false
      jobId = slice.jobId
      // At the beginning: whoever resends says that the endpoint works again.
      const moved = await resendTogether(tx, slice.ids, { onlyIn: slice.state, isProbed: slice.done === 0 })
      await moveOn(tx, slice, moved.length, everyMs)
      return true
    })
  } catch (error) {
    if (jobId !== undefined) await putOffResendJob(pool, jobId, failedForMs).catch(() => undefined)
    throw error
  }
}

async function moveOn(tx: Tx, slice: ResendSlice, resent: number, everyMs: number): Promise<void> {
  const { jobId, merchantId, appid, total, filter, actor, reason, address } = slice
  const done = slice.done + slice.ids.length
  const isLast = done >= total
  await countSlice(tx, jobId, resent, isLast ? null : everyMs)
  await writeProgress(tx, jobId, { done, total })
  if (!isLast) return
  await endJob(tx, jobId, null)
  const sum = slice.resent + resent
  await recordAudit(tx, {
    ...{ actor, action: 'callbacks.resent', subject: subjectOf(appid), merchantId },
    ...{ reason: reason ?? undefined, address: address ?? undefined },
    detail: { ...filter, matching: total, resent: sum, skipped: total - sum },
  })
}

/**
 * Stops a job: what it has sent again stays so, and the rest is not.
 * @param scope of this merchant alone; null: of any. @returns false when there is none, or it has ended.
 */
export function stopResend(
  pool: Pool,
  jobId: bigint,
  scope: MerchantId | null,
  author: Author,
): Promise<boolean> {
  return inTransaction(pool, async tx => {
    const dropped = await dropResendJob(tx, jobId, scope)
    if (!dropped) return false
    const { merchantId, appid, filter, resent } = dropped
    await endJob(tx, jobId, null, author.actor)
    await recordAudit(tx, {
      ...{ ...author, action: 'callbacks.resend_stopped', subject: subjectOf(appid), merchantId },
      detail: { ...filter, resent },
    })
    return true
  })
}

function subjectOf(appid: string | null): string {
  return appid === null ? 'every merchant' : `merchant ${appid}`
}
