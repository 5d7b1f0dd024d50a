import assert from 'node:assert/strict'
import { failpoint } from '../base/failpoint.ts'
import type { DepositAddressId, MerchantId } from '../base/ids.ts'
import { lockCursor } from '../blocks/chain-store.ts'
import { type Author, recordAudit } from '../db/audit-store.ts'
import type { Pool, Tx } from '../db/pool.ts'
import type { CreditRules } from './credit-rules.ts'
import { inCreditingTransaction } from './crediting-transaction.ts'
import { waitingAt } from './waiting-store.ts'

// decision: an operator ends a wait that would not end by itself.
// release: the transfer is taken as confirmed.   reject: it takes no money, and what waits behind it goes on.
// reopen: a rejection is undone, and the transfer waits again as before.

/** Who decides, and why. */
export interface Decision extends Author {
  reason: string
}

/** What a decision changed. */
export interface Changed {
  /** What its audit event says beside the state afterwards. */
  detail: Record<string, unknown>
  /** The address that the transfer was paid to; null: a log, which no transfer waits behind. */
  addressId: DepositAddressId | null
  /** Whose money it is about, where no address says that. */
  merchantId?: MerchantId
  /** Other addresses where something ended its wait with it; undefined: none. */
  others?: readonly DepositAddressId[]
}

/** The result of a decision. */
export type Decided<State> =
  /** `state`: of the transfer or log afterwards. `credits`: written now, deposits too, for it or for what waited behind it. */
  | { kind: 'done'; state: State; credits: number }
  /** It was so before; nothing is changed. */
  | { kind: 'already'; state: State }
  /** It is in a state in which this cannot be decided; nothing is changed. */
  | { kind: 'impossible'; state: State }

/**
 * Carries a decision out in one transaction with its audit event, and credits what may be credited at the address since.
 * The cursor is locked first, as by all that credits, so that the watcher and another operator decide before or after it.
 * @param decide makes the change; null when the state does not allow it.
 * @param read reads the state afterwards.
 * @param isDone tells whether a state in which nothing could be changed is what the decision wanted.
 */
export async function carryOut<State>(
  pool: Pool,
  rules: CreditRules,
  decision: Decision & { action: string; subject: string },
  steps: {
    decide: (tx: Tx) => Promise<Changed | null>
    read: (tx: Tx) => Promise<State>
    isDone: (state: State) => boolean
  },
): Promise<Decided<State>> {
  const decided = await inCreditingTransaction(pool, async (tx, credit): Promise<Decided<State>> => {
    const cursor = await lockCursor(tx)
    assert(cursor, 'the rules were read from the cursor')
    const changed = await steps.decide(tx)
    if (!changed) {
      const state = await steps.read(tx)
      return { kind: steps.isDone(state) ? 'already' : 'impossible', state }
    }
    const { addressId, others = [] } = changed
    const addressIds = new Set([...(addressId === null ? [] : [addressId]), ...others])
    const waiting = await waitingAt(tx, [...addressIds])
    const done = await credit(tx, rules, waiting, cursor.time)
    const credits = done.credits + (done.deposits ?? 0)
    const state = await steps.read(tx)
    const detail = { ...changed.detail, became: state, credits }
    await recordAudit(tx, { ...decision, detail, addressId, merchantId: changed.merchantId ?? null })
    failpoint('decision:before-commit')
    return { kind: 'done', state, credits }
  })
  failpoint('decision:after-commit')
  return decided
}
