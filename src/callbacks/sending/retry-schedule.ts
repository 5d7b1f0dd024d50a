const secondMs = 1_000
const minuteMs = 60_000
const hourMs = 3_600_000

/** How long each attempt waits after the one before: 15 attempts, the last 82 h 42 min after the first, without jitter. */
export const retryIntervalsMs: readonly number[] = [
  0,
  5 * secondMs,
  30 * secondMs,
  2 * minuteMs,
  10 * minuteMs,
  30 * minuteMs,
  1 * hourMs,
  3 * hourMs,
  6 * hourMs,
  ...Array<number>(6).fill(12 * hourMs),
]

/** The share by which a wait varies, so that callbacks that failed together are not retried together. */
const jitter = 0.1

/** The longest Retry-After that is honoured. A longer wait would amount to giving up. */
const retryAfterMaxMs = 24 * hourMs

/** The longest wait after an attempt when the endpoint asks for none. @param step as for `decideRetry`. */
export function longestIntervalMs(step: number): number {
  return Math.round((retryIntervalsMs[step + 1] ?? 0) * (1 + jitter))
}

/** What happens to a callback whose attempt was not acknowledged. */
export type RetryDecision = { kind: 'retry'; inMs: number } | { kind: 'exhausted' }

/**
 * Decides when a callback that was not acknowledged is retried. Only the number of attempts exhausts it, or an answer of 410,
 * by which the endpoint says that it will never accept it.
 * @param step how many attempts of the schedule were made before this one, 0 for the first.
 * @param answer the status and the Retry-After, if there were any. Retry-After may lengthen the wait, up to a day, but not
 *   shorten it: an hour of 503s with "Retry-After: 1" would use up all attempts in seconds.
 * @param random from 0 to 1.
 */
export function decideRetry(
  step: number,
  answer: { status?: number | undefined; retryAfterMs?: number | undefined },
  random: () => number = Math.random,
): RetryDecision {
  const intervalMs = retryIntervalsMs[step + 1]
  if (answer.status === 410 || intervalMs === undefined) return { kind: 'exhausted' }
  const scheduledMs = intervalMs * (1 - jitter + 2 * jitter * random())
  const askedMs = Math.min(answer.retryAfterMs ?? 0, retryAfterMaxMs)
  return { kind: 'retry', inMs: Math.round(Math.max(scheduledMs, askedMs)) }
}

/**
 * Reads a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3).
 * @returns milliseconds from now, not below 0; undefined without a header, or with one that is neither.
 */
export function parseRetryAfter(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * secondMs
  // Date.parse accepts much more than HTTP dates, which all end in GMT.
  const at = header.endsWith(' GMT') ? Date.parse(header) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime())
}
