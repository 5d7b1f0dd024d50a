import { inChainOrder, type RecordedTransfer } from '../transfers/transfer.ts'

/**
 * Why a transfer has no credit yet.
 * - `unclaimed`: no eligible order at its address.
 * - `held`: until a second node shows it.
 * - `quarantined`: crediting it failed for a lasting reason.
 * - `behind`: a held or quarantined one on its address comes before it.
 */
export type WaitReason = 'unclaimed' | 'held' | 'quarantined' | 'behind'

/** A transfer without a credit. */
export interface PendingTransfer extends RecordedTransfer {
  /** Whether it has a row in waiting_transfer; one that was recorded just now has none. */
  written: boolean
  /** Why it waits, as far as is known; null for one recorded just now that nothing holds. */
  reason: WaitReason | null
  /** The node that served its block, for one that is held. */
  node: string | null
}

/** A transfer that goes on waiting, with its reason from now on. */
export interface KeptTransfer {
  transfer: PendingTransfer
  reason: WaitReason
}

/**
 * Whose turn is it? On each address, in chain order, everything before the first that is held or quarantined; that one
 * keeps its reason, and what comes after it waits behind it. Other addresses go on.
 */
export function takeTurns(pending: readonly PendingTransfer[]): {
  free: PendingTransfer[]
  kept: KeptTransfer[]
} {
  const blocked = new Set<bigint>()
  const free: PendingTransfer[] = []
  const kept: KeptTransfer[] = []
  for (const transfer of pending.toSorted(inChainOrder)) {
    const { reason, depositAddressId } = transfer
    if (reason === 'held' || reason === 'quarantined') {
      blocked.add(depositAddressId)
      kept.push({ transfer, reason })
    } else if (blocked.has(depositAddressId)) kept.push({ transfer, reason: 'behind' })
    else free.push(transfer)
  }
  return { free, kept }
}
