import { failpoint } from '../base/failpoint.ts'
import type { DepositAddressId } from '../base/ids.ts'
import { insertBlocks } from '../blocks/block-store.ts'
import { type LockedCursor, moveCursor } from '../blocks/chain-store.ts'
import { insertParked } from '../blocks/parked-block-store.ts'
import type { Pool, Tx } from '../db/pool.ts'
import { recordContractEvents } from '../transfers/contract-event-store.ts'
import { quarantineLogs } from '../transfers/quarantine-store.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'
import type { CreditRules } from './credit-rules.ts'
import { addressesOf, type Credited } from './credit-transfers.ts'
import { inCreditingTransaction } from './crediting-transaction.ts'
import type { PendingTransfer } from './pending-transfer.ts'
import { type ProvedTransfer, recordProved } from './record-proved.ts'
import { insertUnverified } from './unverified-block-store.ts'
import { addressesToClaim, allAddressesToClaim, waitingAt } from './waiting-store.ts'

/** What a batch of blocks wrote, for the log and the metrics. */
export interface BlocksCredited extends Credited {
  transfers: number
  /** Transfers that wait for proof and are not recorded; undefined: none. */
  unproved?: number
  /** Blocks that were not verified; undefined: none. */
  unverified?: number
  /** Blocks that are parked; undefined: none. */
  parked?: number
}

/**
 * Credits blocks: writes cursor, headers, transfers, credits, order totals and callback rows in one transaction.
 * @param from where the caller read the cursor. The blocks follow it without a gap, oldest first.
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
      await recordContractEvents(tx, blocks)
      const undecodable = await quarantineLogs(tx, blocks)
      const unverified = await insertUnverified(tx, blocks)
      const parked = await insertParked(tx, blocks)
      const { recorded, unproved, freed } = await recordProved(tx, rules, blocks, cursor.startHeight + 1)
      failpoint('credit:after-transfers')
      const claimed = await toClaim(tx, cursor, last, rules.graceMs)
      const waiting = await waitingAt(tx, addressesOf(recorded, [...claimed, ...freed]))
      const done = await credit(tx, rules, [...waiting, ...newlyPending(rules, recorded)], last.time)
      failpoint('credit:before-commit')
      return {
        ...done,
        transfers: recorded.length,
        quarantined: done.quarantined + undecodable,
        ...(unproved > 0 && { unproved }),
        ...(unverified > 0 && { unverified }),
        ...(parked > 0 && { parked }),
      }
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
 * Makes pending transfers of those recorded just now. Above the quorum amount they are held from the start, with the node
 * that served their block, so that another one can be asked. Where two hosts agreed already, nobody has to be.
 */
export function newlyPending(rules: CreditRules, recorded: readonly ProvedTransfer[]): PendingTransfer[] {
  return recorded.map(({ proof, node, ...transfer }) => {
    const isHeld = rules.quorumAmount !== null && transfer.amount > rules.quorumAmount && proof !== 'agreed'
    const reason = isHeld ? 'held' : null
    return { ...transfer, written: false, reason, wasUnclaimed: false, node: isHeld ? node : null }
  })
}

/** How long after its creation an order may become visible: at its commit, which the statement timeout (30 s) bounds. */
const commitMs = 35_000
/** About an hour of blocks. */
const checkAllEvery = 1_200

/**
 * Finds the addresses whose unclaimed transfers may be claimed now and could not before: those with an order whose creation
 * the chain's time has reached since the last transaction, or that became visible since. Once an hour all addresses are
 * checked, in case the database's clock was set back. Claiming late changes only the time: an address is always credited in
 * chain order.
 */
async function toClaim(
  tx: Tx,
  cursor: LockedCursor,
  last: BlockRef,
  graceMs: number,
): Promise<DepositAddressId[]> {
  if (Math.floor(cursor.height / checkAllEvery) < Math.floor(last.height / checkAllEvery)) {
    return allAddressesToClaim(tx)
  }
  const since = Math.min(cursor.time.getTime() + graceMs, cursor.movedAt.getTime() - commitMs)
  return addressesToClaim(tx, new Date(since), new Date(last.time.getTime() + graceMs))
}
