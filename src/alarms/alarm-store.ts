import { type Queryable, rows, run } from '../db/pool.ts'
import type { AlarmName } from './alarm.ts'

/** One alarm as it is found. `by`: who found it; only the same may clear it. `count`: how many things it is about. */
export interface FoundAlarm {
  name: AlarmName
  by: string
  count: number
  detail: object
}

/** An alarm that ended less than this ago and comes back is the same occurrence, and its end is told only after `settleS`. */
const sameWithinS = 600
const settleS = 120
/** Between two messages of one alarm. */
const spacingS = 600
/** An alarm that nobody has found for this long has ended: the process that raised it has. */
const forgottenS = 900
const keptDays = 90

/** Records that an alarm is raised. Any number of processes may, at any rate: there is one row for each occurrence. */
export async function raiseAlarm(db: Queryable, { name, by, count, detail }: FoundAlarm): Promise<void> {
  const values = [name, by, count, JSON.stringify(detail)]
  const known = await run(
    db,
    `update alarm
        set seen_at = now(), cleared_at = null, raised_by = $2, count = $3, detail = $4,
            -- One of five was settled and another came: that is told.
            told_count = least(told_count, $3),
            message_due_at = case
              -- It is being tried again.
              when failures > 0 and cleared_at is null then message_due_at
              when told = 'nothing' then coalesce(message_due_at, now())
              -- Its end was told, or more has come: told, but not more often than every ten minutes.
              when told = 'cleared' then coalesce(message_due_at, greatest(now(), told_at + make_interval(secs => ${spacingS})))
              when $3 > told_count then least(message_due_at, greatest(now(), told_at + make_interval(secs => ${spacingS})))
              -- It came back before its end was told.
              when cleared_at is not null then now() + interval '1 hour'
              else message_due_at
            end
      where id = (select id from alarm where name = $1 order by id desc limit 1)
        and (cleared_at is null or cleared_at > now() - make_interval(secs => ${sameWithinS}))`,
    values,
  )
  if (known > 0) return
  await run(
    db,
    `insert into alarm (name, raised_by, count, detail)
     values ($1, $2, $3, $4)
     on conflict (name) where cleared_at is null do nothing`,
    values,
  )
}

/** Records that alarms have ended, as far as `by` raised them. */
export async function clearAlarms(db: Queryable, by: string, names: readonly AlarmName[]): Promise<void> {
  await run(
    db,
    `update alarm
        set ${ended}
      where cleared_at is null and raised_by = $1 and name = any($2)`,
    [by, names],
  )
}

/** What an alarm's end changes. One that nobody was told of yet is told of once, as having been. */
const ended = `cleared_at = now(),
            failures = case when told = 'raised' then 0 else failures end,
            message_due_at = case told
              when 'raised' then now() + make_interval(secs => ${settleS})
              when 'nothing' then message_due_at
            end`

/** Ends alarms whose process has ended, and deletes old ones. */
export async function forgetAlarms(db: Queryable): Promise<void> {
  await run(
    db,
    `update alarm
        set ${ended}
      where cleared_at is null and seen_at < now() - make_interval(secs => ${forgottenS})`,
  )
  await run(db, `delete from alarm where cleared_at < now() - make_interval(days => ${keptDays})`)
}

/** Lists the alarms that are raised now, whichever process raised them. */
export async function raisedAlarms(db: Queryable): Promise<AlarmName[]> {
  const raised = await rows<{ name: AlarmName }>(
    db,
    `select distinct name from alarm
      where cleared_at is null and seen_at >= now() - make_interval(secs => ${forgottenS})
      order by 1`,
  )
  return raised.map(({ name }) => name)
}

/** A message that is due. */
export interface DueMessage {
  id: bigint
  name: AlarmName
  detail: Record<string, unknown>
  count: number
  raisedAt: Date
  clearedAt: Date | null
  told: 'nothing' | 'raised' | 'cleared'
  messages: number
  failures: number
}

/** What ended longer ago than this is not told any more: the messages could not be sent, or nobody had set where to. */
const staleS = 86_400

/**
 * Takes messages that are due, for `leaseMs`. Each is taken by one process; if that ends, by another afterwards.
 * @param max the most to take.
 */
export function takeMessages(db: Queryable, leaseMs: number, max: number): Promise<DueMessage[]> {
  return rows<DueMessage>(
    db,
    `update alarm
        set message_leased_until = now() + make_interval(secs => $1::float8 / 1000)
      where id in (select id
                     from alarm
                    where message_due_at <= now()
                      and coalesce(message_leased_until, '-infinity') <= now()
                      and (cleared_at is null or cleared_at > now() - make_interval(secs => ${staleS}))
                    order by message_due_at
                    limit $2
                      for update skip locked)
      returning id, name, detail, count::float8 as count, raised_at as "raisedAt", cleared_at as "clearedAt", told, messages,
                failures`,
    [leaseMs, max],
  )
}

/** Records a message that was sent, and when the next one is due. `repeatMs`: while the alarm stays; null: never. */
export async function messageSent(
  db: Queryable,
  { id, clearedAt, count }: DueMessage,
  repeatMs: number | null,
): Promise<void> {
  const told = clearedAt === null ? 'raised' : 'cleared'
  await run(
    db,
    `update alarm
        set told = $2, told_at = now(), told_count = $3, failures = 0, message_leased_until = null,
            messages = messages + ($2 = 'raised')::integer,
            message_due_at = case
              when $2 = 'raised' and cleared_at is not null then cleared_at + make_interval(secs => ${settleS})
              when $2 = 'cleared' and cleared_at is null then now() + make_interval(secs => ${spacingS})
              when $2 = 'raised' and count > $3 then now() + make_interval(secs => ${spacingS})
              when $2 = 'raised' then now() + make_interval(secs => $4::float8 / 1000)
            end
      where id = $1`,
    [id, told, count, repeatMs],
  )
}

/** Records a message that could not be sent, and when it is tried again. */
export async function messageFailed(db: Queryable, id: bigint, retryMs: number): Promise<void> {
  await run(
    db,
    `update alarm
        set failures = failures + 1, message_leased_until = null,
            message_due_at = now() + make_interval(secs => $2::float8 / 1000)
      where id = $1`,
    [id, retryMs],
  )
}
