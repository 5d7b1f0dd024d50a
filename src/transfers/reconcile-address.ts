import { setTimeout as sleep } from 'node:timers/promises'
import { type UsdtUnits, usdt } from '../base/money.ts'
import type { Pool } from '../db/pool.ts'
import type { HistoryRow } from '../tron/trongrid/history-page.ts'
import type { TronGridHistory } from '../tron/trongrid/trongrid-history.ts'
import { compareHistory, sumOf, type TransferFact } from './compare-history.ts'
import { recordedSpan, recordedTransfers, unprovedTransfers, type WatchedAddress } from './reconcile-store.ts'

/** How a second source differs from us about an address. */
export interface Difference {
  /** They have it, we do not: money that was not credited, unless they are wrong. */
  missing: TransferFact[]
  /** We have it, they do not: a credit that the chain may not back. */
  extra: TransferFact[]
  /** What the address holds above everything it is known to have received; 0n: nothing. */
  excess: UsdtUnits
}

export interface Comparison {
  /** The start of the comparison; default: the first block that counts for the address. */
  since?: Date | undefined
  /** The wait before a difference that may come from the provider's delay is checked again. */
  secondCheckMs?: number
  signal?: AbortSignal
}

/** Their index is behind the chain by about a minute. They may lack transfers younger than this, measured from the cursor. */
const settledMs = 600_000
const secondCheckDefaultMs = 90_000

/**
 * Compares an address's recorded transfers with TronGrid's history of it, up to the cursor's block, and its balance with what
 * it received. Nothing is written.
 *
 * The balance may not be above the sum of everything ever received, as either source knows it; what an address held before we
 * watched it is in that history. A balance below the sum is not reported: it is normal after funds were moved. The balance is
 * read before the history, which may be behind the node that gives the balance, and the history's pages have been seen to end
 * early. So an excess, or a transfer they lack, counts only when a second check still finds it.
 * @returns null while nothing is recorded that could be compared.
 * @throws NodeError when TronGrid cannot be asked.
 */
export async function compareAddress(
  pool: Pool,
  history: TronGridHistory,
  watched: WatchedAddress,
  comparison: Comparison = {},
): Promise<(Difference & { compared: number }) | null> {
  const first = await compareOnce(pool, history, watched, comparison)
  if (!first || (first.extra.length === 0 && first.excess === 0n)) return first
  const { secondCheckMs = secondCheckDefaultMs, signal } = comparison
  await sleep(secondCheckMs, undefined, signal && { signal })
  return await compareOnce(pool, history, watched, comparison)
}

async function compareOnce(
  pool: Pool,
  history: TronGridHistory,
  { id, address }: WatchedAddress,
  { since }: Comparison,
): Promise<(Difference & { compared: number }) | null> {
  const recorded = await recordedSpan(pool, id)
  if (!recorded) return null
  const span = { since: since && since > recorded.since ? since : recorded.since, until: recorded.until }
  // With a later start there is no sum to compare it with.
  const balance = since ? 0n : await history.balanceOf(address)
  const received = await collect(history.received(address, { sinceMs: span.since.getTime() }))
  // Ours are read last, so that we have everything they have up to the cursor.
  const ours = await recordedTransfers(pool, id, span)
  const { missing: unrecorded, extra } = compareHistory(received, ours)
  const { missing } = compareHistory(unrecorded, await unprovedTransfers(pool, id, span))
  const known = sumOf(received) + sumOf(extra)
  return {
    missing: missing.filter(({ time }) => time <= span.until),
    extra: extra.filter(({ time }) => time.getTime() <= span.until.getTime() - settledMs),
    excess: balance <= known ? usdt(0n) : await excessOf(history, address, balance, sumOf(extra)),
    compared: Math.max(received.length, ours.length),
  }
}

/** Computes the excess over the whole history, which includes payments from before we watched the address. */
async function excessOf(
  history: TronGridHistory,
  address: WatchedAddress['address'],
  balance: bigint,
  oursAlone: UsdtUnits,
): Promise<UsdtUnits> {
  const known = sumOf(await collect(history.received(address))) + oursAlone
  return usdt(balance > known ? balance - known : 0n)
}

async function collect(rows: AsyncIterable<HistoryRow>): Promise<TransferFact[]> {
  const facts: TransferFact[] = []
  for await (const { txid, from, to, amount, blockTimeMs } of rows) {
    facts.push({ txid, from, to, amount: usdt(amount), time: new Date(blockTimeMs) })
  }
  return facts
}
