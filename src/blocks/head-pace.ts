import type { Pacing } from '../tron/network.ts'

/** Decides when the next block is asked for at the head. */
export interface HeadPace {
  /** How long to wait now, in ms, until blocks after a given one may be there. */
  waitMs(last: { time: Date }, count: number): number
  /** Blocks came. @param last the highest of them. @param isWhole whether all that were asked for did. */
  came(last: { time: Date }, isWhole: boolean): void
  /** None was there yet. */
  missed(): void
}

/** By how much earlier each next block is asked for while every one is there at once. */
const earlierMs = 10
/** Kept between the time at which a block was found and that at which the next is expected. */
const marginMs = 50

/**
 * Learns how long after its own time a block can be read, by our clock: so a wrong clock does not matter, and nearly every
 * call finds a block. After a miss it is asked again soon, and after a second one at the next slot.
 * @param slotMs the time from block to block; null where that is not known: it is asked at an interval.
 */
export function createHeadPace(options: {
  slotMs: number | null
  pollMs: Pacing['pollMs']
  nowMs: () => number
}): HeadPace {
  const { slotMs, pollMs, nowMs } = options
  let lateMs = 0
  let misses = 0
  return {
    waitMs(last, count) {
      if (slotMs === null) return misses > 0 ? pollMs : 0
      if (misses === 1) return pollMs
      const expectedMs = last.time.getTime() + count * slotMs + lateMs
      const slots = misses > 1 ? Math.ceil(Math.max(0, nowMs() - expectedMs + 1) / slotMs) : 0
      // No longer than a turn of the chain: a block's time is whatever its node says.
      return Math.min(Math.max(0, expectedMs + slots * slotMs - nowMs()), (count + 1) * slotMs)
    },
    came(last, isWhole) {
      const ageMs = nowMs() - last.time.getTime()
      if (isWhole) lateMs = misses > 0 ? ageMs + marginMs : lateMs - earlierMs
      else if (slotMs !== null) {
        // The next one is at least so late. It is expected then already, unless a producer has missed its turn.
        const nextLateMs = ageMs - slotMs
        if (nextLateMs > lateMs - marginMs) lateMs = nextLateMs + marginMs
      }
      misses = 0
    },
    missed() {
      misses++
    },
  }
}
