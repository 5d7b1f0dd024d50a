import { type UsdtUnits, wholeLegacyUnits } from '../../base/money.ts'

/**
 * What an order has received and not yet announced, in whole 1/10000 USDT.
 * At least 1: the credit that led here writes one callback for all of it. 0: the rest waits for the next credit. So an
 * order's callbacks always add up to floor(received / 100).
 * @param received base units, this credit included.
 * @param announced 1/10000 USDT, the sum over the order's callbacks so far.
 */
export function pendingAnnouncement(received: UsdtUnits, announced: bigint): bigint {
  return wholeLegacyUnits(received) - announced
}
