import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from '../db/pool.ts'
import type { HistoryRow } from '../tron/trongrid/history-page.ts'
import type { TronGridHistory } from '../tron/trongrid/trongrid-history.ts'
import { compareHistory, sumOf, type TransferFact } from './compare-history.ts'
import { recordedSpan, recordedTransfers, type WatchedAddress } from './reconcile-store.ts'

/** What a second source says otherwise of an address. */
export interface Difference {
  /** They have it, we do not: money that nobody was credited for, unless they are wrong. */
  missing: TransferFact[]
  /** We have it, they do not: a credit that the chain may not back. */
  extra: TransferFact[]
  /** What the address holds beyond everything either of us knows it received, in base units; 0n: nothing. */
  excess: bigint
}

/** How an address is compared. */
export interface Comparison {
  /** From then on; default: from the first block that counts for the address. */
  since?: Date | undefined
  /** How long to wait before what might be the provider's lateness is looked at once more. */
  secondLookMs?: number
  signal?: AbortSignal
}

/** Their index is behind the chain by about a minute; what we recorded later than this before the cursor they may lack. */
const settledMs = 600_000
const secondLookDefaultMs = 90_000

/**
 * Compares what is recorded of an address with TronGrid's history of it, up to the cursor's block, and with what the
 * address holds. Nothing is written.
 *
 * The balance is judged from one side only, so that it cannot cry wolf: paying out, sweeping and a blacklist lower it,
 * and whatever an address held before we watched it is in its history. So it may never be above the sum of everything
 * ever received, as either source knows it; below says nothing. It is read before the history, which may be behind the
 * node that answers; for that reason, and because their pages have been seen to end early, an excess or something they
 * lack counts only when it is still there at a second look.
 * @returns null when nothing is recorded yet that could be compared.
 * @throws NodeError when TronGrid cannot be asked.
 */
export async function compareAddress(
  pool: Pool,
  history: TronGridHistory,
  watched: WatchedAddress,
  comparison: Comparison = {},
): Promise<(Difference & { compared: number }) | null> {
  const first = await look(pool, history, watched, comparison)
  if (!first || (first.extra.length === 0 && first.excess === 0n)) return first
  const { secondLookMs = secondLookDefaultMs, signal } = comparison
  await sleep(secondLookMs, undefined, signal && { signal })
  return await look(pool, history, watched, comparison)
}

async function look(
  pool: Pool,
  history: TronGridHistory,
  { id, address }: WatchedAddress,
  { since }: Comparison,
): Promise<(Difference & { compared: number }) | null> {
  const recorded = await recordedSpan(pool, id)
  if (!recorded) return null
  const span = { since: since && since > recorded.since ? since : recorded.since, until: recorded.until }
  // With a later start there is no sum to hold it against.
  const balance = since ? 0n : await history.balanceOf(address)
  const received = await collect(history.received(address, { sinceMs: span.since.getTime() }))
  // Ours are read last: what they have up to the cursor we must have by now.
  const ours = await recordedTransfers(pool, id, span)
  const { missing, extra } = compareHistory(received, ours)
  const known = sumOf(received) + sumOf(extra)
  return {
    missing: missing.filter(({ time }) => time <= span.until),
    extra: extra.filter(({ time }) => time.getTime() <= span.until.getTime() - settledMs),
    excess: balance <= known ? 0n : await excessOf(history, address, balance, sumOf(extra)),
    compared: Math.max(received.length, ours.length),
  }
}

/** What it was paid before we watched it counts too: the whole history is read only where it matters. */
async function excessOf(
  history: TronGridHistory,
  address: WatchedAddress['address'],
  balance: bigint,
  oursAlone: bigint,
): Promise<bigint> {
  const known = sumOf(await collect(history.received(address))) + oursAlone
  return balance > known ? balance - known : 0n
}

async function collect(rows: AsyncIterable<HistoryRow>): Promise<TransferFact[]> {
  const facts: TransferFact[] = []
  for await (const { txid, from, to, amount, blockTimeMs } of rows) {
    facts.push({ txid, from, to, amount, time: new Date(blockTimeMs) })
  }
  return facts
}
