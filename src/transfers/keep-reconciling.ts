import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../base/log.ts'
import type { Pool } from '../db/pool.ts'
import type { TronAddress } from '../tron/address.ts'
import { createTokenBucket } from '../tron/node/token-bucket.ts'
import { createTronGridHistory } from '../tron/trongrid/trongrid-history.ts'
import { reconcileAddresses } from './reconcile-addresses.ts'
import { addressesAfter, lastAddressId, type WatchedAddress } from './reconcile-store.ts'

const pageMax = 50
/** While an address is compared. How many addresses are compared in an hour decides how much of the daily quota is used. */
const requestsPerSecond = 2
/** The wait after a failure: outages of TronGrid take a while. */
const failedMs = 60_000

/**
 * Compares every address in turn with TronGrid's history, at a limited rate, until the signal aborts. It starts at a random
 * address: with a restart every day and a month for all addresses, the same ones would be compared again and again.
 * @param options.addressesPerHour about two requests each.
 */
export async function keepReconciling(options: {
  pool: Pool
  baseUrl: string
  apiKey: string | undefined
  usdtContract: TronAddress
  addressesPerHour: number
  log: Logger
  signal: AbortSignal
  random?: () => number
}): Promise<void> {
  const { pool, log, signal } = options
  const pace = createTokenBucket({ requestsPerSecond })
  const history = createTronGridHistory({ ...options, pace })
  const stop = () => void history.close()
  signal.addEventListener('abort', stop)
  try {
    let page: WatchedAddress[] = []
    let after: bigint | null = null
    while (!signal.aborted) {
      let waitMs = 3_600_000 / options.addressesPerHour
      try {
        after ??= await randomId(pool, options.random ?? Math.random)
        if (page.length === 0) page = await addressesAfter(pool, after, pageMax)
        const one = page.shift()
        // After the last one, start again from the first.
        after = one?.id ?? 0n
        if (one) await reconcileAddresses(pool, history, [one], { signal }, log)
      } catch (err) {
        if (signal.aborted) break
        log.warn({ err, retryInMs: failedMs }, 'reconcile.failed')
        waitMs = failedMs
      }
      await sleep(waitMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
    }
  } finally {
    signal.removeEventListener('abort', stop)
    pace.close()
    await history.close()
  }
}

async function randomId(pool: Pool, random: () => number): Promise<bigint> {
  return BigInt(Math.floor(random() * Number(await lastAddressId(pool))))
}
