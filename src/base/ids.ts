// The keys of our tables, each with a type of its own, so that two of them cannot trade places. As the database has them:
// bigint. A store's result names the type (`rows<{ id: OrderId }>`); nothing else makes one.

export type MerchantId = bigint & { readonly id: 'merchant' }
export type AddressCounterId = bigint & { readonly id: 'address-counter' }
export type DepositAddressId = bigint & { readonly id: 'deposit-address' }
export type OrderId = bigint & { readonly id: 'order' }
export type TransferId = bigint & { readonly id: 'transfer' }
export type PendingProofId = bigint & { readonly id: 'pending-proof' }
export type CreditId = bigint & { readonly id: 'credit' }
export type MarkId = bigint & { readonly id: 'mark' }
export type CallbackId = bigint & { readonly id: 'callback' }
export type LaneId = bigint & { readonly id: 'lane' }
export type UserId = bigint & { readonly id: 'user' }

/** An order of a merchant, by the merchant's id (orderid) or ours (ordersn); with both, the order must have both. */
export interface OrderKey {
  merchantId: MerchantId
  orderid: string | null
  ordersn: string | null
}
