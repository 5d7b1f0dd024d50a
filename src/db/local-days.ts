import { UsageError } from '../base/errors.ts'
import { readTime } from '../base/read-time.ts'
import { type Queryable, rows } from './pool.ts'

/** A time from which, and one before which. */
export interface Period {
  from: Date
  to: Date
}

/**
 * Reads a period. A date without a time is the beginning of that day in the zone; everything else is as `readTime` has it.
 * @throws UsageError for a zone that the database does not know, and for a period that ends before it begins.
 */
export async function readPeriod(
  db: Queryable,
  { from, to, zone }: { from: string; to: string; zone: string },
): Promise<Period> {
  await checkZone(db, zone)
  const period = { from: await readDay(db, '--from', from, zone), to: await readDay(db, '--to', to, zone) }
  if (period.from >= period.to) throw new UsageError('--from: must be before --to')
  return period
}

/** Postgres also takes `+8` and means the west by it, so only names of places and UTC are accepted. */
async function checkZone(db: Queryable, zone: string): Promise<void> {
  const isName = /^[A-Za-z]+(\/[A-Za-z0-9_+-]+){1,2}$|^UTC$/.test(zone)
  const known = isName ? await rows(db, `select from pg_timezone_names where name = $1`, [zone]) : []
  if (known.length === 0)
    throw new UsageError('--zone: the name of a time zone such as Asia/Shanghai, Europe/Berlin or UTC')
}

async function readDay(db: Queryable, name: string, text: string, zone: string): Promise<Date> {
  const time = readTime(name, text)
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return time
  return beginningOfDay(db, text, zone)
}

/**
 * Finds when a day begins in a zone. By the database, which knows the zones: where a day has no midnight, it begins at one.
 * @param day such as 2026-11-30, a day that there is. @param zone one that the database knows. @param later so many days later.
 */
export async function beginningOfDay(db: Queryable, day: string, zone: string, later = 0): Promise<Date> {
  const [found] = await rows<{ at: Date }>(
    db,
    `select ($1::date + $3::int)::timestamp at time zone $2 as at`,
    [day, zone, later],
  )
  return found!.at
}
