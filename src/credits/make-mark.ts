import type { MarkId, MerchantId } from '../base/ids.ts'
import { formatUsdt, type UsdtUnits } from '../base/money.ts'
import type { Pool, Tx } from '../db/pool.ts'
import type { Refused } from './assign-unclaimed.ts'
import type { CreditRules } from './credit-rules.ts'
import { carryOut, type Decision } from './decision.ts'
import { type Mark, type MarkTarget, takenBy } from './mark.ts'
import { hasPaid, insertMark, type Received, readReceived, standingMarks } from './mark-store.ts'
import { readTransferState } from './rejection-store.ts'

/** A refund or a correction that somebody wants to note. */
export interface WantedMark {
  kind: 'refund' | 'correction'
  target: MarkTarget
  /** Above 0, of a correction also below. */
  amount: UsdtUnits
  /** 64 lower-case hex digits. Of a correction also null. */
  txid: string | null
}

/** Why a mark cannot be made, by its code. */
export const markRefusals = {
  unknown: 'there is no such transfer or order',
  waits: 'the transfer has no credit yet: if it was paid back, mark it as settled outside first',
  rejected: 'the transfer is rejected, so it counts as not received',
  bad_amount: "the amount must be above 0; a correction's may be below, but not 0",
  too_much: 'together with the marks that stand, this is more than was received',
  no_txid: 'a refund needs the transaction that paid it back',
  own_txid: "this is the payment's own transaction, not one that paid it back",
  txid_used: 'a refund by this transaction is noted already, with another amount: withdraw that first',
} as const

export type Marked = { kind: 'done' | 'already'; id: MarkId } | Refused<keyof typeof markRefusals>

/**
 * Notes a refund or a correction, with its audit event. The same one a second time changes nothing: a refund by the same
 * transaction, a correction of the same amount for the same reason, as long as the first stands.
 * @param merchantId of whom the transfer or order has to be; null: of any.
 */
export async function makeMark(
  pool: Pool,
  rules: CreditRules,
  wanted: WantedMark,
  decision: Decision,
  merchantId: MerchantId | null = null,
): Promise<Marked> {
  const { kind, target, amount, txid } = wanted
  const subject = 'transferId' in target ? `transfer ${target.transferId}` : `order ${target.orderId}`
  let marked: Marked = { kind: 'refused', code: 'unknown' }
  await carryOut(
    pool,
    rules,
    { ...decision, action: `mark.${kind}`, subject },
    {
      // The cursor is locked: what was received, and what is marked, stays as it is.
      async decide(tx) {
        const received = await readReceived(tx, target, merchantId)
        const judged = received ? await judge(tx, wanted, decision, received) : 'unknown'
        if (judged !== null) {
          marked = typeof judged === 'string' ? { kind: 'refused', code: judged } : judged
          return null
        }
        const { appid, merchantId: owner } = received!
        const id = await insertMark(tx, {
          ...{ kind, target, amount, txid, merchantId: owner, withdraws: null },
          ...{ reason: decision.reason, madeBy: decision.actor },
        })
        marked = { kind: 'done', id }
        const detail = { appid, mark: `${id}`, usdt: formatUsdt(amount), txid }
        return { addressId: null, merchantId: owner, detail }
      },
      read: async () => 'marked',
      isDone: () => true,
    },
  )
  return marked
}

/** @returns null: it may be made. */
async function judge(
  tx: Tx,
  { kind, target, amount, txid }: WantedMark,
  { reason }: Decision,
  received: Received,
): Promise<keyof typeof markRefusals | { kind: 'already'; id: MarkId } | null> {
  if (amount === 0n || (kind === 'refund' && amount < 0n)) return 'bad_amount'
  if (kind === 'refund' && txid === null) return 'no_txid'
  const { orderId } = received
  const paid = [target, ...(orderId === null ? [] : [{ orderId }])]
  for (const one of paid) if (txid !== null && (await hasPaid(tx, txid, one))) return 'own_txid'
  if ('transferId' in target) {
    const state = await readTransferState(tx, target.transferId)
    if (state === 'rejected') return 'rejected'
    if (state !== 'credited' && state !== 'settled_outside') return 'waits'
  }
  const own = await standingMarks(tx, target)
  const twin = own.find(
    mark =>
      mark.kind === kind &&
      isSame(mark.target, target) &&
      mark.txid === txid &&
      (kind === 'refund' || (mark.amount === amount && mark.reason === reason)),
  )
  if (twin) return twin.amount === amount ? { kind: 'already', id: twin.id } : 'txid_used'
  const taken = takenBy({ kind, amount })
  if (taken === 0n) return null
  if (takenByAll(own) + taken > received.amount) return 'too_much'
  if ('orderId' in target || orderId === null) return null
  // A transfer's order may have marks of its own.
  const order = { orderId }
  const ofOrder = await readReceived(tx, order, null)
  const ofAll = takenByAll(await standingMarks(tx, order))
  return ofAll + taken > ofOrder!.amount ? 'too_much' : null
}

function takenByAll(marks: readonly Mark[]): bigint {
  return marks.reduce((sum, mark) => sum + takenBy(mark), 0n)
}

function isSame(a: MarkTarget, b: MarkTarget): boolean {
  return 'transferId' in a
    ? 'transferId' in b && a.transferId === b.transferId
    : 'orderId' in b && a.orderId === b.orderId
}
