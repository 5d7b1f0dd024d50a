/** The time of day, as it is or as a test sets it. The chain's time decides about payments, this about the rest. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A time as the wire has it: whole seconds, cut off. */
export function unixSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000)
}
