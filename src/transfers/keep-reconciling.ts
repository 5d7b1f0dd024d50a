import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../base/log.ts'
import type { Pool } from '../db/pool.ts'
import type { TronAddress } from '../tron/address.ts'
import { createTokenBucket } from '../tron/node/token-bucket.ts'
import { createTronGridHistory } from '../tron/trongrid/trongrid-history.ts'
import { reconcileAddresses } from './reconcile-addresses.ts'
import { addressesAfter, lastAddressId, type WatchedAddress } from './reconcile-store.ts'

const pageMax = 50
/** Of one address at a time; how many addresses an hour is what is spent of a day's quota. */
const requestsPerSecond = 2
/** After a failure: TronGrid's troubles last. */
const failedMs = 60_000

/**
 * Goes round all addresses, slowly, and holds each against TronGrid's history, until the signal says stop. It begins
 * anywhere: with a start every day and a round of a month, the same addresses would be looked at again and again.
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
        after ??= await anywhere(pool, options.random ?? Math.random)
        if (page.length === 0) page = await addressesAfter(pool, after, pageMax)
        const one = page.shift()
        // Past the last one it begins again.
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

async function anywhere(pool: Pool, random: () => number): Promise<bigint> {
  return BigInt(Math.floor(random() * Number(await lastAddressId(pool))))
}
