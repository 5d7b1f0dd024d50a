import { UsageError } from '../base/errors.ts'

/**
 * Reads a time as an operator writes one: a date or a time of ISO 8601, UTC unless it says otherwise, or Unix seconds.
 * @param name of the option, for what is said when it is none of these.
 * @throws UsageError
 */
export function readTime(name: string, text: string): Date {
  if (/^\d{9,10}$/.test(text)) return new Date(Number(text) * 1000)
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  const at = match ? new Date(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`) : new Date(Number.NaN)
  // A day that no month has (2026-02-30) is read as one of the next month.
  if (match && !Number.isNaN(at.getTime()) && isDay(match[1]!)) return at
  throw new UsageError(`${name}: a time such as 2026-11-22, 2026-11-22T10:30Z or Unix seconds, got "${text}"`)
}

function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}
