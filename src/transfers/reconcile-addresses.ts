import type { Logger } from '../base/log.ts'
import { formatUsdt } from '../base/money.ts'
import type { Pool } from '../db/pool.ts'
import type { TronGridHistory } from '../tron/trongrid/trongrid-history.ts'
import type { TransferFact } from './compare-history.ts'
import { type Discrepancy, noteDiscrepancy, resolveDiscrepancy } from './discrepancy-store.ts'
import { type Comparison, compareAddress, type Difference } from './reconcile-address.ts'
import type { WatchedAddress } from './reconcile-store.ts'

/** Counts of what reconciling found. */
export interface Reconciled {
  addresses: number
  transfers: number
  /** Discrepancies found, new or known. */
  differences: number
}

/** The most transfers listed for each kind. All are counted. */
const shownMax = 20

/**
 * Compares addresses one after the other and notes the discrepancies. Those that are no longer found are resolved, unless
 * only a part of the address's history was compared. Nothing is credited: a rescan does that, from the chain itself.
 * @throws NodeError when TronGrid cannot be asked; discrepancies found by then are noted.
 */
export async function reconcileAddresses(
  pool: Pool,
  history: TronGridHistory,
  watched: readonly WatchedAddress[],
  comparison: Comparison,
  log: Logger,
): Promise<Reconciled> {
  const total: Reconciled = { addresses: 0, transfers: 0, differences: 0 }
  for (const one of watched) {
    const seen = await compareAddress(pool, history, one, comparison)
    if (!seen) continue
    total.addresses++
    total.transfers += seen.compared
    for (const { kind, detail } of describe(seen)) {
      if (detail) {
        total.differences++
        const isNew = await noteDiscrepancy(pool, { kind, subject: one.address, detail })
        if (isNew) log.warn({ kind, subject: one.address, ...detail }, 'discrepancy.found')
        else log.debug({ kind, subject: one.address }, 'discrepancy.still_there')
      } else if (comparison.since === undefined) {
        const wasOpen = await resolveDiscrepancy(pool, { kind, subject: one.address })
        if (wasOpen) log.info({ kind, subject: one.address }, 'discrepancy.resolved')
      }
    }
  }
  return total
}

function describe({
  missing,
  extra,
  excess,
}: Difference): { kind: Discrepancy['kind']; detail: Discrepancy['detail'] | null }[] {
  return [
    { kind: 'missing_transfer', detail: listed(missing) },
    { kind: 'extra_transfer', detail: listed(extra) },
    { kind: 'balance_excess', detail: excess > 0n ? { usdt: formatUsdt(excess) } : null },
  ]
}

function listed(facts: readonly TransferFact[]): Discrepancy['detail'] | null {
  if (facts.length === 0) return null
  return {
    count: facts.length,
    transfers: facts.slice(0, shownMax).map(({ txid, from, amount, time }) => ({
      txid,
      from,
      usdt: formatUsdt(amount),
      time: time.toISOString(),
    })),
  }
}
