import assert from 'node:assert/strict'
import { failpoint } from '../base/failpoint.ts'
import type { CreditId, DepositAddressId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import { type AnnouncedState, callbackKey, depositKey } from '../callbacks/outbox/callback.ts'
import { insertCallbacks, type NewCallback, originOf } from '../callbacks/outbox/callback-store.ts'
import type { Tx } from '../db/pool.ts'
import { orderState } from '../orders/order.ts'
import { inChainOrder, type RecordedTransfer } from '../transfers/transfer.ts'
import type { CreditRules } from './credit-rules.ts'
import { insertCredits, type NewCredit } from './credit-store.ts'
import { readDepositAddresses } from './deposit-store.ts'
import { waitingPlaces } from './pending-proof-store.ts'
import type { KeptTransfer, PendingTransfer } from './pending-transfer.ts'
import { isAssigned, planAssigned } from './plan-assigned.ts'
import type { PlannedCredit, PlannedDeposit } from './plan-credits.ts'
import { planInSlices } from './plan-in-slices.ts'
import { takeTurns } from './take-turns.ts'
import { tellUnclaimed } from './tell-unclaimed.ts'
import { keepWaiting, stopWaiting } from './waiting-store.ts'

/** Counts of what crediting wrote. `held` and `quarantined` count those that became so now. */
export interface Credited {
  credits: number
  /** Undefined: none. */
  deposits?: number
  callbacks: number
  unclaimed: number
  held: number
  quarantined: number
}

/**
 * Credits pending transfers: the only way from a transfer to its credit, for every caller. Each one gets a credit, becomes a
 * deposit, or gets a row in waiting_transfer.
 * @param tx holds the cursor's lock, so that no other transaction credits.
 * @param pending every pending transfer at its addresses: an address is credited whole.
 * @param until the chain's time so far: an unclaimed transfer goes to the oldest order once this has reached its creation.
 */
export async function creditTransfers(
  tx: Tx,
  rules: CreditRules,
  pending: readonly PendingTransfer[],
  until: Date,
): Promise<Credited> {
  const { free, kept } = takeTurns(pending, await waitingPlaces(tx, addressesOf(pending)))
  const assigned = await planAssigned(tx, free.filter(isAssigned))
  const assignedCallbacks = await writeCredits(tx, rules, assigned)
  const others = free.filter(transfer => !isAssigned(transfer))
  const depositing = await readDepositAddresses(tx, addressesOf(others))
  const { credits, deposits, unclaimed } = await planInSlices(tx, others, until, rules.graceMs, depositing)
  await keepWaiting(tx, [
    ...kept,
    ...unclaimed.map((transfer): KeptTransfer => ({ transfer, reason: 'unclaimed' })),
  ])
  await tellUnclaimed(tx, rules, unclaimed)
  // In chain order: so are their ids.
  const written = [...credits, ...deposits].sort((a, b) => inChainOrder(a.transfer, b.transfer))
  const callbacks = assignedCallbacks + (await writeCredits(tx, rules, written))
  const depositCount = [...assigned, ...deposits].filter(one => 'address' in one).length
  return {
    credits: assigned.length + written.length - depositCount,
    ...(depositCount > 0 && { deposits: depositCount }),
    callbacks,
    unclaimed: unclaimed.length,
    held: kept.filter(({ transfer, reason }) => reason === 'held' && !transfer.written).length,
    quarantined: 0,
  }
}

/** Lists the addresses of transfers, and others, each once. */
export function addressesOf(
  transfers: readonly RecordedTransfer[],
  others: readonly DepositAddressId[] = [],
): DepositAddressId[] {
  return [...new Set([...transfers.map(transfer => transfer.depositAddressId), ...others])]
}

async function writeCredits(tx: Tx, rules: CreditRules, planned: readonly Planned[]): Promise<number> {
  if (planned.length === 0) return 0
  const creditIds = await insertCredits(tx, planned.map(creditOf))
  failpoint('credit:after-credits')
  await stopWaiting(
    tx,
    planned.map(({ transfer }) => transfer),
  )
  const announced = planned.filter(({ announcement }) => announcement > 0n)
  await insertCallbacks(
    tx,
    announced.map(one => callbackOf(rules, one, creditIds.get(one.transfer.id)!)),
  )
  return announced.length
}

type Planned = PlannedCredit | PlannedDeposit

function creditOf(planned: Planned): NewCredit {
  const { transfer, received } = planned
  return 'order' in planned
    ? { transfer, received, orderId: planned.order.id, depositAddressId: null, late: planned.late }
    : { transfer, received, orderId: null, depositAddressId: planned.address.id, late: false }
}

function callbackOf(rules: CreditRules, planned: Planned, creditId: CreditId): NewCallback {
  const { transfer, received, announcement: bodyAmount } = planned
  const { genesisId, usdtContract } = rules
  const keyOf = 'order' in planned ? callbackKey : depositKey
  const key = keyOf(genesisId, usdtContract, transfer.txid, transfer.logIndex)
  const said = { key, creditId, bodyAmount, received }
  if ('address' in planned) {
    const { merchantId, callbackUrl } = planned.address
    return {
      ...said,
      merchantId,
      orderId: null,
      orderState: null,
      late: false,
      origin: originOf(callbackUrl),
    }
  }
  const { order, late } = planned
  const { merchantId, id: orderId } = order
  const orderState = creditedState(received, order.amount)
  return { ...said, merchantId, orderId, orderState, late, origin: originOf(order.callbackUrl) }
}

/** An order that was just credited is no longer pending. */
function creditedState(received: UsdtUnits, amount: UsdtUnits): AnnouncedState {
  const state = orderState(received, amount)
  assert(state !== 'pending', 'an order that was just credited has received something')
  return state
}
