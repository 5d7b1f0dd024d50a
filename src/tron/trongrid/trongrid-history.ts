import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { UsdtUnits } from '../../base/money.ts'
import type { TronAddress } from '../address.ts'
import { NodeError, nodeErrorAt, withJitter } from '../node/node-error.ts'
import { createNodeHttp, endpoint } from '../node/node-http.ts'
import type { TokenBucket } from '../node/token-bucket.ts'
import { type HistoryRow, readHistoryPage } from './history-page.ts'
import { balanceQuestion, readBalance } from './token-balance.ts'

/** TronGrid's index of an address: a second source, from other code than the node's. It is only compared, never credited. */
export interface TronGridHistory {
  /**
   * Lists the solidified USDT transfers to an address, oldest first. Two equal transfers of one transaction cannot be told
   * apart, so compare multisets. The list may end too early: a page that lost its fingerprint looks like the last one, and
   * the missing rows may be there the next time.
   * @param within by block time, both ends included.
   * @throws NodeError when a page still fails after some retries. The rows before it have been yielded.
   */
  received(
    address: TronAddress,
    within?: { sinceMs?: number | undefined; untilMs?: number | undefined },
  ): AsyncIterable<HistoryRow>
  /** Reads the address's balance at the solidified head. @throws NodeError */
  balanceOf(address: TronAddress): Promise<UsdtUnits>
  /** Closes the connections. Calls in flight fail. */
  close(): Promise<void>
}

const deadlineMs = 15_000
const rowsPerPage = 200
/** A million rows: too many to reconcile this way. */
const pagesMax = 5_000
/** How often one request is tried. */
const triesMax = 4
/** The wait after the first failure, doubled each time. */
const retryFirstMs = 500
/** A longer suspension is not waited out: the caller gets the error. */
const waitMaxMs = 60_000
/** How long a rate that the provider named is kept to. */
const slowedMs = 600_000

/**
 * Opens TronGrid's index.
 * @param options.baseUrl of TronGrid, or of a service with the same API.
 * @param options.pace shared by everything that asks this provider with this key.
 */
export function createTronGridHistory(options: {
  baseUrl: string
  apiKey?: string | undefined
  usdtContract: TronAddress
  pace: TokenBucket
  clock?: Clock
}): TronGridHistory {
  const { baseUrl, usdtContract, pace, clock = systemClock } = options
  const http = createNodeHttp({ baseUrls: [baseUrl], apiKey: options.apiKey, bucket: pace, deadlineMs })
  const closing = new AbortController()
  // One for each address that waits to be asked about again.
  setMaxListeners(0, closing.signal)
  const name = new URL(baseUrl).host

  /** Repeats a request until its answer can be read: through suspensions, and through a few failures. */
  const withRetries = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await ask()
      } catch (cause) {
        const waitMs = waitBefore(cause, tries)
        if (waitMs === null || closing.signal.aborted) throw nodeErrorAt(`${name}, ${what}`, cause)
        // With a status it is from the provider; without, the bucket refused before any request.
        if (cause instanceof NodeError && cause.kind === 'later' && cause.status !== undefined) {
          const nowMs = clock.now().getTime()
          pace.suspend(nowMs + waitMs)
          if (cause.allowedPerSecond) pace.slowDown(cause.allowedPerSecond, nowMs + slowedMs)
        }
        // Timers may fire a moment early. After close() the next try fails.
        await sleep(waitMs + 5, undefined, { signal: closing.signal }).catch(() => undefined)
      }
    }
  }
  return {
    async *received(address, { sinceMs, untilMs } = {}) {
      const url = endpoint(baseUrl, `/v1/accounts/${address}/transactions/trc20`)
      for (const [key, value] of Object.entries(query(usdtContract, sinceMs, untilMs))) {
        url.searchParams.set(key, value)
      }
      const seen = new Set<string>()
      for (let page = 0; page < pagesMax; page++) {
        const { rows, fingerprint } = await withRetries(`history of ${address}`, async () =>
          readHistoryPage(await http.get(url), { to: address, usdtContract }),
        )
        yield* rows.filter(
          ({ blockTimeMs: at }) => at >= (sinceMs ?? 0) && at <= (untilMs ?? Number.MAX_SAFE_INTEGER),
        )
        // An empty page that names a next one is not the last.
        if (fingerprint === null) return
        if (seen.has(fingerprint))
          throw new NodeError('failed', `${name}: the pages of ${address} go round in a circle`)
        seen.add(fingerprint)
        url.searchParams.set('fingerprint', fingerprint)
      }
      throw new NodeError('failed', `${name}: the history of ${address} has more than ${pagesMax} pages`)
    },
    balanceOf: address =>
      withRetries(`balance of ${address}`, async () =>
        readBalance(
          await http.post(
            endpoint(baseUrl, '/walletsolidity/triggerconstantcontract'),
            balanceQuestion(address, usdtContract),
          ),
        ),
      ),
    close() {
      closing.abort()
      return http.close()
    },
  }
}

/** Builds the query. TronGrid does not document whether bounds are included: it asks for a millisecond more at each end. */
function query(usdtContract: TronAddress, sinceMs?: number, untilMs?: number): Record<string, string> {
  return {
    only_confirmed: 'true',
    only_to: 'true',
    contract_address: usdtContract,
    limit: `${rowsPerPage}`,
    order_by: 'block_timestamp,asc',
    ...(sinceMs !== undefined && { min_timestamp: `${Math.max(0, sinceMs - 1)}` }),
    ...(untilMs !== undefined && { max_timestamp: `${untilMs + 1}` }),
  }
}

/** Computes the wait before the next try. @returns null when there is to be none. */
function waitBefore(error: unknown, tries: number): number | null {
  if (tries >= triesMax) return null
  const backOffMs = retryFirstMs * 2 ** (tries - 1)
  const askedMs = error instanceof NodeError ? (error.retryAfterMs ?? 0) : 0
  return askedMs > waitMaxMs ? null : withJitter(Math.max(askedMs, backOffMs))
}
