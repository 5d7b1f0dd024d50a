import type { TransferId } from '../base/ids.ts'
import type { Pool } from '../db/pool.ts'
import type { CreditRules } from './credit-rules.ts'
import { carryOut, type Decided, type Decision } from './decision.ts'
import { endHold, type HeldTransfer, readHeld } from './held-store.ts'
import {
  endHeldRejections,
  insertRejection,
  readTransferState,
  type TransferState,
} from './rejection-store.ts'
import type { Confirmation } from './release-held.ts'
import { takeWaiting, waitAgain } from './waiting-store.ts'

/** A refusal to reject: a second node shows the transfer, or none can be asked. The note is for people. */
export type NotRejected = { kind: 'confirmed' } | { kind: 'unanswered'; note: string }

/**
 * Rejects a held transfer, and credits what waited behind it.
 * @param confirm asks second nodes, outside any transaction; an error counts as `unknown`. Null: none is asked, and the
 *   operator's word is enough.
 */
export async function rejectHeld(
  pool: Pool,
  rules: CreditRules,
  id: TransferId,
  decision: Decision,
  confirm: ((held: HeldTransfer) => Promise<Confirmation>) | null,
): Promise<Decided<TransferState> | NotRejected> {
  const held = await readHeld(pool, id)
  const answer = held && confirm ? await confirm(held).catch(unanswered) : null
  if (answer?.kind === 'agreed') return { kind: 'confirmed' }
  if (answer?.kind === 'unknown') return { kind: 'unanswered', note: answer.note }
  return await carryOut(pool, rules, about(id, 'held.rejected', decision), {
    async decide(tx) {
      // If it was not held when we read it, no second node was asked about it.
      const taken = held && (await takeWaiting(tx, id, 'held'))
      if (!taken) return null
      const { addressId, node } = taken
      await insertRejection(tx, {
        ...{ transferId: id, quarantineId: null, node },
        ...{ reason: decision.reason, rejectedBy: decision.actor },
      })
      const nodes = answer ? answer.note : 'not asked'
      return { addressId, detail: { ...factsOf(held), node, nodes } }
    },
    read: tx => readTransferState(tx, id),
    isDone: state => state === 'rejected',
  })
}

/** Credits a held transfer on the operator's word, as a second node's confirmation does. */
export async function releaseHeldByHand(
  pool: Pool,
  rules: CreditRules,
  id: TransferId,
  decision: Decision,
): Promise<Decided<TransferState>> {
  const held = await readHeld(pool, id)
  return await carryOut(pool, rules, about(id, 'held.released', decision), {
    async decide(tx) {
      const [addressId] = await endHold(tx, [id])
      return addressId === undefined ? null : { addressId, detail: factsOf(held) }
    },
    read: tx => readTransferState(tx, id),
    isDone: state => state === 'credited' || state === 'unclaimed' || state === 'behind',
  })
}

/** Undoes a rejection: the transfer is held again, and second nodes are asked again. What is credited since stays credited. */
export async function reopenHeld(
  pool: Pool,
  rules: CreditRules,
  id: TransferId,
  decision: Decision,
): Promise<Decided<TransferState>> {
  return await carryOut(pool, rules, about(id, 'held.reopened', decision), {
    async decide(tx) {
      const ended = await endHeldRejections(tx, [id])
      if (ended.length === 0) return null
      const [addressId] = await waitAgain(tx, ended, 'held')
      return { addressId: addressId!, detail: {} }
    },
    read: tx => readTransferState(tx, id),
    isDone: state => state === 'held',
  })
}

function about(id: TransferId, action: string, decision: Decision) {
  return { ...decision, action, subject: `transfer ${id}` }
}

function factsOf(held: HeldTransfer | null): Record<string, unknown> {
  return held ? { txid: held.txid, logIndex: held.logIndex, to: held.to, amount: `${held.amount}` } : {}
}

function unanswered(error: unknown): Confirmation {
  return { kind: 'unknown', note: error instanceof Error ? error.message : String(error) }
}
