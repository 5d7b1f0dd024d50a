import { failpoint } from '../base/failpoint.ts'
import type { TransferId } from '../base/ids.ts'
import { lockCursor } from '../blocks/chain-store.ts'
import type { Pool } from '../db/pool.ts'
import type { CreditRules } from './credit-rules.ts'
import { inCreditingTransaction } from './crediting-transaction.ts'
import { dueHeld, endHold, type HeldTransfer, noteHeld } from './held-store.ts'
import { takeUpConfirmed } from './take-up-rejected.ts'
import { waitingAt } from './waiting-store.ts'

/** A second node's answer about a held transfer. The note is for people. */
export type Confirmation =
  | { kind: 'agreed' }
  /** It shows another block or transfer. The transfer stays held, with the note. */
  | { kind: 'disagreed'; note: string }
  /** It does not have the block yet, or cannot be asked. It will be asked again. */
  | { kind: 'unknown'; note: string }

/** How many transfers are checked in one call. */
const heldPage = 20

/**
 * Asks a second node about held transfers, and credits those it agrees on, with what waited behind them, in chain order and
 * by the usual rules. Nothing is written before the answers are in, so a crash in between loses nothing.
 * @param confirm called outside any transaction, one at a time. An error counts as `unknown`.
 * @param pageMax the most transfers that are checked. Those checked longest ago come first.
 * @returns `released`: no longer held, but credited, unclaimed or quarantined. `disagreed` and `waiting`: checked and still
 * held. `waitingCounts` counts all that are held.
 */
export async function releaseHeld(
  pool: Pool,
  rules: CreditRules,
  confirm: (held: HeldTransfer) => Promise<Confirmation>,
  pageMax = heldPage,
): Promise<{ released: number; disagreed: number; waiting: number }> {
  const asked: { held: HeldTransfer; answer: Confirmation }[] = []
  for (const held of await dueHeld(pool, pageMax)) {
    asked.push({ held, answer: await confirm(held).catch(unanswered) })
  }
  const others = asked.filter(({ answer }) => answer.kind !== 'agreed')
  await noteHeld(
    pool,
    others.map(({ held, answer }) => ({ id: held.id, note: 'note' in answer ? answer.note : null })),
  )
  failpoint('held:after-confirm')
  const agreed = asked.filter(({ answer }) => answer.kind === 'agreed').map(({ held }) => held.id)
  const disagreed = others.filter(({ answer }) => answer.kind === 'disagreed').length
  return {
    released: agreed.length > 0 ? await release(pool, rules, agreed) : 0,
    disagreed,
    waiting: others.length - disagreed,
  }
}

function unanswered(error: unknown): Confirmation {
  return { kind: 'unknown', note: error instanceof Error ? error.message : String(error) }
}

async function release(pool: Pool, rules: CreditRules, agreed: readonly TransferId[]): Promise<number> {
  return await inCreditingTransaction(pool, async (tx, credit) => {
    // Locked so that no other transaction credits.
    const cursor = await lockCursor(tx)
    if (!cursor) return 0
    // An operator may have rejected one since it was asked about. A second node's confirmation ends that.
    const takenUp = await takeUpConfirmed(tx, agreed, 'watcher')
    const addressIds = [...(await endHold(tx, agreed)), ...takenUp]
    await credit(tx, rules, await waitingAt(tx, addressIds), cursor.time)
    failpoint('held:before-commit')
    return addressIds.length
  })
}
