import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { TronAddress } from '../address.ts'
import { NodeError } from '../node/node-error.ts'
import { createNodeHttp, endpoint } from '../node/node-http.ts'
import type { TokenBucket } from '../node/token-bucket.ts'
import { withJitter } from '../pool/node-health.ts'
import { type HistoryRow, readHistoryPage } from './history-page.ts'
import { balanceQuestion, readBalance } from './token-balance.ts'

/** TronGrid's own view of an address: a second source, made by other code than the node's. To compare with, no more. */
export interface TronGridHistory {
  /**
   * The solidified USDT transfers to an address, oldest first. A transfer paid twice alike in one transaction is there
   * twice and nothing tells the two apart: compare as multisets. Complete as far as the provider says so: a page that
   * loses its fingerprint looks like the last one, so what is missing at the end may be there the next time.
   * @param within by block time, both included.
   * @throws NodeError when a page cannot be had, after some patience; what came before it has been given.
   */
  received(
    address: TronAddress,
    within?: { sinceMs?: number | undefined; untilMs?: number | undefined },
  ): AsyncIterable<HistoryRow>
  /** The address's balance at the solidified head, in base units. @throws NodeError */
  balanceOf(address: TronAddress): Promise<bigint>
  /** Ends the calls in hand: they fail. */
  close(): Promise<void>
}

const deadlineMs = 15_000
const rowsPerPage = 200
/** A million rows: an address nobody reconciles this way. */
const pagesMax = 5_000
/** Failures of one question: the first wait, doubled each time. */
const triesMax = 4
const retryFirstMs = 500
/** Told to wait longer than that, the caller hears of it. */
const waitMaxMs = 60_000
/** How long the provider's word about how often it may be asked is kept. */
const slowedMs = 600_000

/**
 * @param options.baseUrl of TronGrid, or of what speaks like it.
 * @param options.pace shared by all that ask this provider with this key.
 */
export function createTronGridHistory(options: {
  baseUrl: string
  apiKey?: string | undefined
  usdtContract: TronAddress
  pace: TokenBucket
  clock?: Clock
}): TronGridHistory {
  const { baseUrl, usdtContract, pace, clock = systemClock } = options
  const http = createNodeHttp({ apiKey: options.apiKey, bucket: pace, deadlineMs })
  const closing = new AbortController()
  const name = new URL(baseUrl).host

  /** Asks until there is an answer that can be read, with patience for suspensions and for a few failures. */
  const patiently = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await ask()
      } catch (cause) {
        const waitMs = waitBefore(cause, tries)
        if (waitMs === null || closing.signal.aborted) throw failure(`${name}, ${what}`, cause)
        // What the provider said, not what the bucket repeated.
        const said = cause instanceof NodeError && cause.kind === 'later' && cause.status !== undefined
        if (said) pace.suspend(clock.now().getTime() + waitMs)
        if (said && cause.allowedPerSecond) {
          pace.slowDown(cause.allowedPerSecond, clock.now().getTime() + slowedMs)
        }
        // Timers come a moment early at times. Closed: the next try fails.
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
        const { rows, fingerprint } = await patiently(`history of ${address}`, async () =>
          readHistoryPage(await http.get(url), { to: address, usdtContract }),
        )
        yield* rows.filter(
          ({ blockTimeMs: at }) => at >= (sinceMs ?? 0) && at <= (untilMs ?? Number.MAX_SAFE_INTEGER),
        )
        // An empty page is not the last one while it names a next.
        if (fingerprint === null) return
        if (seen.has(fingerprint))
          throw new NodeError('failed', `${name}: the pages of ${address} go round in a circle`)
        seen.add(fingerprint)
        url.searchParams.set('fingerprint', fingerprint)
      }
      throw new NodeError('failed', `${name}: the history of ${address} has more than ${pagesMax} pages`)
    },
    balanceOf: address =>
      patiently(`balance of ${address}`, async () =>
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

/** Whether the bounds are included is not documented: asked for a little more, and cut here. */
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

/** @returns null when it is enough. */
function waitBefore(error: unknown, tries: number): number | null {
  if (tries >= triesMax) return null
  const backOffMs = retryFirstMs * 2 ** (tries - 1)
  const saidMs = error instanceof NodeError ? (error.retryAfterMs ?? 0) : 0
  return saidMs > waitMaxMs ? null : withJitter(Math.max(saidMs, backOffMs))
}

function failure(what: string, cause: unknown): NodeError {
  const known = cause instanceof NodeError ? cause : undefined
  return new NodeError(known?.kind ?? 'failed', `${what}: ${(cause as Error).message}`, {
    retryAfterMs: known?.retryAfterMs,
    status: known?.status,
    cause,
  })
}
