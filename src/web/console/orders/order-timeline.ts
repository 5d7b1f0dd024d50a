import type { Pool } from '../../../db/pool.ts'
import { inReadSnapshot } from '../../../db/read-pool.ts'
import { isExpired, type OrderState, orderState } from '../../../orders/order.ts'
import { type OrderNote, readOrderNotes } from '../../../orders/order-note-store.ts'
import { type ListedAttempt, readAttempts } from '../callbacks/attempt-list-store.ts'
import { type ConsoleCallback, readCallbacksOfOrder } from '../callbacks/callback-list-store.ts'
import {
  type AfterAttempt,
  type AttemptReason,
  afterAttempt,
  type NextAttempt,
  nextAttempt,
  reasonOf,
} from '../callbacks/why-attempt.ts'
import {
  type ChainNow,
  type ConsoleOrder,
  type CreatingRequest,
  type OrderTransfer,
  readChainNow,
  readCreatingRequest,
  readOrderTransfers,
  transfersMax,
} from './timeline-store.ts'

/** Something that happened to an order, or is going to. `at`: when. */
export type TimelineEvent = { at: Date } & (
  | { kind: 'created'; by: CreatingRequest | null }
  /** Its window has ended, and less than its amount was received in it. Late payments are credited all the same. */
  | { kind: 'expired' }
  /** In a block, by that block's time. confirmations: blocks on it, while it is not solid; null: it is, or nobody knows. */
  | { kind: 'paid'; transfer: OrderTransfer; confirmations: number | null }
  /** Before its block was solid. */
  | { kind: 'seen'; transfer: OrderTransfer }
  /** Its block is solid, and it is recorded. */
  | { kind: 'solid'; transfer: OrderTransfer }
  /** underpaid: partial; overpaid: more than the order asks for. */
  | { kind: 'credited'; transfer: OrderTransfer; state: OrderState; late: boolean }
  | { kind: 'callback'; callback: ConsoleCallback }
  | {
      kind: 'attempt'
      callback: ConsoleCallback
      attempt: ListedAttempt
      reason: AttemptReason
      after: AfterAttempt
    }
  /** What a callback waits for. */
  | { kind: 'next'; callback: ConsoleCallback; next: NextAttempt }
  | { kind: 'note'; note: OrderNote }
)

export interface Timeline {
  /** In the order in which they happened; what is to come is at the end. */
  events: TimelineEvent[]
  /** Of what there are older ones than those shown. */
  older: ('transfers' | 'callbacks' | 'attempts')[]
  chain: ChainNow
  /** Its window has ended, by the chain's time. */
  isExpired: boolean
  /** Something was credited to it after that. */
  isLate: boolean
}

/** Of one order. An order paid in many parts has as many callbacks; all are in the list of callbacks. */
export const callbacksMax = 30
export const attemptsMax = 60

/** Reads what happened to an order, in one snapshot. */
export function readTimeline(reads: Pool, order: ConsoleOrder): Promise<Timeline> {
  return inReadSnapshot(reads, async tx => {
    const chain = await readChainNow(tx)
    const by = await readCreatingRequest(tx, order)
    const transfers = await readOrderTransfers(tx, order)
    const callbacks = await readCallbacksOfOrder(tx, order.id, callbacksMax + 1)
    const shown = callbacks.slice(-callbacksMax)
    const ids = shown.map(({ id }) => id)
    const attempts = ids.length === 0 ? [] : await readAttempts(tx, ids, attemptsMax + 1)
    const notes = await readOrderNotes(tx, order.id)
    const expired = chain.solidTime !== null && isExpired(order.expiresAt, chain.solidTime)
    const late = transfers.filter(transfer => transfer.late)
    const events: TimelineEvent[] = [
      { at: order.createdAt, kind: 'created', by },
      ...(expired && order.received - sumOf(late) < order.amount
        ? [{ at: order.expiresAt, kind: 'expired' as const }]
        : []),
      ...transfers.flatMap(transfer => eventsOf(transfer, order, chain)),
      ...eventsOfCallbacks(shown, attempts.slice(0, attemptsMax), chain.now),
      ...notes.map(note => ({ at: note.createdAt, kind: 'note' as const, note })),
    ]
    const credited = transfers.filter(({ state }) => state === 'credited').length
    return {
      events: events.toSorted(
        (a, b) => place(a) - place(b) || a.at.getTime() - b.at.getTime() || rank(a) - rank(b),
      ),
      older: [
        ...(credited >= transfersMax ? (['transfers'] as const) : []),
        ...(callbacks.length > callbacksMax ? (['callbacks'] as const) : []),
        ...(attempts.length > attemptsMax ? (['attempts'] as const) : []),
      ],
      chain,
      isExpired: expired,
      isLate: late.length > 0,
    }
  })
}

function sumOf(transfers: readonly OrderTransfer[]): bigint {
  return transfers.reduce((sum, { amount }) => sum + amount, 0n)
}

function eventsOf(transfer: OrderTransfer, order: ConsoleOrder, { headHeight }: ChainNow): TimelineEvent[] {
  const { state, blockTime, seenAt, solidAt, creditedAt, received, late, height } = transfer
  const confirmations = state === 'seen' && headHeight !== null ? Math.max(headHeight - height, 0) : null
  return [
    { at: blockTime, kind: 'paid', transfer, confirmations },
    ...(seenAt === null ? [] : [{ at: seenAt, kind: 'seen' as const, transfer }]),
    ...(solidAt === null ? [] : [{ at: solidAt, kind: 'solid' as const, transfer }]),
    ...(creditedAt === null
      ? []
      : [
          {
            at: creditedAt,
            kind: 'credited' as const,
            transfer,
            state: orderState(received!, order.amount),
            late: late!,
          },
        ]),
  ]
}

function eventsOfCallbacks(
  callbacks: readonly ConsoleCallback[],
  attempts: readonly ListedAttempt[],
  now: Date,
): TimelineEvent[] {
  const byId = new Map(callbacks.map(callback => [callback.id, callback]))
  return [
    ...callbacks.map(callback => ({ at: callback.createdAt, kind: 'callback' as const, callback })),
    ...attempts.map(attempt => {
      const callback = byId.get(attempt.callbackId)!
      const after = afterAttempt(attempt, callback.deliveredAt)
      return {
        at: attempt.startedAt,
        kind: 'attempt' as const,
        callback,
        attempt,
        reason: reasonOf(attempt),
        after,
      }
    }),
    ...callbacks.flatMap(callback => {
      const next = nextAttempt(callback, now)
      return next === null
        ? []
        : [{ at: 'at' in next ? next.at : now, kind: 'next' as const, callback, next }]
    }),
  ]
}

/** What is to come stands after all that has happened. */
function place({ kind }: TimelineEvent): number {
  return kind === 'next' ? 1 : 0
}

/** Of two that happened in one transaction, which follows from which. */
function rank({ kind }: TimelineEvent): number {
  return ['created', 'paid', 'seen', 'solid', 'credited', 'callback', 'attempt'].indexOf(kind)
}
