import { type Clock, systemClock } from '../../base/clock.ts'
import { NodeError } from './node-error.ts'

/** Paces the requests to one node, and bounds how many are in flight. Callers are served in the order they came. */
export interface TokenBucket {
  /**
   * Waits for a request's turn.
   * @param options.ahead before the callers without it: to finish something begun, or to check a node's health.
   * @returns a function to call once the request is over.
   * @throws NodeError `later` when the node is or becomes suspended; `failed` when the bucket is closed.
   */
  take(options?: { ahead?: boolean }): Promise<() => void>
  /** Refuses every caller, waiting ones included, until then (ms since 1970). An earlier time than the present one is ignored. */
  suspend(untilMs: number): void
  /** Lowers the rate until then. The configured rate is never exceeded. */
  slowDown(perSecond: number, untilMs: number): void
  readonly perSecond: number
  readonly suspendedUntilMs: number
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
 */
export function createTokenBucket(options: {
  requestsPerSecond: number
  inFlightMax?: number
  clock?: Clock
}): TokenBucket {
  const clock = options.clock ?? systemClock
  const inFlightMax = options.inFlightMax ?? 16
  const waiting: Record<'ahead' | 'behind', Waiter[]> = { ahead: [], behind: [] }
  let slowed = { perSecond: Number.POSITIVE_INFINITY, untilMs: 0 }
  let suspendedUntilMs = 0
  let closed = false
  let inFlight = 0
  let tokens = 1
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
        : null
  const serve = () => {
    clearTimeout(timer)
    const nowMs = clock.now().getTime()
    fill(nowMs)
    // The sum of many small refills is not exact.
    while (inFlight < inFlightMax && tokens > 1 - 1e-6) {
      const waiter = waiting.ahead.shift() ?? waiting.behind.shift()
      if (!waiter) return
      tokens--
      inFlight++
      waiter.resolve(once(release))
    }
    if (inFlight < inFlightMax && waiting.ahead.length + waiting.behind.length > 0) {
      timer = setTimeout(serve, Math.ceil(((1 - tokens) / (perSecond(nowMs) * (1 - burstPart))) * 1000))
    }
  }
  const refuseWaiting = () => {
    const error = refusal(clock.now().getTime())
    if (error)
      for (const list of Object.values(waiting)) for (const waiter of list.splice(0)) waiter.reject(error)
  }
  return {
    take: ({ ahead = false } = {}) =>
      new Promise((resolve, reject) => {
        const error = refusal(clock.now().getTime())
        if (error) return reject(error)
        waiting[ahead ? 'ahead' : 'behind'].push({ resolve, reject })
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
  resolve: (release: () => void) => void
  reject: (error: NodeError) => void
}

function once(call: () => void): () => void {
  let done = false
  return () => {
    if (!done) call()
    done = true
  }
}
