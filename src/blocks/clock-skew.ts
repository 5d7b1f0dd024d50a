// How far apart two clocks are. A reading takes time, and a block is there only some time after its own time, so a reading
// gives bounds. What counts is the least difference that they allow: a slow answer can hide a difference, never make one up.

/** How far one clock is ahead of another, in ms; negative: behind. The truth lies between the two. */
export interface SkewBounds {
  leastMs: number
  mostMs: number
}

/** When a question was sent and its answer received, by the process's wall clock, in ms since 1970. */
export interface RoundTrip {
  sentMs: number
  receivedMs: number
}

/** The newest block, as a node showed it. */
export interface HeadReading extends RoundTrip {
  /** The block's own time, in ms since 1970. */
  timeMs: number
  /** When it was received, by a clock that is never set. */
  steadyMs: number
}

/** How much the head's time and ours may differ in their progress: a block's interval each way, and a missed slot. */
const stepMaxMs = 9_000
/** Over less, a node that stands still cannot be told from one that goes on. */
const apartMinMs = 30_000

/** Bounds how far a clock that was read is ahead of the process's. */
export function boundsOf(readMs: number, { sentMs, receivedMs }: RoundTrip): SkewBounds {
  return { leastMs: readMs - receivedMs, mostMs: readMs - sentMs }
}

/**
 * Bounds how far the chain's time is ahead of the process's clock. TRON's blocks have the time of their slot, so none is from
 * the future. That it is old says something only while the head goes on in step with our time. Otherwise the node stands
 * still or is catching up, which is no matter of clocks.
 * @param before the reading before, if there is one.
 * @param slotMs how soon after a block the next one comes; null where that is not known, as on a private chain.
 */
export function boundsOfChain(
  head: HeadReading,
  before: HeadReading | null,
  slotMs: number | null,
): SkewBounds {
  const { leastMs, mostMs } = boundsOf(head.timeMs, head)
  const isLive = slotMs !== null && before !== null && goesInStep(before, head)
  return { leastMs, mostMs: isLive ? mostMs + slotMs : Number.POSITIVE_INFINITY }
}

function goesInStep(before: HeadReading, head: HeadReading): boolean {
  const ourMs = head.steadyMs - before.steadyMs
  return ourMs >= apartMinMs && Math.abs(head.timeMs - before.timeMs - ourMs) <= stepMaxMs
}

/** Bounds how far one clock is ahead of another, from those of each against a third. */
export function boundsBetween(one: SkewBounds, other: SkewBounds): SkewBounds {
  return { leastMs: one.leastMs - other.mostMs, mostMs: one.mostMs - other.leastMs }
}

/** The least skew that the bounds allow, in ms; 0 when the clocks may agree. */
export function leastSkewMs({ leastMs, mostMs }: SkewBounds): number {
  if (leastMs > 0) return leastMs
  // Our own clock was set back between question and answer: this reading tells nothing.
  return mostMs < 0 && mostMs >= leastMs ? mostMs : 0
}
