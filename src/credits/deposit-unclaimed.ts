import assert from 'node:assert/strict'
import { UsageError } from '../base/errors.ts'
import { failpoint } from '../base/failpoint.ts'
import type { MerchantId, TransferId } from '../base/ids.ts'
import { lockCursor } from '../blocks/chain-store.ts'
import { type Author, authorOf, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { findMerchantId } from '../merchants/merchant-store.ts'
import type { CreditRules } from './credit-rules.ts'
import { inCreditingTransaction } from './crediting-transaction.ts'
import { listUnclaimed, readUnclaimed } from './waiting-store.ts'

/** Transfers per transaction. It holds the cursor's lock, and crediting waits, for some tens of milliseconds. */
const sliceMax = 500

/** The most in one run: memory holds their ids. */
const transfersMax = 1_000_000

/**
 * Turns what is unclaimed at a merchant's addresses into deposits, in chain order, a slice in each transaction. It locks the
 * cursor like all that credits, so an order claims a transfer before, or never. It may be stopped and run again at any time:
 * what is a deposit already is not unclaimed any more. Does nothing once the merchant's deposits are off.
 * @returns how many it made.
 * @throws UsageError when no merchant has the appid, or when more than a million are unclaimed.
 */
export async function depositUnclaimed(
  pool: Pool,
  rules: CreditRules,
  appid: string,
  author: Partial<Author> = {},
): Promise<number> {
  const merchantId = await findMerchantId(pool, appid)
  if (merchantId === null) throw new UsageError(`no merchant has the appid "${appid}"`)
  // Under the lock: what is being credited now, by a watcher that read the setting before, is found too.
  const ids = await inTransaction(pool, async tx => {
    await lockCursor(tx)
    return await listUnclaimed(tx, merchantId, transfersMax + 1)
  })
  if (ids.length > transfersMax)
    throw new UsageError(`more than ${transfersMax} transfers are unclaimed: run it for fewer`)
  let total = 0
  for (let from = 0; from < ids.length; from += sliceMax)
    total += await depositSlice(pool, rules, {
      ids: ids.slice(from, from + sliceMax),
      appid,
      merchantId,
      author,
    })
  return total
}

async function depositSlice(
  pool: Pool,
  rules: CreditRules,
  slice: { ids: readonly TransferId[]; appid: string; merchantId: MerchantId; author: Partial<Author> },
): Promise<number> {
  const { ids, appid, merchantId, author } = slice
  return await inCreditingTransaction(pool, async (tx, credit) => {
    const cursor = await lockCursor(tx)
    assert(cursor, 'the rules were read from the cursor')
    // Claimed by an order since: not among them.
    const unclaimed = await readUnclaimed(tx, ids)
    if (unclaimed.length === 0) return 0
    const fresh = unclaimed.map(transfer => ({ ...transfer, wasUnclaimed: false }))
    const { deposits = 0 } = await credit(tx, rules, fresh, cursor.time)
    if (deposits > 0) {
      const detail = { transfers: deposits }
      const event = { action: 'deposits.included', subject: `merchant ${appid}`, detail, merchantId }
      await recordAudit(tx, { ...authorOf(author), ...event })
    }
    failpoint('deposits:before-commit')
    return deposits
  })
}
