import type { Clock } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'
import type { MerchantId } from '../../base/ids.ts'

/** Counts the callbacks of a resend against the limit. @throws GatewayError rate_limited when they are too many. */
export type CountResent = (merchantId: MerchantId, count: number) => void

/**
 * How many callbacks a merchant can make due with resendcallback. One order has as many as it was paid, so a number of calls
 * alone limits nothing. `gateway callbacks resend` is for more, and knows no limit.
 */
export const resendLimits = {
  /** Of one order in one call. */
  perCall: 1_000,
  /** In all calls within a minute, in each API process. By default a merchant may make 6 000 calls, most of them for one callback. */
  perMinute: 10_000,
}

const minuteMs = 60_000

/** Counts the resends of this process against the limit. */
export function limitResends(clock: Clock, perMinute = resendLimits.perMinute): CountResent {
  const merchants = new Map<MerchantId, { at: number; count: number }[]>()
  return (merchantId, count) => {
    const now = clock.now().getTime()
    const recent = (merchants.get(merchantId) ?? []).filter(({ at }) => at > now - minuteMs)
    merchants.set(merchantId, recent)
    let room = perMinute - recent.reduce((sum, resend) => sum + resend.count, 0)
    if (count > room) {
      const makesRoom = recent.find(resend => {
        room += resend.count
        return count <= room
      })
      const waitMs = makesRoom ? makesRoom.at + minuteMs - now : minuteMs
      throw new GatewayError(
        'rate_limited',
        `resendcallback: more than ${perMinute} callbacks sent again in a minute`,
        { retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)) },
      )
    }
    if (count > 0) recent.push({ at: now, count })
  }
}
