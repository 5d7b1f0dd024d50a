import { GatewayError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import { tookTooLong } from '../db/read-pool.ts'

/** Does a merchant's work in its turn. @throws GatewayError rate_limited, unavailable. */
export type TakeTurn = <T>(merchantId: MerchantId, work: () => Promise<T>) => Promise<T>

export interface TurnRules {
  /** The endpoint, for messages. */
  name: string
  /** How many a merchant may have waiting besides the one that runs. */
  waitingPerMerchant: number
  /** Tells the caller whose read was cancelled what to ask for instead. */
  whenTooLong: string
}

/** How many run at once, of all merchants. */
const together = 2

/** How many may wait, of all merchants. */
const waitingMax = 1_024

/** Who has waited longer is refused: its caller would be answered before its work is done. */
const waitMaxMs = 2_500

interface Waiting {
  since: number
  start(): void
  refuse(error: GatewayError): void
}

/**
 * Opens the turns of an endpoint whose work may take seconds. A merchant does one at a time, and merchants that wait take
 * turns: many requests of one delay another's by one of them.
 */
export function openMerchantTurns({ name, waitingPerMerchant, whenTooLong }: TurnRules): TakeTurn {
  const running = new Set<MerchantId>()
  // Whose turn is next comes first.
  const queues = new Map<MerchantId, Waiting[]>()
  let waiting = 0

  const busy = () =>
    new GatewayError('unavailable', `${name}: too many are running: try again`, { retryAfterS: 1 })

  /** Whoever had its turn waits behind those who did not. */
  const toTheEnd = (merchantId: MerchantId) => {
    const queue = queues.get(merchantId)
    if (!queue) return
    queues.delete(merchantId)
    queues.set(merchantId, queue)
  }

  const startNext = () => {
    for (const [merchantId, queue] of queues) {
      if (running.size >= together) return
      if (running.has(merchantId)) continue
      queues.delete(merchantId)
      while (queue.length > 0 && !running.has(merchantId)) {
        const next = queue.shift()!
        waiting--
        if (performance.now() - next.since > waitMaxMs) next.refuse(busy())
        else {
          running.add(merchantId)
          next.start()
        }
      }
      // To the end, behind those who wait for their first.
      if (queue.length > 0) queues.set(merchantId, queue)
    }
  }

  const turnOf = (merchantId: MerchantId) =>
    new Promise<void>((start, refuse) => {
      const queue = queues.get(merchantId) ?? []
      if (queue.length + Number(running.has(merchantId)) > waitingPerMerchant) {
        const most = waitingPerMerchant === 0 ? 'only one' : `at most ${1 + waitingPerMerchant}`
        refuse(
          new GatewayError('rate_limited', `${name}: ${most} at a time for each merchant`, {
            retryAfterS: 1,
          }),
        )
        return
      }
      if (waiting >= waitingMax) {
        refuse(busy())
        return
      }
      waiting++
      queue.push({ since: performance.now(), start, refuse })
      queues.set(merchantId, queue)
      startNext()
    })

  return async (merchantId, work) => {
    await turnOf(merchantId)
    try {
      return await work()
    } catch (error) {
      if (!tookTooLong(error)) throw error
      throw new GatewayError('unavailable', `${name}: took too long: ${whenTooLong}`, {
        cause: error,
        retryAfterS: 1,
      })
    } finally {
      running.delete(merchantId)
      toTheEnd(merchantId)
      startNext()
    }
  }
}
