/** The time of day, real or set by a test. Payments are judged by the chain's time, everything else by this. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** Converts a time to whole Unix seconds, rounded down. */
export function unixSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000)
}

/**
 * A moment by both of a process's clocks. The monotonic one stops while the machine is suspended; the wall clock can be set
 * back.
 */
export interface Moment {
  steadyMs: number
  wallMs: number
}

export function thisMoment(): Moment {
  return { steadyMs: performance.now(), wallMs: Date.now() }
}

/** Milliseconds since a moment, by the clock that shows more. */
export function elapsedMs(since: Moment): number {
  return Math.max(performance.now() - since.steadyMs, Date.now() - since.wallMs)
}
