import type { Clock } from '../base/clock.ts'
import type { ErrorCode } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import type { Logger } from '../base/log.ts'
import { limitKeyOf } from './limits/client-address.ts'

/** A refused request, as it is logged. */
export interface Refusal {
  requestId: string
  code: ErrorCode
  endpoint?: string | undefined
  /** Of a request with a right signature. */
  merchantId?: MerchantId | undefined
  clientAddress: string | null
  reason: string
}

/**
 * Logs refusals so that nobody can fill a disk with them. In each window, the first of a code and a merchant (or, without a
 * right signature, a client address) is logged as `request.refused`. The others are counted, and logged at the window's end
 * as one `request.refused_again`. At level debug each is logged.
 */
export interface RefusalLog {
  refused(refusal: Refusal): void
  /** Logs a failure of ours. Each is logged: no client causes these at will. */
  failed(facts: Omit<Refusal, 'reason'>, err: unknown): void
  /** Logs the counts of the window. */
  close(): void
}

const windowMs = 60_000
/**
 * Keys without a merchant that are told apart in a window. More addresses than this are counted together, by code: whoever has
 * a large IPv6 network has any number of addresses.
 */
const strangersMax = 200
/** As above, of merchants. There are about twenty codes. */
const merchantKeysMax = 2_000

interface Counted extends Pick<Refusal, 'code' | 'merchantId' | 'clientAddress'> {
  requests: number
}

export function openRefusalLog(log: Logger, clock: Clock): RefusalLog {
  let again = { strangers: new Map<string, Counted>(), merchants: new Map<string, Counted>() }
  let endsAt = 0
  let timer: NodeJS.Timeout | undefined

  const endWindow = () => {
    clearTimeout(timer)
    timer = undefined
    const ended = [...again.merchants.values(), ...again.strangers.values()]
    again = { strangers: new Map(), merchants: new Map() }
    for (const counted of ended) {
      if (counted.requests > 0) log.info({ ...counted, withinMs: windowMs }, 'request.refused_again')
    }
  }
  const beginWindow = (nowMs: number) => {
    endsAt = nowMs + windowMs
    // Without more traffic the counts are logged too. A log must not keep the process alive.
    timer = setTimeout(endWindow, windowMs)
    timer.unref()
  }
  return {
    refused(refusal) {
      const nowMs = clock.now().getTime()
      if (timer && nowMs >= endsAt) endWindow()
      if (!timer) beginWindow(nowMs)
      const { code, merchantId, clientAddress } = refusal
      const [counts, max, who] =
        merchantId === undefined
          ? [again.strangers, strangersMax, limitKeyOf(clientAddress ?? '')]
          : [again.merchants, merchantKeysMax, `${merchantId}`]
      const known = counts.get(`${code} ${who}`)
      if (!known && counts.size < max) {
        counts.set(`${code} ${who}`, { code, merchantId, clientAddress, requests: 0 })
        log.info(refusal, 'request.refused')
        return
      }
      const counted = known ?? counts.get(`${code} others`) ?? { code, clientAddress: null, requests: 0 }
      if (!known) counts.set(`${code} others`, counted)
      counted.requests++
      log.debug(refusal, 'request.refused')
    },
    failed: (facts, err) => log.error({ ...facts, err }, 'request.failed'),
    close: endWindow,
  }
}
