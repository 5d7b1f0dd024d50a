import type { DepositAddressId, MerchantId, TransferId } from '../base/ids.ts'
import { formatUsdt } from '../base/money.ts'
import type { Pool, Queryable } from '../db/pool.ts'
import type { CreditRules } from './credit-rules.ts'
import { carryOut, type Decided, type Decision } from './decision.ts'
import { readTransferState, type TransferState } from './rejection-store.ts'
import { type AssignedTo, insertAssignment, isAssignedTo } from './transfer-assignment-store.ts'
import {
  findOrderOwner,
  findUserAddress,
  type PaidAddress,
  readPaidAddress,
  takesDeposits,
} from './unclaimed-store.ts'

/** Where an unclaimed transfer shall go: to an order, by our id or by its merchant's, or to a user of the same merchant. */
export type AssignTarget = { ordersn: string } | { orderid: string } | { localusermark: string }

/** Why a transfer cannot be assigned there, by its code. */
export const assignRefusals = {
  nobodys:
    "its address was skipped after a restore and is nobody's yet: `gateway address import` gives it to its user",
  unknown_order: 'there is no such order',
  other_merchant: "that order is another merchant's",
  unknown_user: 'its merchant has no such user',
  deposits_off:
    'its merchant does not take deposits, so a user can have it through an order only: assign it to one, or turn deposits on',
} as const

export interface Refused<Code extends string> {
  kind: 'refused'
  code: Code
}

/**
 * Assigns an unclaimed transfer to an order or a user of its merchant. It is credited in the same transaction, under the same key
 * as by itself, and the usual callback tells the merchant. A second assignment of it changes nothing.
 * @param merchantId of whom the transfer has to be; null: of any.
 * @returns refused for a target that cannot be; impossible for a transfer that is not unclaimed.
 */
export async function assignUnclaimed(
  pool: Pool,
  rules: CreditRules,
  id: TransferId,
  target: AssignTarget,
  decision: Decision,
  merchantId: MerchantId | null = null,
): Promise<Decided<TransferState> | Refused<keyof typeof assignRefusals>> {
  const paid = await readPaidAddress(pool, id, merchantId)
  if (!paid) return { kind: 'impossible', state: 'unknown' }
  const found = await findTarget(pool, paid, target)
  if ('code' in found) return { kind: 'refused', code: found.code }
  const { to, subject } = found
  let wasSo = false
  return await carryOut(pool, rules, about(id, 'transfer.assigned', decision), {
    async decide(tx) {
      const { actor: assignedBy, reason } = decision
      const addressId = await insertAssignment(tx, { transferId: id, to, reason, assignedBy })
      wasSo = addressId === null && (await isAssignedTo(tx, id, to))
      return addressId === null ? null : { addressId, detail: { ...factsOf(paid), to: subject } }
    },
    read: tx => readTransferState(tx, id),
    isDone: () => wasSo,
  })
}

async function findTarget(
  db: Queryable,
  paid: PaidAddress,
  target: AssignTarget,
): Promise<{ to: AssignedTo; subject: string } | { code: keyof typeof assignRefusals }> {
  const { merchantId, localusermark } = paid
  if (localusermark === '') return { code: 'nobodys' }
  if (!('localusermark' in target)) {
    const order = await findOrderOwner(db, 'ordersn' in target ? target : { ...target, merchantId })
    if (!order) return { code: 'unknown_order' }
    if (order.merchantId !== merchantId) return { code: 'other_merchant' }
    return { to: { orderId: order.id }, subject: `order ${order.orderid}` }
  }
  if (!(await takesDeposits(db, merchantId))) return { code: 'deposits_off' }
  const addressId: DepositAddressId | null = await findUserAddress(
    db,
    merchantId,
    target.localusermark,
    paid.addressId,
  )
  if (addressId === null) return { code: 'unknown_user' }
  return { to: { addressId }, subject: `user ${target.localusermark}` }
}

export function about(id: TransferId, action: string, decision: Decision) {
  return { ...decision, action, subject: `transfer ${id}` }
}

export function factsOf({ appid, txid, logIndex, amount }: PaidAddress): Record<string, unknown> {
  return { appid, txid, logIndex, usdt: formatUsdt(amount) }
}
