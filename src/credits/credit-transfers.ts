import assert from 'node:assert/strict'
import { failpoint } from '../base/failpoint.ts'
import type { DepositAddressId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import { callbackKey } from '../callbacks/outbox/callback.ts'
import { insertCallbacks, type NewCallback, originOf } from '../callbacks/outbox/callback-store.ts'
import type { Tx } from '../db/pool.ts'
import { orderState } from '../orders/order.ts'
import type { RecordedTransfer } from '../transfers/transfer.ts'
import type { CreditRules } from './credit-rules.ts'
import { insertCredits } from './credit-store.ts'
import { waitingPlaces } from './pending-proof-store.ts'
import type { KeptTransfer, PendingTransfer } from './pending-transfer.ts'
import type { PlannedCredit } from './plan-credits.ts'
import { planInSlices } from './plan-in-slices.ts'
import { takeTurns } from './take-turns.ts'
import { tellUnclaimed } from './tell-unclaimed.ts'
import { keepWaiting, stopWaiting } from './waiting-store.ts'

/** Counts of what crediting wrote. `held` and `quarantined` count those that became so now. */
export interface Credited {
  credits: number
  callbacks: number
  unclaimed: number
  held: number
  quarantined: number
}

/**
 * Credits pending transfers: the only way from a transfer to its credit, for every caller. Each one gets a credit or a row
 * in waiting_transfer.
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
  const { credits, unclaimed } = await planInSlices(tx, free, until, rules.graceMs)
  await keepWaiting(tx, [
    ...kept,
    ...unclaimed.map((transfer): KeptTransfer => ({ transfer, reason: 'unclaimed' })),
  ])
  await tellUnclaimed(tx, rules, unclaimed)
  return {
    credits: credits.length,
    callbacks: credits.length > 0 ? await writeCredits(tx, rules, credits) : 0,
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

async function writeCredits(tx: Tx, rules: CreditRules, credits: readonly PlannedCredit[]): Promise<number> {
  const creditIds = await insertCredits(tx, credits)
  failpoint('credit:after-credits')
  await stopWaiting(
    tx,
    credits.map(({ transfer }) => transfer),
  )
  const announced = credits.filter(({ announcement }) => announcement > 0n)
  await insertCallbacks(
    tx,
    announced.map(({ transfer, order, received, late, announcement }) => ({
      key: callbackKey(rules.genesisId, rules.usdtContract, transfer.txid, transfer.logIndex),
      merchantId: order.merchantId,
      orderId: order.id,
      creditId: creditIds.get(transfer.id)!,
      bodyAmount: announcement,
      received,
      orderState: creditedState(received, order.amount),
      late,
      origin: originOf(order.callbackUrl),
    })),
  )
  return announced.length
}

/** An order that was just credited is no longer pending. */
function creditedState(received: UsdtUnits, amount: UsdtUnits): NewCallback['orderState'] {
  const state = orderState(received, amount)
  assert(state !== 'pending', 'an order that was just credited has received something')
  return state
}
