import { type Clock, systemClock } from '../../base/clock.ts'
import { NodeError } from './node-error.ts'

/** Paces the requests to one node, and bounds how many are out at a time. Waiting callers are served in their order. */
export interface TokenBucket {
  /**
   * Waits for a request's turn.
   * @param options.ahead before those who wait without it: the rest of something begun, or a question about health.
   * @returns what to call when the request is over, once.
   * @throws NodeError `later` when the node is, or gets, suspended; `failed` when the bucket is closed.
   */
  take(options?: { ahead?: boolean }): Promise<() => void>
  /** Nobody is let through until then, in ms since 1970; whoever waits is sent away. A shorter one changes nothing. */
  suspend(untilMs: number): void
  /** Lowers the pace until then; the one configured is never exceeded. */
  slowDown(perSecond: number, untilMs: number): void
  readonly perSecond: number
  readonly suspendedUntilMs: number
  close(): void
}

/**
 * What may go out at once after a rest, as a part of a second's worth. Refilled at the rest of the rate, so that no
 * second, wherever it begins, sees more than the rate. One at least, at 95 % of the rate: arrivals jitter.
 */
const burstPart = 0.05

/**
 * @param options.requestsPerSecond never exceeded in any second; above 0, may be below 1.
 * @param options.inFlightMax requests out at the same time.
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
    // What is left after as many additions as there are requests is not exact.
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
  const sendAway = () => {
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
      sendAway()
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
      sendAway()
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
