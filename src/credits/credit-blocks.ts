import { failpoint } from '../base/failpoint.ts'
import { insertBlocks, type LockedCursor, moveCursor } from '../blocks/chain-store.ts'
import type { Pool, Tx } from '../db/pool.ts'
import { quarantineLogs } from '../transfers/quarantine-store.ts'
import type { RecordedTransfer } from '../transfers/transfer.ts'
import { recordTransfers } from '../transfers/transfer-store.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'
import type { CreditRules } from './credit-rules.ts'
import type { Credited } from './credit-transfers.ts'
import { inCreditingTransaction } from './crediting-transaction.ts'
import type { PendingTransfer } from './take-turns.ts'
import { addressesToClaim, allAddressesToClaim, waitingAt } from './waiting-store.ts'

/** What a batch of blocks came to, for the log and the metrics. */
export interface BlocksCredited extends Credited {
  transfers: number
}

/**
 * The step that everything leads to: cursor, headers, transfers, credits, order totals and callback rows move in one
 * transaction, or none of them does.
 * @param from where the caller read the cursor; the blocks follow on it without a gap, oldest first.
 * @returns null when another watcher has moved the cursor: nothing is written, and the caller has to read it again.
 * `quarantined` counts logs that cannot be decoded and transfers that cannot be credited.
 */
export async function creditBlocks(
  pool: Pool,
  rules: CreditRules,
  from: BlockRef,
  blocks: readonly SolidBlock[],
): Promise<BlocksCredited | null> {
  const last = blocks.at(-1)!
  try {
    const credited = await inCreditingTransaction(pool, async (tx, credit) => {
      const cursor = await moveCursor(tx, from, last)
      if (!cursor) throw new CursorMoved()
      failpoint('credit:after-cursor')
      await insertBlocks(tx, blocks)
      const undecodable = await quarantineLogs(tx, blocks)
      const recorded = await recordTransfers(tx, blocks, cursor.startHeight + 1)
      failpoint('credit:after-transfers')
      const claimed = await toClaim(tx, cursor, last, rules.graceMs)
      const waiting = await waitingAt(tx, addressesOf(recorded, claimed))
      const done = await credit(tx, rules, [...waiting, ...newlyPending(rules, blocks, recorded)], last.time)
      failpoint('credit:before-commit')
      return { ...done, transfers: recorded.length, quarantined: done.quarantined + undecodable }
    })
    failpoint('credit:after-commit')
    return credited
  } catch (error) {
    if (error instanceof CursorMoved) return null
    throw error
  }
}

class CursorMoved extends Error {}

/**
 * What was recorded just now, as crediting takes it: above the quorum amount it is held from the start, with the node
 * that served its block, so that another can be asked.
 */
export function newlyPending(
  rules: CreditRules,
  blocks: readonly Pick<SolidBlock, 'height' | 'node'>[],
  recorded: readonly RecordedTransfer[],
): PendingTransfer[] {
  const nodes = new Map(blocks.map(block => [block.height, block.node]))
  return recorded.map(transfer => {
    const isHeld = rules.quorumAmount !== null && transfer.amount > rules.quorumAmount
    return {
      ...transfer,
      written: false,
      reason: isHeld ? 'held' : null,
      node: isHeld ? nodes.get(transfer.height)! : null,
    }
  })
}

/** The addresses of what was recorded, and others, each once. */
export function addressesOf(recorded: readonly RecordedTransfer[], others: readonly bigint[] = []): bigint[] {
  return [...new Set<bigint>([...recorded.map(transfer => transfer.depositAddressId), ...others])]
}

/**
 * An order becomes visible some time after it was created: at its commit, which its statement's timeout (30 s) bounds.
 */
const commitMs = 35_000
/** About an hour of blocks. */
const lookAtAllEvery = 1_200

/**
 * Where may unclaimed money be claimed now that was not before? At addresses with an order that the chain's time came
 * to since the last transaction, or that became visible since. Once an hour all are looked at, should the database's
 * clock have been set back. Claiming late would change when, never what: an address is always taken in chain order.
 */
async function toClaim(tx: Tx, cursor: LockedCursor, last: BlockRef, graceMs: number): Promise<bigint[]> {
  if (Math.floor(cursor.height / lookAtAllEvery) < Math.floor(last.height / lookAtAllEvery)) {
    return allAddressesToClaim(tx)
  }
  const since = Math.min(cursor.time.getTime() + graceMs, cursor.movedAt.getTime() - commitMs)
  return addressesToClaim(tx, new Date(since), new Date(last.time.getTime() + graceMs))
}
