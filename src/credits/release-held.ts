import { failpoint } from '../base/failpoint.ts'
import { lockCursor } from '../blocks/chain-store.ts'
import type { Pool } from '../db/pool.ts'
import type { CreditRules } from './credit-rules.ts'
import { inCreditingTransaction } from './crediting-transaction.ts'
import { dueHeld, type HeldTransfer, letGo, noteHeld } from './held-store.ts'
import { waitingAt } from './waiting-store.ts'

/** What a second node says of a held transfer; the note is for people. */
export type Confirmation =
  | { kind: 'agreed' }
  /** It has the block, and shows something else: the transfer stays held, visibly. */
  | { kind: 'disagreed'; note: string }
  /** It has not got there yet, or cannot be asked: the transfer is asked about again. */
  | { kind: 'unknown'; note: string }

/** How many are asked about in one go. */
const heldPage = 20

/**
 * Asks a second node about transfers that are held, and credits those it agrees on, with what waited behind them, in
 * chain order and by the same rules as ever. Nothing is written before the asking, so a crash in between loses nothing.
 * @param confirm is called outside any transaction, one at a time; what it throws counts as `unknown`.
 * @param pageMax how many are asked about at the most; those asked about longest ago come first.
 * @returns `released`: let go now, credited or unclaimed or quarantined as it came out; `disagreed`, `waiting`: of those
 * asked about. How many are held in all: `waitingCounts`.
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

async function release(pool: Pool, rules: CreditRules, agreed: readonly bigint[]): Promise<number> {
  return await inCreditingTransaction(pool, async (tx, credit) => {
    // As crediting does: whoever credits is alone.
    const cursor = await lockCursor(tx)
    if (!cursor) return 0
    const addressIds = await letGo(tx, agreed)
    await credit(tx, rules, await waitingAt(tx, addressIds), cursor.time)
    failpoint('held:before-commit')
    return addressIds.length
  })
}
