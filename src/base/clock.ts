/** The time of day, as it is or as a test sets it. The chain's time decides about payments, this about the rest. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A time as the wire has it: whole seconds, cut off. */
export function unixSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000)
}

/** A moment by both of a process's clocks: the steady one stands still while a machine is suspended, the other can be set. */
export interface Moment {
  steadyMs: number
  wallMs: number
}

export function thisMoment(): Moment {
  return { steadyMs: performance.now(), wallMs: Date.now() }
}

/** How long ago it was, by whichever clock says longer. */
export function elapsedMs(since: Moment): number {
  return Math.max(performance.now() - since.steadyMs, Date.now() - since.wallMs)
}
