import type { CallbackId, MerchantId } from '../../base/ids.ts'
import type { Author } from '../../db/audit-store.ts'
import { silentS } from '../../db/job-store.ts'
import { type Queryable, rows, run, type Tx } from '../../db/pool.ts'
import type { CallbackState } from './callback.ts'

// resend job: callbacks that couriers send again in slices, because somebody asked for it in the console. The table job has how far
// it is.

/** What a job sends again. */
export interface OrderedResend {
  /** Null: of all merchants. */
  merchant: { id: MerchantId; appid: string } | null
  /** Ascending, and at least one. */
  ids: readonly CallbackId[]
  /** Those that have left it by then are skipped. */
  state: CallbackState
  /** What they were selected by, for the audit. */
  filter: Record<string, unknown>
}

/** @returns false when the merchant has a job that runs: that one is left alone, and nothing is written. */
export async function insertResendJob(
  tx: Tx,
  jobId: bigint,
  { merchant, ids, state, filter }: OrderedResend,
  { actor, reason, address }: Author,
): Promise<boolean> {
  const inserted = await run(
    tx,
    `insert into resend_job (job_id, merchant_id, appid, state, filter, callback_ids, actor, reason, address)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (coalesce(merchant_id, 0)) where callback_ids <> '{}' do nothing`,
    [
      jobId,
      merchant?.id ?? null,
      merchant?.appid ?? null,
      state,
      filter,
      ids,
      actor,
      reason ?? null,
      address ?? null,
    ],
  )
  return inserted === 1
}

/** The part of a job that is sent next, and what the job is. */
export interface ResendSlice {
  jobId: bigint
  merchantId: MerchantId | null
  appid: string | null
  state: CallbackState
  filter: Record<string, unknown>
  ids: CallbackId[]
  done: number
  total: number
  resent: number
  actor: string
  reason: string | null
  address: string | null
}

/**
 * Takes the next slice of the job that has waited longest, and locks the job: what another courier has is passed over. Both rows are
 * locked, so that both are read as they are then: `done` of a moment before would send a slice twice.
 * @returns null when none is due.
 */
export async function takeResendSlice(tx: Tx, size: number): Promise<ResendSlice | null> {
  const [slice] = await rows<ResendSlice>(
    tx,
    `select r.job_id as "jobId", r.merchant_id as "merchantId", r.appid, r.state, r.filter,
            r.callback_ids[(j.done + 1)::int : (j.done + $1)::int] as ids, j.done::int, j.total::int, r.resent,
            r.actor, r.reason, r.address
       from resend_job r
       join job j on j.id = r.job_id
      where r.callback_ids <> '{}' and r.next_at <= now()
      order by r.next_at, r.job_id
      limit 1
        for no key update of r, j skip locked`,
    [size],
  )
  // An array's parts are not read as bigint.
  return slice ? { ...slice, ids: slice.ids.map(id => BigInt(id) as CallbackId) } : null
}

/** Counts what a slice has sent again. @param nextMs until the next slice; null: it was the last. */
export async function countSlice(
  tx: Tx,
  jobId: bigint,
  resent: number,
  nextMs: number | null,
): Promise<void> {
  await run(
    tx,
    `update resend_job
        set resent = resent + $2, next_at = now() + coalesce($3, 0) * interval '1 ms',
            callback_ids = case when $3::int is null then '{}' else callback_ids end
      where job_id = $1`,
    [jobId, resent, nextMs],
  )
}

/** Puts off a job whose slice has failed, so that others' are not behind it. */
export async function putOffResendJob(db: Queryable, jobId: bigint, ms: number): Promise<void> {
  await run(db, `update resend_job set next_at = now() + $2 * interval '1 ms' where job_id = $1`, [jobId, ms])
}

/**
 * Ends a job early. A slice that is being sent is waited for.
 * @param scope of this merchant alone; null: of any. @returns null when there is none, or it has ended.
 */
export async function dropResendJob(
  tx: Tx,
  jobId: bigint,
  scope: MerchantId | null,
): Promise<Pick<ResendSlice, 'merchantId' | 'appid' | 'filter' | 'resent'> | null> {
  const [dropped] = await rows<Pick<ResendSlice, 'merchantId' | 'appid' | 'filter' | 'resent'>>(
    tx,
    `update resend_job
        set callback_ids = '{}'
      where job_id = $1 and callback_ids <> '{}' and ($2::bigint is null or merchant_id = $2)
     returning merchant_id as "merchantId", appid, filter, resent`,
    [jobId, scope],
  )
  return dropped ?? null
}

/** A job, as the console lists it. */
export interface ListedResend {
  jobId: bigint
  appid: string | null
  filter: Record<string, unknown>
  startedBy: string
  startedAt: Date
  endedAt: Date | null
  done: bigint
  total: bigint
  resent: number
  stoppedBy: string | null
  /** It runs, and no courier has gone on with it for a minute. */
  isSilent: boolean
}

/** Lists the jobs of the last month, the newest first. @param scope of this merchant alone; null: of all. */
export function listResendJobs(
  db: Queryable,
  scope: MerchantId | null,
  limit: number,
): Promise<ListedResend[]> {
  return rows<ListedResend>(
    db,
    `select j.id as "jobId", r.appid, r.filter, j.started_by as "startedBy", j.started_at as "startedAt",
            j.ended_at as "endedAt", j.done, j.total, r.resent, j.stopped_by as "stoppedBy",
            j.ended_at is null and j.seen_at < now() - make_interval(secs => ${silentS}) as "isSilent"
       from resend_job r
       join job j on j.id = r.job_id
      ${scope === null ? 'where $2::bigint is null' : 'where r.merchant_id = $2'}
      order by r.job_id desc
      limit $1`,
    [limit, scope],
  )
}
