import { UsageError } from './errors.ts'

/**
 * Reads a time: a date or time of ISO 8601 (UTC when it names no offset), or Unix seconds.
 * @param name the option's, for the error message.
 * @throws UsageError also for the year 0, which Postgres does not have.
 */
export function readTime(name: string, text: string): Date {
  if (/^\d{9,10}$/.test(text)) return new Date(Number(text) * 1000)
  const match =
    /^((?!0000)\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  const at = match ? new Date(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`) : new Date(Number.NaN)
  // Date reads a day that the month does not have (2026-02-30) as one of the next month.
  if (match && !Number.isNaN(at.getTime()) && isDay(match[1]!)) return at
  throw new UsageError(`${name}: a time such as 2026-11-22, 2026-11-22T10:30Z or Unix seconds, got "${text}"`)
}

function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}
