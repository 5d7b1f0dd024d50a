import type { Clock } from '../../base/clock.ts'

/** How a request ended, as far as the load on its node is concerned. */
export type RequestEnd = 'answered' | 'timed out' | 'failed'

/**
 * How much a node is asked at once, and how long it is waited for. A node under load may delay answers and refuse none: whoever
 * gives up and asks again then makes a queue that never empties. So fewer are asked at once when answers do not come in time.
 */
export interface LoadLimit {
  readonly inFlightMax: number
  readonly deadlineMs: number
  /** Begins a request. @returns a function to call at its end. */
  begin(): (end: RequestEnd) => void
}

/** A node that only delays has answered by then. */
const deadlineMaxMs = 60_000

/**
 * Makes a limit that adapts: halved at a timeout, down to one; one more after as many answers as are asked at once, if they
 * come in half of the deadline. Requests that were out together count as one timeout.
 * @param options.inFlightMax the most, and the limit at the start.
 * @param options.deadlineMs at the start. It is doubled at a timeout up to a minute, but only while the node is alone: otherwise
 * another one is asked sooner. It is back after an answer that would have been in time.
 */
export function createLoadLimit(options: {
  inFlightMax: number
  deadlineMs: number
  isAlone: () => boolean
  clock: Clock
}): LoadLimit {
  const { clock, isAlone } = options
  const now = () => clock.now().getTime()
  let inFlightMax = options.inFlightMax
  let deadlineMs = options.deadlineMs
  let answers = 0
  // Counts the timeouts: a request that began before the last one says nothing new.
  let round = 0
  return {
    get inFlightMax() {
      return inFlightMax
    },
    get deadlineMs() {
      return isAlone() ? deadlineMs : options.deadlineMs
    },
    begin() {
      const begun = { atMs: now(), round }
      return end => {
        if (end === 'failed') return
        if (end === 'timed out') {
          if (begun.round !== round) return
          round++
          answers = 0
          inFlightMax = Math.max(1, inFlightMax >> 1)
          if (isAlone()) deadlineMs = Math.min(deadlineMs * 2, Math.max(deadlineMaxMs, options.deadlineMs))
          return
        }
        const tookMs = now() - begun.atMs
        if (tookMs < options.deadlineMs) deadlineMs = options.deadlineMs
        if (begun.round !== round || tookMs > deadlineMs / 2 || ++answers < inFlightMax) return
        answers = 0
        inFlightMax = Math.min(inFlightMax + 1, options.inFlightMax)
      }
    },
  }
}
