import { type Queryable, rows, run } from '../db/pool.ts'
import type { AlarmName } from './alarm.ts'

/** One alarm as it is found. `by`: who found it; only the same may clear it. `count`: how many things it is about. */
export interface FoundAlarm {
  name: AlarmName
  by: string
  count: number
  detail: object
}

/** An alarm that ended less than this ago and comes back is the same occurrence. */
const sameWithinS = 3_600
/** Between two messages of one alarm. */
export const spacingS = 600
/** While an alarm stays it is repeated: this many hours after it was raised, which is an hour, six more, and then daily for a week. */
export const repeatHours = [1, 7, ...Array.from({ length: 7 }, (_, day) => 31 + 24 * day)]
/** When more has come it is told this long after the last message; the longer, the more messages there were beside the repeats. */
const growthS = [spacingS, 3_600, 21_600, 86_400]
/** An end is told when it has lasted for this long; the longer, the more messages there were beside the repeats: it comes and goes. */
export const settleS = [120, 600, sameWithinS] as const
/** An alarm that nobody has found for this long has ended: the process that raised it has. */
const forgottenS = 900
const keptDays = 90

// These are of a row of `alarm` whose last message was sent at `toldAt`.
const repeatPoints = `unnest(array[${repeatHours}]) as hours`
const repeatPoint = `raised_at + hours * interval '1 hour'`
/** When it is repeated next; null: not any more. It follows from the time alone, so no other message uses a repeat up. */
const repeatDue = (toldAt: string) =>
  `(select min(greatest(${repeatPoint}, ${toldAt} + make_interval(secs => ${spacingS}))) from ${repeatPoints} where ${repeatPoint} > ${toldAt})`
/** One of a list by how many messages said that it is raised beside the first and the repeats; the last one for more. */
const byExtras = (list: readonly number[], toldAt: string) =>
  `make_interval(secs => (array[${list}])[1 + least(${list.length - 1}, greatest(0, messages - 1 -
                (select count(*)::integer from ${repeatPoints} where ${repeatPoint} <= ${toldAt})))])`
const growthDue = (toldAt: string) => `${toldAt} + ${byExtras(growthS, toldAt)}`

/** Records that an alarm is raised. Any number of processes may, at any rate: there is one row for each occurrence. */
export async function raiseAlarm(db: Queryable, { name, by, count, detail }: FoundAlarm): Promise<void> {
  const values = [name, by, count, JSON.stringify(detail)]
  const known = await run(
    db,
    `update alarm
        set seen_at = now(), cleared_at = null, raised_by = $2, count = $3, detail = $4,
            -- One of five was settled and another came: that is told.
            told_count = least(told_count, $3),
            message_due_at = greatest(
              case told
                when 'nothing' then coalesce(message_due_at, now())
                -- Its end was told.
                when 'cleared' then coalesce(message_due_at, greatest(now(), told_at + make_interval(secs => ${spacingS})))
                -- It stays, or came back before its end was told.
                else least(${repeatDue('told_at')}, case when $3 > told_count then ${growthDue('told_at')} end)
              end,
              ${retryDue})
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

/** A message that could not be sent is not tried sooner because its alarm comes, goes or grows. */
const retryDue = `case when failures > 0 then message_due_at end`

/** What an alarm's end changes. One that nobody was told of yet is told of once, as having been. */
const ended = `cleared_at = now(),
            message_due_at = case told
              when 'raised' then greatest(now() + ${byExtras(settleS, 'told_at')}, ${retryDue})
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

/** An alarm that is raised now, with what is known of it. */
export interface RaisedAlarm {
  id: bigint
  name: AlarmName
  raisedBy: string
  count: number
  detail: Record<string, unknown>
  raisedAt: Date
  /** When it was last found to be raised. */
  seenAt: Date
  /** When somebody was last told; null: nobody was. */
  toldAt: Date | null
}

/** Describes the alarms that are raised now, the oldest first. */
export function describeRaised(db: Queryable): Promise<RaisedAlarm[]> {
  return rows<RaisedAlarm>(
    db,
    `select id, name, raised_by as "raisedBy", count::float8 as count, detail, raised_at as "raisedAt", seen_at as "seenAt",
            told_at as "toldAt"
       from alarm
      where cleared_at is null and seen_at >= now() - make_interval(secs => ${forgottenS})
      order by raised_at, id`,
  )
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
  /** How many said that it is raised. */
  messages: number
  failures: number
}

/** What ended longer ago than this is not told any more: the messages could not be sent, or nobody had set where to. */
export const staleS = 86_400

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

/** Records a message that was sent, and when the next one is due. */
export async function messageSent(db: Queryable, { id, clearedAt, count }: DueMessage): Promise<void> {
  const told = clearedAt === null ? 'raised' : 'cleared'
  await run(
    db,
    `update alarm
        set told = $2, told_at = now(), told_count = $3, failures = 0, message_leased_until = null,
            messages = messages + ($2 = 'raised')::integer,
            message_due_at = case
              -- It ended meanwhile, or came back.
              when $2 = 'raised' and cleared_at is not null then cleared_at + ${byExtras(settleS, 'now()')}
              when $2 = 'cleared' and cleared_at is null then now() + make_interval(secs => ${spacingS})
              when $2 = 'raised' then ${repeatDue('now()')}
            end
      where id = $1`,
    [id, told, count],
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
