/** The time of day, as it is or as a test sets it. The chain's time decides about payments, this about the rest. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }
