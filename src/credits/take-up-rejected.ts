import type { DepositAddressId, TransferId } from '../base/ids.ts'
import { recordAudit } from '../db/audit-store.ts'
import type { Queryable, Tx } from '../db/pool.ts'
import type { SolidBlock } from '../tron/block.ts'
import { compareHeld, confirmByAny, type SecondNodes } from './confirm-held.ts'
import { endHeldRejections, rejectedHeld } from './rejection-store.ts'
import { waitAgain } from './waiting-store.ts'

/**
 * Finds the rejected transfers of blocks that were read again which a second node confirms: the node that served the block
 * now, or else another one.
 * @param blocks consecutive, oldest first. Called outside any transaction.
 */
export async function confirmRejected(
  db: Queryable,
  nodes: SecondNodes,
  blocks: readonly SolidBlock[],
): Promise<TransferId[]> {
  const first = blocks[0]!.height
  const confirmed: TransferId[] = []
  for (const held of await rejectedHeld(db, { from: first, to: blocks.at(-1)!.height })) {
    const shown = compareHeld(blocks[held.height - first]!, held)
    // A node that cannot be asked confirms nothing: the rejection stays, and the rescan can be run again.
    const answer = shown.kind === 'agreed' ? shown : await confirmByAny(nodes, held).catch(() => null)
    if (answer?.kind === 'agreed') confirmed.push(held.id)
  }
  return confirmed
}

/**
 * Lets rejected transfers that a second node confirms wait for their turn again. What waits at their addresses has to be
 * credited next. Transfers that are no longer rejected, or were rejected from the quarantine, are not changed.
 * @param actor by what they were confirmed, for the audit.
 * @returns the address of each transfer taken up.
 */
export async function takeUpConfirmed(
  tx: Tx,
  transferIds: readonly TransferId[],
  actor: string,
): Promise<DepositAddressId[]> {
  if (transferIds.length === 0) return []
  const ended = await endHeldRejections(tx, transferIds)
  for (const { transferId, depositAddressId: addressId } of ended) {
    const event = { action: 'held.taken_up', subject: `transfer ${transferId}`, addressId }
    await recordAudit(tx, { actor, reason: 'a second node confirms it', ...event })
  }
  return await waitAgain(tx, ended, 'behind')
}
