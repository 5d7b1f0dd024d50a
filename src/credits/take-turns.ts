import type { DepositAddressId } from '../base/ids.ts'
import { inChainOrder } from '../transfers/transfer.ts'
import type { WaitingPlace } from './pending-proof-store.ts'
import type { KeptTransfer, PendingTransfer } from './pending-transfer.ts'

/**
 * Splits pending transfers into those that may be credited now and those that go on waiting. On each address, in chain order,
 * everything before the first that is held or quarantined is free. That one keeps its reason, and later ones wait behind it.
 * So do those that come after a place where something waits for proof. Other addresses are not affected.
 * @param unproved at most one place for each address.
 */
export function takeTurns(
  pending: readonly PendingTransfer[],
  unproved: readonly WaitingPlace[] = [],
): {
  free: PendingTransfer[]
  kept: KeptTransfer[]
} {
  const blocked = new Set<DepositAddressId>()
  const places = new Map(unproved.map(place => [place.depositAddressId, place]))
  const free: PendingTransfer[] = []
  const kept: KeptTransfer[] = []
  for (const transfer of pending.toSorted(inChainOrder)) {
    const { reason, depositAddressId } = transfer
    const place = places.get(depositAddressId)
    if (place && inChainOrder(place, transfer) < 0) blocked.add(depositAddressId)
    if (reason === 'held' || reason === 'quarantined') {
      blocked.add(depositAddressId)
      kept.push({ transfer, reason })
    } else if (blocked.has(depositAddressId)) kept.push({ transfer, reason: 'behind' })
    else free.push(transfer)
  }
  return { free, kept }
}
