import { type Clock, systemClock } from '../../base/clock.ts'
import type { DayQuota } from './day-quota.ts'
import type { LoadLimit, RequestEnd } from './load-limit.ts'
import { NodeError } from './node-error.ts'

/**
 * Who goes first: `ahead` to finish something begun, or to check a node's health; `behind` is what crediting asks; `display` is
 * for sightings, which yield to all else.
 */
export type Turn = 'ahead' | 'behind' | 'display'

/** Paces the requests to one node, and bounds how many are in flight. Callers of one turn are served in the order they came. */
export interface TokenBucket {
  /**
   * Waits for a request's turn.
   * @param options.turn `behind` without it.
   * @returns a function to call once the request is over, with how it ended.
   * @throws NodeError `later` when the node is or becomes suspended, its quota of the day is used up, or nothing of it can be
   * spared for display; `failed` when the bucket is closed.
   */
  take(options?: { turn?: Turn | undefined }): Promise<(end?: RequestEnd) => void>
  /** Refuses every caller, waiting ones included, until then (ms since 1970). An earlier time than the present one is ignored. */
  suspend(untilMs: number): void
  /** Lowers the rate until then. The configured rate is never exceeded. */
  slowDown(perSecond: number, untilMs: number): void
  readonly perSecond: number
  readonly suspendedUntilMs: number
  /** How long its node is waited for now; undefined: as the caller likes. */
  readonly deadlineMs: number | undefined
  close(): void
}

/**
 * The burst allowed after an idle time, as a part of a second's requests; at least one request. The bucket is refilled at
 * the remaining 95 % of the rate, so that no interval of a second has more requests than the rate.
 */
const burstPart = 0.05

/**
 * Makes a bucket.
 * @param options.requestsPerSecond never exceeded in any second; above 0, may be below 1.
 * @param options.inFlightMax requests in flight at the same time.
 * @param options.load adapts that number to the node, instead of it.
 * @param options.quota counts the requests of the day.
 */
export function createTokenBucket(options: {
  requestsPerSecond: number
  inFlightMax?: number
  load?: LoadLimit | undefined
  quota?: DayQuota | undefined
  clock?: Clock
}): TokenBucket {
  const clock = options.clock ?? systemClock
  const { load, quota } = options
  const inFlightMax = () => load?.inFlightMax ?? options.inFlightMax ?? 16
  const waiting: Record<Turn, Waiter[]> = { ahead: [], behind: [], display: [] }
  let slowed = { perSecond: Number.POSITIVE_INFINITY, untilMs: 0 }
  let suspendedUntilMs = 0
  let closed = false
  let inFlight = 0
  let tokens = 1
  /** When a turn was last given to anything but a sighting. */
  let othersAtMs = Number.NEGATIVE_INFINITY
  let filledAtMs = clock.now().getTime()
  let timer: NodeJS.Timeout | undefined

  const perSecond = (nowMs: number) =>
    nowMs < slowed.untilMs ? Math.min(slowed.perSecond, options.requestsPerSecond) : options.requestsPerSecond
  const fill = (nowMs: number) => {
    const rate = perSecond(nowMs)
    // A clock set back must not drain the bucket.
    const passedMs = Math.max(0, nowMs - filledAtMs)
    tokens = Math.min(Math.max(1, rate * burstPart), tokens + (passedMs / 1000) * rate * (1 - burstPart))
    filledAtMs = nowMs
  }
  const release = () => {
    inFlight--
    serve()
  }
  const refusal = (nowMs: number) =>
    closed
      ? new NodeError('failed', 'the node was closed')
      : nowMs < suspendedUntilMs
        ? new NodeError('later', 'it asked us to wait', { retryAfterMs: suspendedUntilMs - nowMs })
        : quota?.left === 0
          ? new NodeError('later', 'its quota of the day is used up', {
              retryAfterMs: Math.max(0, quota.dayEndsMs - nowMs),
            })
          : null
  /** How long sightings still wait after what goes before them: it may well go on, and then the whole rate is its own. */
  const quietMs = (nowMs: number) => othersAtMs + 1000 / perSecond(nowMs) - nowMs
  const next = (nowMs: number): Waiter | undefined => {
    const other = waiting.ahead.shift() ?? waiting.behind.shift()
    if (other) othersAtMs = nowMs
    // A sighting does not take the last place at a node, where it would be waited for.
    if (other || quietMs(nowMs) > 0 || inFlight >= Math.max(1, inFlightMax() - 1)) return other
    return waiting.display.shift()
  }
  const serve = () => {
    clearTimeout(timer)
    const nowMs = clock.now().getTime()
    fill(nowMs)
    // The sum of many small refills is not exact.
    while (inFlight < inFlightMax() && tokens > 1 - 1e-6) {
      if (quota?.left === 0) return refuseWaiting()
      const waiter = next(nowMs)
      if (!waiter) break
      tokens--
      inFlight++
      quota?.count()
      const ended = load?.begin()
      waiter.resolve(
        once(end => {
          ended?.(end)
          release()
        }),
      )
    }
    const others = waiting.ahead.length + waiting.behind.length
    if (inFlight >= inFlightMax() || others + waiting.display.length === 0) return
    const refillMs = ((1 - tokens) / (perSecond(nowMs) * (1 - burstPart))) * 1000
    const waitMs = others > 0 ? refillMs : Math.max(refillMs, quietMs(nowMs))
    // A sighting that waits for a place alone is served when one is given back.
    if (waitMs > 0) timer = setTimeout(serve, Math.ceil(waitMs))
  }
  const refuseWaiting = () => {
    const error = refusal(clock.now().getTime())
    if (error)
      for (const list of Object.values(waiting)) for (const waiter of list.splice(0)) waiter.reject(error)
  }
  return {
    take: ({ turn = 'behind' } = {}) =>
      new Promise((resolve, reject) => {
        const error = refusal(clock.now().getTime())
        if (error) return reject(error)
        if (turn === 'display' && quota && !quota.maySpare()) {
          return reject(new NodeError('later', 'what is left of its quota of the day is kept for crediting'))
        }
        waiting[turn].push({ resolve, reject })
        serve()
      }),
    suspend(untilMs) {
      suspendedUntilMs = Math.max(suspendedUntilMs, untilMs)
      refuseWaiting()
    },
    slowDown(rate, untilMs) {
      fill(clock.now().getTime())
      slowed = { perSecond: rate, untilMs }
    },
    get perSecond() {
      return perSecond(clock.now().getTime())
    },
    get deadlineMs() {
      return load?.deadlineMs
    },
    get suspendedUntilMs() {
      return suspendedUntilMs
    },
    close() {
      closed = true
      clearTimeout(timer)
      refuseWaiting()
    },
  }
}

interface Waiter {
  resolve: (release: (end?: RequestEnd) => void) => void
  reject: (error: NodeError) => void
}

function once(call: (end: RequestEnd) => void): (end?: RequestEnd) => void {
  let done = false
  return (end = 'failed') => {
    if (!done) call(end)
    done = true
  }
}
