import type { Clock } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'

/** Takes a turn for a test; to be given back when it is over. @throws GatewayError rate_limited, unavailable. */
export type TakeTurn = (merchantId: bigint) => () => void

/**
 * A test sends to a URL its caller names and keeps the caller waiting, so it is bounded apart from all other calls: an
 * endpoint that hangs holds two of them for 7 s and no more, and nobody has us knock at a stranger's door all day.
 */
export const testBounds = {
  /** At once, for one merchant and for all of them. */
  perMerchant: 2,
  together: 32,
  /** Begun within a minute, for one merchant. */
  perMinute: 20,
}

const minuteMs = 60_000

/** Opens the turns of this process. */
export function openTestTurns(clock: Clock, bounds = testBounds): TakeTurn {
  const merchants = new Map<bigint, { running: number; begunAt: number[] }>()
  let running = 0
  return merchantId => {
    const now = clock.now().getTime()
    const mine = merchants.get(merchantId) ?? { running: 0, begunAt: [] }
    mine.begunAt = mine.begunAt.filter(at => at > now - minuteMs)
    const [oldest] = mine.begunAt
    if (mine.running >= bounds.perMerchant)
      throw refused(`${mine.running} tests are under way: wait for them`, 1)
    if (oldest !== undefined && mine.begunAt.length >= bounds.perMinute)
      throw refused(
        `more than ${bounds.perMinute} tests in a minute`,
        Math.max(1, Math.ceil((oldest + minuteMs - now) / 1000)),
      )
    if (running >= bounds.together)
      throw new GatewayError('unavailable', 'too many tests are under way: try again', { retryAfterS: 1 })
    merchants.set(merchantId, mine)
    mine.begunAt.push(now)
    mine.running++
    running++
    return () => {
      mine.running--
      running--
    }
  }
}

function refused(reason: string, retryAfterS: number): GatewayError {
  return new GatewayError('rate_limited', `testcallback: ${reason}`, { retryAfterS })
}
