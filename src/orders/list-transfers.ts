import type { MerchantId } from '../base/ids.ts'
import { formatUsdt } from '../base/money.ts'
import type { Pool } from '../db/pool.ts'
import { cursorOf, showTransfer, type TransferFilter } from './listed-transfer.ts'
import { readTransferPage } from './transfer-page-store.ts'

/**
 * Reads a page of the transfers to a merchant's addresses, newest first, as the wire has it.
 * @param reads the pool for reads.
 * @returns `next`: the cursor for the next page; null after the last. A page may have fewer than `limit` and a `next`.
 */
export async function listTransfers(reads: Pool, merchantId: MerchantId, filter: TransferFilter) {
  const { transfers, stoppedAt, seen } = await readTransferPage(reads, merchantId, filter)
  const page = transfers.slice(0, filter.limit)
  const last = transfers.length > filter.limit ? page.at(-1)! : stoppedAt
  return {
    transfers: page.map(showTransfer),
    seen: seen.map(sighting => ({ ...sighting, amount: formatUsdt(sighting.amount) })),
    next: last && cursorOf(last),
  }
}
