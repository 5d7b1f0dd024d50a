import type { Clock } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'
import type { MerchantId } from '../../base/ids.ts'

/** Starts a test within the limits. @returns ends it. @throws GatewayError rate_limited, unavailable. */
export type StartTest = (merchantId: MerchantId) => () => void

/**
 * Limits of their own, because a test keeps its caller waiting and sends to a URL that its caller names. So an endpoint that
 * hangs holds at most two calls, for 7 s each, and nobody can use the gateway to flood another server.
 */
export const testLimits = {
  /** Running at once, of one merchant. */
  perMerchant: 2,
  /** Running at once, of all merchants. */
  together: 32,
  /** Started within a minute, of one merchant. */
  perMinute: 20,
}

const minuteMs = 60_000

/** Counts the tests of this process against the limits. */
export function limitTests(clock: Clock, limits = testLimits): StartTest {
  const merchants = new Map<MerchantId, { running: number; startedAt: number[] }>()
  let running = 0
  return merchantId => {
    const now = clock.now().getTime()
    const mine = merchants.get(merchantId) ?? { running: 0, startedAt: [] }
    mine.startedAt = mine.startedAt.filter(at => at > now - minuteMs)
    const [oldest] = mine.startedAt
    if (mine.running >= limits.perMerchant)
      throw refused(`${mine.running} tests are running: wait until one ends`, 1)
    if (oldest !== undefined && mine.startedAt.length >= limits.perMinute)
      throw refused(
        `more than ${limits.perMinute} tests in a minute`,
        Math.max(1, Math.ceil((oldest + minuteMs - now) / 1000)),
      )
    if (running >= limits.together)
      throw new GatewayError('unavailable', 'too many tests are running: try again', { retryAfterS: 1 })
    merchants.set(merchantId, mine)
    mine.startedAt.push(now)
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
