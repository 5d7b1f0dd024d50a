import type { Clock } from '../../base/clock.ts'

/** Counts the calls to one node in a day of UTC, and what is left of its quota, if it has one. */
export interface DayQuota {
  /** Calls allowed in a day; null: any number. */
  readonly perDay: number | null
  count(): void
  /** Calls today, those of other processes and of before a restart included, as far as they are known. */
  readonly calls: number
  /** How many are left today; null without a quota. */
  readonly left: number | null
  /** When the next day begins, in ms since 1970. */
  readonly dayEndsMs: number
  /**
   * Whether a call may be made now that is for display alone; if so, it counts against what is left for those. What crediting
   * needs until the day ends is not touched, and the rest is spread over the day.
   */
  maySpare(): boolean
  /** Calls that are not saved yet, by day: `2026-11-23`. They count as saved from here on. */
  takeUnsaved(): { day: string; calls: number }[]
  /** Notes how many calls all processes together have made on a day, after this one's were added. */
  learn(day: string, calls: number): void
  /** Gives back what could not be saved. */
  giveBack(day: string, calls: number): void
}

const dayMs = 86_400_000
/** What may be spared at once after a time without display. */
const spareMax = 30

/**
 * @param options.perDay null: calls are counted, and none is refused.
 * @param options.reservePerDay what crediting alone takes in a day.
 */
export function createDayQuota(options: {
  perDay: number | null
  reservePerDay: number
  clock: Clock
}): DayQuota {
  const { perDay, reservePerDay, clock } = options
  const now = () => clock.now().getTime()
  const startOf = (ms: number) => Math.floor(ms / dayMs) * dayMs
  let startMs = startOf(now())
  let calls = 0
  let unsaved = new Map<string, number>()
  let spare = { calls: spareMax, atMs: now() }

  const roll = () => {
    // A clock that is set back a little must not begin yesterday again.
    if (now() - startMs < dayMs) return
    startMs = startOf(now())
    calls = 0
  }
  const left = () => (perDay === null ? null : Math.max(0, perDay - calls))
  return {
    perDay,
    get calls() {
      roll()
      return calls
    },
    get left() {
      roll()
      return left()
    },
    get dayEndsMs() {
      roll()
      return startMs + dayMs
    },
    count() {
      roll()
      calls++
      const day = dayOf(startMs)
      unsaved.set(day, (unsaved.get(day) ?? 0) + 1)
    },
    maySpare() {
      roll()
      const leftNow = left()
      if (leftNow === null) return true
      const restMs = Math.max(1, startMs + dayMs - now())
      const free = leftNow - (reservePerDay * restMs) / dayMs
      const passedMs = Math.max(0, now() - spare.atMs)
      spare = {
        calls: Math.min(spareMax, spare.calls + (Math.max(0, free) * passedMs) / restMs),
        atMs: now(),
      }
      if (free < 1 || spare.calls < 1) return false
      spare.calls--
      return true
    },
    takeUnsaved() {
      roll()
      const taken = [...unsaved].map(([day, count]) => ({ day, calls: count }))
      unsaved = new Map()
      // Today is always among them, to learn what others have added.
      const today = dayOf(startMs)
      return taken.some(({ day }) => day === today) ? taken : [...taken, { day: today, calls: 0 }]
    },
    learn(day, total) {
      roll()
      if (day === dayOf(startMs)) calls = total + (unsaved.get(day) ?? 0)
    },
    giveBack(day, count) {
      if (count > 0) unsaved.set(day, (unsaved.get(day) ?? 0) + count)
    },
  }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
