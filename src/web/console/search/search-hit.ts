import type { MerchantId, PendingProofId, TransferId } from '../../../base/ids.ts'
import type { UsdtUnits } from '../../../base/money.ts'

// hit: one thing that a searched text names.

/** Whose records are searched. null: all merchants', for admins. */
export type SearchScope = MerchantId | null

/** Whose a hit is: shown where all merchants are searched. */
interface OfMerchant {
  appid: string
  merchantName: string
}

export interface OrderHit extends OfMerchant {
  kind: 'order'
  ordersn: string
  orderid: string
  localusermark: string
  amount: UsdtUnits
  received: UsdtUnits
  createdAt: Date
}

export interface UserHit extends OfMerchant {
  kind: 'user'
  localusermark: string
}

export interface AddressHit extends OfMerchant {
  kind: 'address'
  address: string
  /** Empty: it was skipped after a restore, and is nobody's yet. */
  localusermark: string
}

/**
 * What became of a transfer. seen: in a block that a fork may still replace; held: it waits for proof, a second node, or its
 * turn; the others as merchants know them.
 */
export type HitState = 'seen' | 'held' | 'unclaimed' | 'rejected' | 'settled_outside' | 'credited' | 'deposit'

export interface TransferHit extends OfMerchant {
  kind: 'transfer'
  /** null: it is not recorded yet. */
  transferId: TransferId | null
  /** Of what waits for proof, for admins. */
  proofId: PendingProofId | null
  txid: string
  logIndex: number
  amount: UsdtUnits
  /** Of its block. */
  time: Date
  state: HitState
  address: string
  localusermark: string
  /** Of the order that was credited. */
  ordersn: string | null
  /** The key of the callback that announces the deposit. null: it is none, or is below what is announced. */
  depositKey: string | null
}

export interface CallbackHit extends OfMerchant {
  kind: 'callback'
  key: string
  /** null: it announces a deposit. */
  ordersn: string | null
}

/** A log of our token that could not be decoded: nobody knows whose it is. For admins. */
export interface QuarantineHit {
  kind: 'quarantine'
  quarantineId: bigint
  txid: string
  logIndex: number
  reason: string
}

export type Hit = OrderHit | UserHit | AddressHit | TransferHit | CallbackHit | QuarantineHit

/** A page of the console that shows a hit: its path after `/console`, and its query. */
export interface HitPlace {
  path: string
  query: Record<string, string>
}

/** @returns where a hit is shown. Hits that are shown in one place have the same. */
export function hitPlace(hit: Hit): HitPlace {
  switch (hit.kind) {
    case 'order':
      return orderPlace(hit.ordersn)
    case 'user':
      return { path: '/orders', query: { merchant: hit.appid, user: hit.localusermark } }
    case 'address':
      return addressPlace(hit.address)
    case 'callback':
      return callbackPlace(hit.key)
    case 'transfer':
      return transferPlace(hit)
    case 'quarantine':
      return { path: `/money/logs/${hit.quarantineId}`, query: {} }
  }
}

function transferPlace(hit: TransferHit): HitPlace {
  if (hit.ordersn !== null) return orderPlace(hit.ordersn)
  if (hit.depositKey !== null) return callbackPlace(hit.depositKey)
  if (hit.proofId !== null) return { path: `/money/proofs/${hit.proofId}`, query: {} }
  // A deposit that is below what is announced, and what is only seen, are among the address's transfers.
  if (hit.transferId === null || hit.state === 'deposit') return addressPlace(hit.address)
  return { path: `/money/transfers/${hit.transferId}`, query: {} }
}

const orderPlace = (ordersn: string) => ({ path: `/orders/${encodeURIComponent(ordersn)}`, query: {} })
const callbackPlace = (key: string) => ({ path: `/callbacks/${key}`, query: {} })
const addressPlace = (address: string) => ({ path: `/addresses/${address}`, query: {} })
