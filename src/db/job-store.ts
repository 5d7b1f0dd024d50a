import { messageOf } from '../base/printable-error.ts'
import { type Queryable, rows, run } from './pool.ts'

/** What works for long and says how far it is. */
export type JobKind = 'rescan' | 'import_from_block' | 'resend'

export interface Job {
  id: bigint
  kind: JobKind
  subject: string
  startedBy: string
  startedAt: Date
  seenAt: Date
  /** Blocks, or callbacks. */
  done: bigint
  /** Null: it is not known yet. */
  total: bigint | null
  endedAt: Date | null
  /** Why it failed. */
  problem: string | null
  /** It has neither ended nor said anything for a minute. */
  isSilent: boolean
  /** What it has to do is recorded: it waits for a process that goes on with it, and does not die. */
  isRecorded: boolean
  /** Who ended it early. */
  stoppedBy: string | null
}

/** What a job is begun with. subject: what it works on. by: who started it. */
export interface BegunJob {
  kind: JobKind
  subject: string
  by: string
  isRecorded?: boolean
}

/** Says how far a job is. It costs nothing: the numbers are written a few seconds later. */
export type ReportJob = (done: number, total: number) => void

/** Progress is written this often, changed or not: that shows that the job lives. */
const everyMs = 5_000
/** Longer than a job that lives is silent. */
export const silentS = 60
const problemMax = 500

/**
 * Runs work that takes long, with a row that says how far it is. The row is for display: work goes on where it cannot be written.
 * @param job.subject what it works on: 'blocks 100 to 200'.
 */
export async function withJob<T>(
  db: Queryable,
  job: BegunJob,
  work: (report: ReportJob) => Promise<T>,
): Promise<T> {
  const id = await beginJob(db, job).catch(() => null)
  if (id === null) return work(() => undefined)
  let progress: { done: number; total: number | null } = { done: 0, total: null }
  const write = () => writeProgress(db, id, progress).catch(() => undefined)
  const timer = setInterval(write, everyMs)
  timer.unref()
  try {
    const result = await work((done, total) => {
      progress = { done, total }
    })
    await write()
    await endJob(db, id, null).catch(() => undefined)
    return result
  } catch (error) {
    await write()
    const problem = error instanceof Error ? messageOf(error) : 'not an error'
    await endJob(db, id, problem.slice(0, problemMax)).catch(() => undefined)
    throw error
  } finally {
    clearInterval(timer)
  }
}

/** Begins a job. Whoever keeps its work on record writes its progress with it, in one transaction. */
export async function beginJob(db: Queryable, job: BegunJob): Promise<bigint> {
  const [begun] = await rows<{ id: bigint }>(
    db,
    `with old as (delete from job where coalesce(ended_at, seen_at) < now() - interval '1 month')
     insert into job (kind, subject, started_by, recorded)
     values ($1, left($2, 200), $3, $4)
     returning id`,
    [job.kind, job.subject, job.by, job.isRecorded ?? false],
  )
  return begun!.id
}

/** @param progress.total null: it is not known yet. */
export async function writeProgress(
  db: Queryable,
  id: bigint,
  { done, total }: { done: number; total: number | null },
): Promise<void> {
  await run(db, `update job set done = $2, total = $3, seen_at = now() where id = $1 and ended_at is null`, [
    id,
    done,
    total,
  ])
}

/** @param problem why it failed; null: it did not. @param stoppedBy who ended it early. */
export async function endJob(
  db: Queryable,
  id: bigint,
  problem: string | null,
  stoppedBy: string | null = null,
): Promise<void> {
  await run(
    db,
    `update job set ended_at = now(), seen_at = now(), problem = $2, stopped_by = $3 where id = $1`,
    [id, problem, stoppedBy],
  )
}

/** Lists the jobs that run, then those that ended last. */
export function listJobs(db: Queryable, limit: number): Promise<Job[]> {
  return rows<Job>(
    db,
    `select id, kind, subject, started_by as "startedBy", started_at as "startedAt", seen_at as "seenAt", done, total,
            ended_at as "endedAt", problem,
            ended_at is null and seen_at < now() - make_interval(secs => ${silentS}) as "isSilent",
            recorded as "isRecorded", stopped_by as "stoppedBy"
       from job
      order by ended_at is null desc, id desc
      limit $1`,
    [limit],
  )
}
